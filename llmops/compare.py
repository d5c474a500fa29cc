"""One text, many candidates → one stream of updates. Knows the pool and the engines, not the page.

Each column has a worker thread, so a slow candidate never paces a fast one. Local columns take their turn on the device;
remote ones run beside them. `updates` yields at least every 50 ms (a Tick when nothing happened), so that
whoever drains it can be cancelled soon; when it is closed, every worker is stopped.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.candidate import Candidate
from llmops.engines.base import Connection, Generation, Request
from llmops.errors import InputError, LlmopsError, Stopped, redact
from llmops.events import Event, Failed, Finished, Loaded, Loading, Queued, Unloaded
from llmops.pool import Lease, Place, Pool
from llmops.run import Memory, Run, RunError
from llmops.task import Task

_TICK_S = 0.05
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How a comparison runs.

    all_at_once: local models don't wait for each other (timings then disturb each other, and the record says so).
    unload_after: free each local model after its run, and report what stays behind.
    """

    language: str
    generation: Generation = field(default_factory=Generation)
    connection: Connection = field(default_factory=Connection)
    truncate: bool = False
    all_at_once: bool = False
    unload_after: bool = False

    def record(self) -> dict[str, Any]:
        """The settings a run keeps: no key, no address."""
        return {
            "language": self.language,
            "max_new_tokens": self.generation.max_new_tokens,
            "temperature": self.generation.temperature,
            "seed": self.generation.seed,
            "truncate": self.truncate,
            "all_at_once": self.all_at_once,
            "unload_after": self.unload_after,
        }


@dataclass(frozen=True)
class Update:
    """Something happened in a column."""

    column: int
    event: Event


@dataclass(frozen=True)
class Tick:
    """Nothing happened for 50 ms."""


@dataclass
class _Worker:
    stop: threading.Event
    thread: threading.Thread
    queue: "queue.SimpleQueue[tuple[_Worker, int, Event]]"


def check_text(text: str, max_chars: int) -> str:
    """The text as it will be sent: NUL and other control characters out, line breaks and tabs kept.

    Raises InputError for nothing but white space, and above max_chars.
    """
    cleaned = "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127 and not 0xD800 <= ord(c) < 0xE000))
    if not cleaned.strip():
        raise InputError("The text is empty.", "Type a text or click an example.")
    if len(cleaned) > max_chars:
        raise InputError(
            f"The text has {len(cleaned):,} characters; at most {max_chars:,} are read.", "Shorten the text."
        )
    return cleaned


class Comparison:
    """One text through several candidates at once. One reader drains `updates`; others may stop or retry."""

    def __init__(self, pool: Pool, task: Task, text: str, candidates: Sequence[Candidate], options: Options) -> None:
        task.prompt(options.language)
        self.task, self.text, self.options = task, text, options
        self.candidates = tuple(candidates)
        self._pool = pool
        self._events: queue.SimpleQueue[tuple[_Worker, int, Event]] = queue.SimpleQueue()
        self._workers: dict[int, _Worker] = {}
        self._guard = threading.Lock()
        self.reading = False

    def start(self) -> None:
        """Begin every column."""
        for column in range(len(self.candidates)):
            self._begin(column)

    def retry(self, column: int) -> None:
        """Run one column again; the old attempt is stopped and its events are dropped."""
        self.stop(column)
        self._begin(column)

    def stop(self, column: int | None = None) -> None:
        """Stop one column, or all."""
        with self._guard:
            chosen = list(self._workers.values()) if column is None else [self._workers.get(column)]
        for worker in chosen:
            if worker is not None:
                worker.stop.set()

    @property
    def running(self) -> bool:
        """True while a worker lives or events wait to be read."""
        with self._guard:
            alive = any(worker.thread.is_alive() for worker in self._workers.values())
        return alive or not self._events.empty()

    def updates(self) -> Iterator[Update | Tick]:
        """Events of all columns as they come, until every column has ended. Closing it stops what runs."""
        self.reading = True
        try:
            while True:
                running = self.running
                try:
                    worker, column, event = self._events.get(timeout=_TICK_S)
                except queue.Empty:
                    if not running:
                        return
                    yield Tick()
                    continue
                if self._workers.get(column) is worker:
                    yield Update(column, event)
        finally:
            self.reading = False
            self.stop()

    def _begin(self, column: int) -> None:
        candidate = self.candidates[column]
        stop = threading.Event()
        place: Place | None = None
        error: LlmopsError | None = None
        try:
            device = self._pool.device(candidate, self.options.connection)
            place = None if self.options.all_at_once else self._pool.enter(device)
        except LlmopsError as caught:
            error = caught
        thread = threading.Thread(
            target=lambda: self._work(worker, column, place, error), name=f"column-{column}", daemon=True
        )
        worker = _Worker(stop, thread, self._events)
        with self._guard:
            self._workers[column] = worker
        thread.start()

    def _work(self, worker: _Worker, column: int, place: Place | None, error: LlmopsError | None) -> None:
        candidate = self.candidates[column]

        def emit(event: Event) -> None:
            worker.queue.put((worker, column, event))

        blank = Run(str(candidate), settings=self.options.record())
        try:
            if error is not None:
                raise error
            self._run(candidate, worker.stop, place, emit, blank)
        except Exception as caught:
            emit(_failure(blank, caught, self.options.connection.secrets))
        finally:
            if place is not None:
                place.leave()

    def _run(self, candidate: Candidate, stop: threading.Event, place: Place | None, emit: Any, blank: Run) -> None:
        started = time.perf_counter()
        if place is not None:
            place.wait(stop, lambda ahead: emit(Queued(ahead)))
        waited_s = time.perf_counter() - started
        connection = self.options.connection

        def report(message: str, fraction: float | None) -> None:
            emit(Loading(message, fraction))

        with self._pool.lease(candidate, self.task, connection, report, stop) as lease:
            emit(Loaded(lease.load_s, lease.model.weights_bytes, lease.model.device))
            if stop.is_set():
                raise Stopped("Stopped before the run.")
            run = self._measure(lease, waited_s, stop, emit, blank)
        if run is None or not (self.options.unload_after and candidate.is_local):
            return
        left = self._pool.unload(candidate, self.task)
        run = replace(run, memory=replace(run.memory, left_bytes=left))
        emit(Unloaded(left))
        emit(Finished(run))

    def _measure(self, lease: Lease, waited_s: float, stop: threading.Event, emit: Any, blank: Run) -> Run | None:
        """Drain the model's events; the finished run gets load and queue time, the candidate's name and notes."""
        options = self.options
        request = Request(
            self.task, self.text, options.language, options.generation, options.connection, stop, options.truncate
        )
        run = None
        partial: list[str] = []
        try:
            with closing(lease.model.run(request)) as events:  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Finished):
                        run = self._complete(event.run, lease, waited_s, blank)
                        emit(Finished(run, at_s=event.at_s))
                    else:
                        partial.append(getattr(event, "text", ""))
                        emit(event)
        except Exception as caught:
            known = replace(blank, text="".join(partial), memory=_memory(lease))
            emit(_failure(known, caught, options.connection.secrets))
        return run

    def _complete(self, run: Run, lease: Lease, waited_s: float, blank: Run) -> Run:
        timing = replace(run.timing, load_s=lease.load_s, queue_s=waited_s + lease.waited_s)
        notes = (*lease.model.notes, *run.notes)
        if self.options.all_at_once:
            notes = (*notes, "Ran beside other local models: the times disturb each other.")
        return replace(run, candidate=blank.candidate, timing=timing, notes=notes, settings=blank.settings)


def _memory(lease: Lease) -> Memory:
    return Memory(weights_bytes=lease.model.weights_bytes, device=lease.model.device)


def _failure(run: Run, caught: Exception, secrets: tuple[str, ...]) -> Failed:
    """An exception as the column's own error, without secrets."""
    if isinstance(caught, LlmopsError):
        error = RunError(caught.kind, redact(caught.message, secrets), redact(caught.remedy, secrets))
    else:
        detail = redact(f"{type(caught).__name__}: {caught}", secrets)[:500]
        _log.error("unexpected failure of %s: %s", run.candidate, detail)
        error = RunError("unexpected", f"Something unforeseen went wrong ({detail}).", "Retry; if it stays, report it.")
    return Failed(replace(run, error=error), error)
