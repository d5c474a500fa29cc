"""One streamed answer: our decode rate against generate() without a streamer, in each precision."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from llmops.core.candidate import parse_candidate
from llmops.core.events import Finished, Token
from llmops.core.request import Generation, Job, Request
from llmops.core.settings import load_settings
from llmops.engines.decoder.engine import make
from llmops.engines.decoder.model import DecoderModel
from tests.benchmarks import shapes
from tests.benchmarks.measure import Measured, Row, Sides
from tests.benchmarks.texts import TASK

_PRECISIONS = ("fp32", "bf16", "fp16", "int8", "nf4")


def load(folder: Path | str, precision: str) -> DecoderModel:
    """A decoder through our engine, warmed up."""
    candidate = parse_candidate(f"{folder}@{precision}")
    model = make(load_settings()).load(candidate, TASK, Job())
    model.warm_up()
    return model


def bare(folder: Path | str, precision: str) -> tuple[object, object]:
    """(model, tokenizer) as the library gives them, in the same precision."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    dtypes = {"fp32": torch.float32, "fp16": torch.float16}
    four = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": torch.bfloat16}
    quantized = {"int8": {"load_in_8bit": True}, "nf4": {"load_in_4bit": True, **four}}
    more = {"quantization_config": BitsAndBytesConfig(**quantized[precision])} if precision in quantized else {}
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtypes.get(precision, torch.bfloat16), device_map={"": "cpu"}, **more
    )
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def prompt(tokenizer: object, text: str, language: str = "en") -> object:
    """(1, tokens): the task's prompt, as a user of the library would build it."""
    made = tokenizer.apply_chat_template(TASK.messages(text, language), add_generation_prompt=True, return_tensors="pt")
    return made["input_ids"]


def _row(size: str, precision: str) -> Row:
    tokens = 160 if size == "embedded" else 48

    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        import torch

        folder = shapes.endless() if size == "embedded" else shapes.llama("tiny" if tiny else size)
        count = 8 if tiny else tokens
        model, (plain, tokenizer) = load(folder, precision), bare(folder, precision)
        asked = Request(TASK, "The chair is needed.", "en", Generation(max_new_tokens=count))
        ids = prompt(tokenizer, asked.text)

        def ours(repeat: int) -> Measured:
            pieces, run = [], None
            for event in model.run(asked):
                if isinstance(event, Token):
                    pieces.append(event.text)
                run = event.run if isinstance(event, Finished) else run
            return Measured(run.timing.decode_rate, ("".join(pieces), run.timing.output_tokens))

        def baseline(repeat: int) -> Measured:
            def seconds(most: int) -> tuple[float, list[int]]:
                started = time.perf_counter()
                with torch.inference_mode():
                    made = plain.generate(
                        ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False, pad_token_id=0
                    )
                return time.perf_counter() - started, made[0, ids.shape[1] :].tolist()

            first, _ = seconds(1)
            whole, made = seconds(count)
            return Measured((count - 1) / (whole - first), (tokenizer.decode(made, skip_special_tokens=True), count))

        baseline(0), ours(0)
        yield Sides(ours, baseline, _same)
        model.close()

    name = f"stream-{size}-{precision}"
    what = (
        f"one streamed answer of {tokens} tokens: {'embedded decoder' if size == 'embedded' else size} in {precision}"
    )
    against, turns = "bare `generate`, no streamer", 7 if size == "embedded" else 3
    return Row(name, what, against, "tokens/s", prepare, at_least=0.97, more_is_better=True, turns=turns)


def _same(ours: list[tuple[str, int]], baseline: list[tuple[str, int]]) -> str:
    for answer, expected in zip(ours, baseline, strict=True):
        assert answer == expected, f"{answer} != {expected}"
    return "same tokens"


ROWS = tuple(_row(size, precision) for size in ("embedded", "0.1B") for precision in _PRECISIONS)

Prepare = Callable[[bool], AbstractContextManager[Sides]]
