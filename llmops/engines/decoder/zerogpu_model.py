"""A decoder on ZeroGPU, seen from the page's process: each run is a call into a child that has a GPU meanwhile."""

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llmops.core.candidate import Candidate
from llmops.core.errors import LlmopsError, Stopped, rebuilt
from llmops.core.events import Event, Finished
from llmops.core.request import Request
from llmops.core.run import Run
from llmops.engines.decoder import memory_check
from llmops.engines.decoder.zerogpu_child import ChildRun, is_placed, run_batch_in_child, run_in_child
from llmops.hardware import zerogpu

_START_S = 15.0  # of a borrowed GPU: warm-up, prompt, label likelihoods
_TOKEN_S = 0.1
_READ_BYTES_PER_S = 1e9
_BATCH = 16  # texts that a GPU answers in about the time of one
_BATCH_NOTE = "The batch's time has in it what borrowing the GPU took."


class ZeroGpuDecoderModel:
    """A folder of files, and the way to a GPU. Holds no weights here."""

    device = zerogpu.DEVICE
    can_batch = True
    load_s: float | None = None  # told by each run: it may find the model in its child, or read it
    before_bytes: int | None = None

    def __init__(self, candidate: Candidate, folder: Path, notes: tuple[str, ...], data_dir: Path) -> None:
        self.notes = (*notes, "ZeroGPU lent a GPU for this run; waiting for it, and its start, are in the queue time.")
        self.weights_bytes = memory_check.estimate(folder, candidate.precision or "bf16")
        self._candidate, self._folder, self._data_dir = candidate, folder, data_dir

    def warm_up(self) -> None:
        """Nothing: a child warms up what it has read, before it measures."""

    def run(self, request: Request) -> Generator[Event, None, None]:
        """Stream one answer out of a child; see engines.base.Model.run. queue_s, load_s and warm are of this run."""
        called_s = time.perf_counter()
        started_s: float | None = None
        with closing(
            zerogpu.run_on_gpu(run_in_child, (self._child_run(request),), self._seconds([request]), request.stop)
        ) as events:
            for event in events:
                started_s = (
                    event.at_s if started_s is None else started_s
                )  # the clock is the machine's: it may be compared
                if isinstance(event, Finished):
                    self.weights_bytes = event.run.memory.weights_bytes or self.weights_bytes
                    read_s = 0.0 if event.run.warm else event.run.timing.load_s or 0.0
                    queue_s = max(0.0, started_s - called_s - read_s)
                    timing = replace(event.run.timing, queue_s=queue_s)
                    yield Finished(replace(event.run, timing=timing), at_s=event.at_s)
                else:
                    yield event

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """A batch in one child; see engines.base.BatchModel."""
        child_runs = tuple(self._child_run(request) for request in requests)
        stop = requests[0].stop
        results = list(zerogpu.run_on_gpu(run_batch_in_child, (child_runs,), self._seconds(requests), stop))
        if stop.is_set() or len(results) < len(requests):
            raise Stopped("Stopped while the batch was running.")
        return [
            rebuilt(*result) if isinstance(result, tuple) else replace(result, notes=(*result.notes, _BATCH_NOTE))
            for result in results
        ]

    def close(self) -> None:
        """Nothing is held here; children end on their own."""

    def _child_run(self, request: Request) -> ChildRun:
        return ChildRun(
            self._candidate,
            str(self._folder),
            str(self._data_dir),
            request.task,
            request.text,
            request.language,
            request.generation,
            request.long_texts,
            request.verdict_only,
        )

    def _seconds(self, requests: Sequence[Request]) -> float:
        read_s = 0.0 if is_placed(self._candidate) else (self.weights_bytes or 0) / _READ_BYTES_PER_S
        longest = max(request.generation.max_new_tokens for request in requests)
        return _START_S + read_s + longest * _TOKEN_S * math.ceil(len(requests) / _BATCH)
