"""Recorded rows as an evaluation would leave them, with figures that can be computed by hand. Test code only."""

from llmops.core.run import Energy, Memory, Run, Stage, Timing
from llmops.history.evaluations import Row

ENCODER, DECODER = "embedded/encoder@fp32", "embedded/decoder@bf16"
OPENAI, HOSTED = "openai/gpt-5.4-mini", "hosted/meta-llama/Llama-3.1-70B-Instruct"
HARDWARE = "Some CPU, 2 cores, 8 GiB RAM, no GPU"


def row(
    candidate,
    place,
    true="a",
    said="a",
    e2e_s=1.0,
    read=100,
    wrote=10,
    sure=None,
    device="cpu",
    sent_to="",
    wh=None,
    weights=50,
    extra=10,
    failed=False,
    stages=(),
):
    shares = None if sure is None else {said: sure, "other": 1 - sure}
    run = Run(
        candidate,
        label=None if failed else said,
        probabilities=shares,
        timing=Timing(e2e_s=None if failed else e2e_s, prompt_tokens=read, output_tokens=wrote),
        memory=Memory(weights, None, extra, None, device),
        energy=None if wh is None else Energy(wh, wh * 2, 5.0, ("CPU 0",)),
        stages=stages,
        sent_to=sent_to,
    )
    return Row(candidate, place, 0, f"text {place}", "en", true, None if failed else said, False, failed, "", run)


def remote(candidate, place, **more):
    return row(candidate, place, device="remote", sent_to="OpenAI", weights=None, extra=None, **more)


def stage(candidate, e2e_s, read=100, wrote=None, device="cpu"):
    return Stage(candidate, Timing(e2e_s=e2e_s, prompt_tokens=read, output_tokens=wrote), device)
