"""Sixteen requests at a local decoder: at once, as one batch, against one after the other."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from llmops.core.request import Generation, Request
from llmops.core.statistics import percentile
from tests.benchmarks import shapes
from tests.benchmarks.measure import Measured, Row, Sides
from tests.benchmarks.rows.streaming import bare, load, prompt
from tests.benchmarks.texts import TASK, labelled

_REQUESTS, _TOKENS = 16, 32


def _row(name: str, what: str, unit: str, ttft: bool) -> Row:
    @contextmanager
    def prepare(tiny: bool) -> Iterator[Sides]:
        import torch

        folder = shapes.llama("tiny" if tiny else "0.1B")
        tokens, count = (4, 4) if tiny else (_TOKENS, _REQUESTS)
        model, (plain, tokenizer) = load(folder, "fp32"), bare(folder, "fp32")
        examples = labelled(count)
        asked = [
            Request(TASK, example.text, example.language, Generation(max_new_tokens=tokens)) for example in examples
        ]

        def figure(seconds: float, firsts: list[float], results: Any) -> Measured:
            return Measured((percentile(firsts, 95) or 0.0) if ttft else count * tokens / seconds, results)

        with model.parallel(count, 128 + tokens) as send, ThreadPoolExecutor(count) as users:

            def ours(repeat: int) -> Measured:
                started = time.perf_counter()
                runs = list(users.map(send, asked))
                seconds = time.perf_counter() - started
                return figure(seconds, [run.timing.ttft_s for run in runs], [run.timing.output_tokens for run in runs])

            def baseline(repeat: int) -> Measured:
                """TTFT counts from when all sixteen arrive: the later ones wait for those before them."""
                started, firsts, made = time.perf_counter(), [], []
                for example in examples:
                    ids = prompt(tokenizer, example.text, example.language)
                    stamps: list[float] = []
                    with torch.inference_mode():
                        whole = plain.generate(
                            ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False,
                            pad_token_id=0, stopping_criteria=[_stamp(stamps)],
                        )  # fmt: skip
                    firsts.append(stamps[0] - started)
                    made.append(whole.shape[1] - ids.shape[1])
                return figure(time.perf_counter() - started, firsts, made)

            ours(0)
            yield Sides(ours, baseline, _same)
        model.close()

    at = {"at_most": 1.0} if ttft else {"at_least": 4.0}
    return Row(name, what, "one after the other", unit, prepare, more_is_better=not ttft, **at)


def _stamp(stamps: list[float]) -> Any:
    import torch
    from transformers import StoppingCriteria

    class Stamp(StoppingCriteria):
        def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
            stamps.append(time.perf_counter())
            return torch.zeros(input_ids.shape[0], dtype=torch.bool)

    return Stamp()


def _same(ours: list[Any], baseline: list[Any]) -> str:
    assert ours == baseline
    return "same numbers of tokens"


ROWS = (
    _row("parallel-16", "16 parallel requests, 0.1B shape in fp32", "tokens/s", ttft=False),
    _row("parallel-16-ttft", "the same: 95th percentile of TTFT", "s", ttft=True),
)
