"""What makes decoding faster on a GPU, measured: torch.compile with a static cache, and a CUDA graph of one step."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import torch

from llmops.engines.decoder.model import DecoderModel
from tests.gpu import plain
from tests.gpu.bandwidth import bytes_a_token, copy_bandwidth
from tests.gpu.loaded import Trial, request, run
from tests.gpu.rows import Row

_PROFILED = 8  # steps
_KERNELS = {
    "matrix products": ("gemv", "gemm", "cutlass", "nvjet", "splitk", "dot_kernel", "cublas"),
    "attention": ("fmha", "attention", "flash", "softmax"),
}
_SPARE = 64  # tokens of a static cache beyond what is asked


def faster_rows(trial: Trial, step: str, model: DecoderModel, inner: Any) -> Iterator[Row]:
    """Rates of each way, its warm-up apart, and whether it writes the same tokens."""
    if not trial.is_gpu:
        return
    asked = request(trial)
    ids = plain.prompt_ids(inner, model._tokenizer, asked)
    eager = plain.decode(inner, model._tokenizer, asked).ids
    app_rate = median(run(model, asked).timing.decode_rate or 0 for _ in range(3))
    ways = [("CUDA graph of one step", _graph)] + (
        [("compiled, static cache", _compiled)] if step == "bf16" and trial.compiles else []
    )
    for name, way in ways:
        try:
            warm_s, rate, made = way(inner, ids, trial.new_tokens)
        except Exception as error:  # noqa: BLE001  told, and the rest goes on
            yield Row(step, name, 0, "tok/s", note=f"{type(error).__name__}: {error}"[:300])
            continue
        share = rate * bytes_a_token(trial, step, ids.shape[1]) / copy_bandwidth(trial.device)
        same = sum(a == b for a, b in zip(eager, made, strict=False)) / len(eager)
        yield Row(step, f"{name}: decode rate", rate, "tok/s", note=f"warm-up {warm_s:.2f} s")
        yield Row(step, f"{name}: share of the measured bandwidth", share, "share")
        yield Row(step, f"{name}: tokens equal to eager's", same, "share")
        if way is _graph:
            yield Row(step, "the app's TPOT above this one's", rate / app_rate - 1, "of it", 0.05)
    yield from _kernel_rows(step, model)


def _kernel_rows(step: str, model: DecoderModel) -> Iterator[Row]:
    """Where a replayed step's time goes."""
    graphs = model._graphs
    if graphs is None or not graphs.cache_bytes:
        return
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(_PROFILED):
            graphs._replay()
        torch.cuda.synchronize()
    spent, count = {"matrix products": 0.0, "attention": 0.0, "the rest": 0.0}, 0
    for kernel in profile.key_averages():
        name = kernel.key.lower()
        kind = next((kind for kind, words in _KERNELS.items() if any(word in name for word in words)), "the rest")
        spent[kind] += kernel.self_device_time_total / 1000 / _PROFILED
        count += kernel.count
    for kind, ms in spent.items():
        yield Row(step, f"a step's {kind}", ms, "ms", note=f"{count // _PROFILED} kernels in all")


@torch.inference_mode()
def _graph(model: Any, ids: torch.Tensor, new_tokens: int) -> tuple[float, float, list[int]]:
    """(seconds of warm-up, tokens a second, tokens): one step is captured and replayed."""
    from transformers import StaticCache

    length = ids.shape[1]
    held = StaticCache(config=model.config.get_text_config(decoder=True), max_cache_len=length + new_tokens + _SPARE)
    started_s = time.perf_counter()
    token = model(input_ids=ids, past_key_values=held, logits_to_keep=1).logits[:, -1].argmax(-1, keepdim=True)

    def step() -> None:
        token.copy_(
            model(input_ids=token, past_key_values=held, logits_to_keep=1).logits[:, -1].argmax(-1, keepdim=True)
        )

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    torch.cuda.synchronize()
    warm_s = time.perf_counter() - started_s
    for layer in held.layers:
        layer.cumulative_length.zero_()
    token.copy_(model(input_ids=ids, past_key_values=held, logits_to_keep=1).logits[:, -1].argmax(-1, keepdim=True))
    made = [int(token.item())]
    started_s = time.perf_counter()
    for _ in range(new_tokens - 1):
        graph.replay()
        made.append(int(token.item()))
    return warm_s, (new_tokens - 1) / (time.perf_counter() - started_s), made


@torch.inference_mode()
def _compiled(model: Any, ids: torch.Tensor, new_tokens: int) -> tuple[float, float, list[int]]:
    """The same by transformers' own way: a static cache, whose decode steps it compiles."""
    from llmops.engines.decoder.generate_callbacks import token_streamer

    stamps: list[float] = []

    def generate() -> list[int]:
        stamps.clear()
        written = model.generate(
            inputs=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new_tokens,
            min_new_tokens=new_tokens,
            do_sample=False,
            cache_implementation="static",
            streamer=token_streamer(lambda token: (token.item(), stamps.append(time.perf_counter()))),
        )
        return [int(token) for token in written[0, ids.shape[1] :]]

    started_s = time.perf_counter()
    generate()
    generate()
    warm_s = time.perf_counter() - started_s
    made = generate()
    return warm_s, (len(stamps) - 1) / (stamps[-1] - stamps[0]), made
