"""Having a model ready: the kept nf4 copy against quantizing again, and a loaded model against loading it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from llmops.core.candidate import parse_candidate
from llmops.core.request import Job
from llmops.core.settings import load_settings
from llmops.embedded import DECODER_DIR
from llmops.engines.decoder import loading, quantized_copies
from tests.benchmarks import shapes
from tests.benchmarks.measure import Measured, Row, Sides, equal
from tests.benchmarks.rows.streaming import bare
from tests.benchmarks.texts import TASK
from tests.support.pools import make_pool


@contextmanager
def _second_load(tiny: bool) -> Iterator[Sides]:
    import torch

    folder = shapes.llama("tiny" if tiny else "0.25B")
    candidate = parse_candidate(f"{folder}@nf4")
    least, quantized_copies._MIN_SOURCE_BYTES = (
        quantized_copies._MIN_SOURCE_BYTES,
        1 if tiny else quantized_copies._MIN_SOURCE_BYTES,
    )
    loading.load(folder, candidate, "cpu", load_settings().data_dir)  # the first load makes the copy

    def logits(model: object) -> list[float]:
        with torch.inference_mode():
            return model(torch.arange(5, 25)[None]).logits[0, -1].float().tolist()

    def ours(repeat: int) -> Measured:
        parts = loading.load(folder, candidate, "cpu", load_settings().data_dir)
        assert any("Read from a copy" in note for note in parts.notes)
        return Measured(parts.measured.load_s or 0, logits(parts.model))

    def baseline(repeat: int) -> Measured:
        started = time.perf_counter()
        model, _ = bare(folder, "nf4")
        return Measured(time.perf_counter() - started, logits(model))

    yield Sides(ours, baseline, equal)
    quantized_copies._MIN_SOURCE_BYTES = least


@contextmanager
def _switch(tiny: bool) -> Iterator[Sides]:
    pool = make_pool(4 * 10**9)
    names = [f"{DECODER_DIR}@bf16", f"{shapes.llama('tiny' if tiny else '0.1B')}@bf16"]
    candidates = [parse_candidate(name) for name in names]

    def take(number: int) -> str:
        stop = threading.Event()
        with pool.lease(candidates[number], TASK, Job(stop=stop)) as lease:
            return f"{type(lease.model).__name__}, {lease.model.weights_bytes} bytes"

    def back_and_forth(drop: bool) -> Measured:
        found, started = [], time.perf_counter()
        for number in (0, 1):
            if drop:
                pool.unload(candidates[1 - number], TASK)
            found.append(take(number))
        return Measured((time.perf_counter() - started) / 2, found)

    def ours(repeat: int) -> Measured:
        take(0), take(1)
        return back_and_forth(drop=False)

    def baseline(repeat: int) -> Measured:
        take(1)
        pool.unload(candidates[0], TASK)
        return back_and_forth(drop=True)

    take(0), take(1)
    yield Sides(ours, baseline, equal)
    pool.close()


ROWS = (
    Row("nf4-second", "loading nf4 the second time (0.25B shape)", "quantizing again from bf16", "s", _second_load,
        at_least=2),
    Row("switch", "switching between two loaded candidates", "reloading", "s", _switch, at_least=20),
)  # fmt: skip
