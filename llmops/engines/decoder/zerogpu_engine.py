"""The local decoder engine on ZeroGPU: a model's runs happen in a forked child that has a GPU for some seconds.

Files are fetched out here, where no GPU second counts. Unquantized models of the preset are placed before launch, so
that `spaces` hands them to each child at once; others, and quantized ones (their kernels need the real GPU), are read
by a child when it first needs them and stay in it as long as it is kept.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, parse_candidate
from llmops.core.errors import LlmopsError, Stopped, rebuilt
from llmops.core.events import Event, Finished
from llmops.core.request import Connection, Generation, Job, Request
from llmops.core.run import Run
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.decoder import memory_check
from llmops.engines.decoder.engine import DecoderEngine, DecoderModel, find_folder, open_folder
from llmops.hardware import zerogpu
from llmops.hardware.machine import device_memory

_QUANTIZED = ("int8", "nf4")
_START_S = 15.0  # of a borrowed GPU: warm-up, prompt, label likelihoods
_TOKEN_S = 0.1
_READ_BYTES_PER_S = 1e9
_BATCH = 16  # texts that a GPU answers in about the time of one
_BATCH_NOTE = "The batch's time has in it what borrowing the GPU took."
_MEMORY_MARGIN = 1.2  # weights and what a run needs beside them

_placed: dict[str, DecoderModel] = {}  # made before launch; every child has them
_read: OrderedDict[str, DecoderModel] = OrderedDict()  # a child's own, least recently used first


class ZeroGpuDecoderEngine(DecoderEngine):
    """Makes ZeroGpuDecoderModels."""

    def load(  # type: ignore[override]
        self, candidate: Candidate, task: Task, job: Job
    ) -> "ZeroGpuDecoderModel":
        """Fetch; nothing is read yet. Raises LlmopsError with what would help."""
        if job.stop.is_set():
            raise Stopped("Stopped before loading.")
        folder, notes = find_folder(candidate.model, job, self._settings)
        memory_check.check_weights(folder, candidate, zerogpu.DEVICE)
        return ZeroGpuDecoderModel(candidate, folder, notes, self._settings.data_dir)


def make(settings: Settings) -> ZeroGpuDecoderEngine:
    """See engines.Engines."""
    return ZeroGpuDecoderEngine(settings)


@dataclass(frozen=True)
class ChildRun:
    """One run as plain data: what of a Request can cross to a child. No key, no token."""

    candidate: Candidate
    folder: str
    data_dir: str  # keeps quantized copies
    task: Task
    text: str
    language: str
    generation: Generation
    truncate: bool
    verdict_only: bool

    def request(self, stop: threading.Event) -> Request:
        """The request again, in the child."""
        return Request(
            self.task,
            self.text,
            self.language,
            self.generation,
            Connection(),
            stop,
            self.truncate,
            self.verdict_only,
        )


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
        asked_s = time.perf_counter()
        begun_s: float | None = None
        with closing(
            zerogpu.run_on_gpu(run_in_child, (self._job(request),), self._seconds([request]), request.stop)
        ) as events:
            for event in events:
                begun_s = event.at_s if begun_s is None else begun_s  # the clock is the machine's: it may be compared
                if isinstance(event, Finished):
                    self.weights_bytes = event.run.memory.weights_bytes or self.weights_bytes
                    read_s = 0.0 if event.run.warm else event.run.timing.load_s or 0.0
                    queue_s = max(0.0, begun_s - asked_s - read_s)
                    timing = replace(event.run.timing, queue_s=queue_s)
                    yield Finished(replace(event.run, timing=timing), at_s=event.at_s)
                else:
                    yield event

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """A batch in one child; see engines.base.BatchModel."""
        jobs = tuple(self._job(request) for request in requests)
        stop = requests[0].stop
        found = list(zerogpu.run_on_gpu(run_batch_in_child, (jobs,), self._seconds(requests), stop))
        if stop.is_set() or len(found) < len(requests):
            raise Stopped("Stopped while the batch was running.")
        return [
            rebuilt(*one) if isinstance(one, tuple) else replace(one, notes=(*one.notes, _BATCH_NOTE)) for one in found
        ]

    def close(self) -> None:
        """Nothing is held here; children end on their own."""

    def _job(self, request: Request) -> ChildRun:
        return ChildRun(
            self._candidate,
            str(self._folder),
            str(self._data_dir),
            request.task,
            request.text,
            request.language,
            request.generation,
            request.truncate,
            request.verdict_only,
        )

    def _seconds(self, requests: Sequence[Request]) -> float:
        reading = 0.0 if str(self._candidate) in _placed else (self.weights_bytes or 0) / _READ_BYTES_PER_S
        longest = max(request.generation.max_new_tokens for request in requests)
        return _START_S + reading + longest * _TOKEN_S * math.ceil(len(requests) / _BATCH)


def place(candidates: Sequence[str], settings: Settings) -> None:
    """Put unquantized decoders where `spaces` finds them. Before launch, in the main thread. Skips what can't be had.

    On the CPU first: transformers reads weights in threads, and a GPU that is not there is played in this one only.
    """
    for text in candidates:
        candidate = parse_candidate(text, model_kinds())
        if candidate.kind != Kind.DECODER or candidate.precision in _QUANTIZED:
            continue
        try:
            folder, notes = find_folder(candidate.model, Job(), settings)
            memory_check.check_weights(folder, candidate, "cpu")
            model = open_folder(folder, candidate, "cpu", notes, settings.data_dir)
        except LlmopsError:  # it will say why when it is asked for
            continue
        model.move(zerogpu.DEVICE)
        _placed[str(candidate)] = model


def run_in_child(job: ChildRun, stop: threading.Event) -> Iterator[Event]:
    """In the child: the model, read where it is not there, and its events as plain data."""
    model, warm = _model(job)
    with closing(model.run(job.request(stop))) as events:
        for event in events:
            if isinstance(event, Finished):
                run = replace(event.run, warm=warm, timing=replace(event.run.timing, load_s=model.load_s))
                yield Finished(replace(run, notes=(*model.notes, *run.notes)), at_s=event.at_s)
            else:
                yield event


def run_batch_in_child(jobs: tuple[ChildRun, ...], stop: threading.Event) -> Iterator[Run | tuple[str, str, str]]:
    """In the child: a batch of one model; a Run a job, in order, or its error as (kind, message, remedy)."""
    model, _ = _model(jobs[0])
    requests = [job.request(stop) for job in jobs]
    found = model.run_batch(requests) if model.can_batch else [_alone(model, request) for request in requests]
    for one in found:
        yield (one.kind, one.message, one.remedy) if isinstance(one, LlmopsError) else one


def _alone(model: DecoderModel, request: Request) -> Run | LlmopsError:
    """Where the architecture takes no batches: one after the other, and no time of its own is told."""
    try:
        with closing(model.run(request)) as events:
            run = next(event.run for event in events if isinstance(event, Finished))
    except Stopped:
        raise
    except LlmopsError as error:
        return error
    return replace(run, timing=replace(run.timing, ttft_s=None, e2e_s=None))


def _model(job: ChildRun) -> tuple[DecoderModel, bool]:
    key = str(job.candidate)
    known = _placed.get(key) or _read.get(key)
    if known is not None:
        if key in _read:
            _read.move_to_end(key)
        elif not known.warmed:
            known.warm_up()
        return known, True
    folder = Path(job.folder)
    needed = (memory_check.estimate(folder, job.candidate.precision or "bf16") or 0) * _MEMORY_MARGIN
    while _read and device_memory(zerogpu.DEVICE) < needed:
        _read.popitem(last=False)[1].close()
    memory_check.check_weights(folder, job.candidate, zerogpu.DEVICE)
    model = open_folder(folder, job.candidate, zerogpu.DEVICE, (), Path(job.data_dir))
    model.warm_up()
    _read[key] = model
    return model, False
