"""Inside ZeroGPU's child: a process forked for a call, which has a GPU for some seconds.

Unquantized models of the preset are placed before launch, so that `spaces` hands them to each child at once; others,
and quantized ones (their kernels need the real GPU), are read by a child when it first needs them and stay in it as
long as it is kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, parse_candidate
from llmops.core.errors import LlmopsError, Stopped
from llmops.core.events import Event, Finished
from llmops.core.long_texts import LongTexts
from llmops.core.request import Connection, Generation, Job, Request
from llmops.core.run import Run
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.decoder import files, memory_check
from llmops.engines.decoder.engine import open_folder
from llmops.engines.decoder.model import DecoderModel
from llmops.hardware import zerogpu
from llmops.hardware.machine import device_memory

_QUANTIZED = ("int8", "nf4")
_MEMORY_MARGIN = 1.2  # weights and what a run needs beside them

_placed: dict[str, DecoderModel] = {}  # made before launch; every child has them
_loaded: OrderedDict[str, DecoderModel] = OrderedDict()  # a child's own, least recently used first


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
    long_texts: LongTexts
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
            self.long_texts,
            self.verdict_only,
        )


def is_placed(candidate: Candidate) -> bool:
    """True where every child has the model from its start."""
    return str(candidate) in _placed


def place_models(candidates: Sequence[str], settings: Settings) -> None:
    """Put unquantized decoders where `spaces` finds them. Before launch, in the main thread. Skips what can't be had.

    On the CPU first: transformers reads weights in threads, and a GPU that is not there is played in this one only.
    """
    for text in candidates:
        candidate = parse_candidate(text, model_kinds())
        if candidate.kind != Kind.DECODER or candidate.precision in _QUANTIZED:
            continue
        try:
            folder, notes = files.find_folder(candidate.model, Job(), settings)
            memory_check.check_weights(folder, candidate, "cpu")
            model = open_folder(folder, candidate, "cpu", notes, settings.data_dir)
        except LlmopsError:  # it will say why when it is asked for
            continue
        model.move(zerogpu.DEVICE)
        _placed[str(candidate)] = model


def run_in_child(child_run: ChildRun, stop: threading.Event) -> Iterator[Event]:
    """In the child: the model, read where it is not there, and its events as plain data."""
    model, warm = _model(child_run)
    with closing(model.run(child_run.request(stop))) as events:
        for event in events:
            if isinstance(event, Finished):
                run = replace(event.run, warm=warm, timing=replace(event.run.timing, load_s=model.load_s))
                yield Finished(replace(run, notes=(*model.notes, *run.notes)), at_s=event.at_s)
            else:
                yield event


def run_batch_in_child(child_runs: tuple[ChildRun, ...], stop: threading.Event) -> Iterator[Run | tuple[str, str, str]]:
    """In the child: a batch of one model; a Run each, in order, or its error as (kind, message, remedy)."""
    model, _ = _model(child_runs[0])
    requests = [child_run.request(stop) for child_run in child_runs]
    results = model.run_batch(requests) if model.can_batch else [_run_alone(model, request) for request in requests]
    for result in results:
        yield (result.kind, result.message, result.remedy) if isinstance(result, LlmopsError) else result


def _run_alone(model: DecoderModel, request: Request) -> Run | LlmopsError:
    """Where the architecture takes no batches: one after the other, and no time of its own is told."""
    try:
        with closing(model.run(request)) as events:
            run = next(event.run for event in events if isinstance(event, Finished))
    except Stopped:
        raise
    except LlmopsError as error:
        return error
    return replace(run, timing=replace(run.timing, ttft_s=None, e2e_s=None))


def _model(child_run: ChildRun) -> tuple[DecoderModel, bool]:
    key = str(child_run.candidate)
    held = _placed.get(key) or _loaded.get(key)
    if held is not None:
        if key in _loaded:
            _loaded.move_to_end(key)
        elif not held.warmed:
            held.warm_up()
        return held, True
    folder = Path(child_run.folder)
    needed = (memory_check.estimate(folder, child_run.candidate.precision or "bf16") or 0) * _MEMORY_MARGIN
    while _loaded and device_memory(zerogpu.DEVICE) < needed:
        _loaded.popitem(last=False)[1].close()
    memory_check.check_weights(folder, child_run.candidate, zerogpu.DEVICE)
    model = open_folder(folder, child_run.candidate, zerogpu.DEVICE, (), Path(child_run.data_dir))
    model.warm_up()
    _loaded[key] = model
    return model, False
