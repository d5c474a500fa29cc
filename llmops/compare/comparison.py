"""One text, many candidates → one stream of updates. Knows the pool and the engines, not the page.

Each column has a worker thread, so a slow candidate never paces a fast one. Local columns take their turn on the
device; remote ones run beside them. `updates` yields at least every 50 ms (a Tick when nothing happened), so that
whoever drains it can be cancelled soon; when it is closed, every worker is stopped.
"""

import contextvars
import logging
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, parse_candidate
from llmops.core.errors import EndpointError, LlmopsError, Stopped, cut_out, redact
from llmops.core.events import Event, Failed, Finished, Loaded, Loading, Queued, Token, Unloaded
from llmops.core.request import Connection, Generation, Request
from llmops.core.run import Memory, Run, RunError
from llmops.core.task import Task
from llmops.runtime.fair_queue import Turn
from llmops.runtime.pool import Lease, Pool

_TICK_S = 0.05
# Some stages (quantizing a large layer, a library's own download) can't be interrupted at once. The column is given
# up after this; its thread ends on its own, keeping its place on the device until then.
_GRACE_S = 5.0
Emit = Callable[[Event], None]
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
            "local_only": self.connection.local_only,
        }


@dataclass(frozen=True)
class Update:
    """Something happened in a column."""

    column: int
    event: Event


@dataclass(frozen=True)
class Tick:
    """Nothing happened for 50 ms."""


@dataclass(eq=False)
class _Worker:
    """One attempt at one column."""

    stop: threading.Event
    thread: threading.Thread
    stopped_s: float | None = None  # when Stop was pressed
    through: bool = False

    @property
    def alive(self) -> bool:
        """True until it has told all that it has to tell."""
        return not self.through and self.thread.is_alive()

    @property
    def holds_up(self) -> bool:
        """True while a reader should wait for it: not once it ignored a Stop for longer than the grace."""
        if not self.alive:
            return False
        return self.stopped_s is None or time.perf_counter() - self.stopped_s < _GRACE_S


class Comparison:
    """One text through several candidates at once. One reader drains `updates`; others may stop or retry."""

    def __init__(self, pool: Pool, task: Task, text: str, candidates: Sequence[str], options: Options) -> None:
        task.prompt(options.language)
        self.task, self.text, self.options = task, text, options
        self.candidates = tuple(candidates)
        self._pool = pool
        self._events: queue.SimpleQueue[tuple[_Worker, int, Event | None]] = queue.SimpleQueue()  # None: through
        self._workers: dict[int, _Worker] = {}
        self._guard = threading.Lock()
        self.reading = False

    def start(self) -> None:
        """Begin every column."""
        for column in range(len(self.candidates)):
            self._begin(column)

    def retry(self, column: int, options: Options) -> None:
        """Run one column again, with the options of now; the old attempt is stopped and its events are dropped."""
        self.stop(column)
        self.options = options
        self._begin(column)

    def forget_secrets(self) -> None:
        """Drop keys and tokens: called when the run is over, so that nothing kept for a retry holds one."""
        self.options = replace(self.options, connection=Connection())

    def stop(self, column: int | None = None) -> None:
        """Stop one column, or all."""
        with self._guard:
            chosen = list(self._workers.values()) if column is None else [self._workers.get(column)]
        for worker in chosen:
            if worker is not None and not worker.stop.is_set():
                worker.stopped_s = time.perf_counter()
                worker.stop.set()

    @property
    def running(self) -> bool:
        """True while a worker lives or events wait to be read."""
        with self._guard:
            held_up = any(worker.holds_up for worker in self._workers.values())
        return held_up or not self._events.empty()

    def updates(self) -> Generator[Update | Tick, None, None]:
        """Events of all columns as they come, until every column has ended. Closing it stops what runs."""
        self.reading = True
        try:
            while True:
                running = self.running
                try:
                    worker, column, event = self._events.get(timeout=_TICK_S if running else 0)
                except queue.Empty:
                    if not running:
                        yield from self._given_up()
                        return
                    yield Tick()
                    continue
                if event is not None and self._workers.get(column) is worker:
                    yield Update(column, event)
        finally:
            self.reading = False
            self.stop()

    def _given_up(self) -> list[Update]:
        """A failure for each column whose thread ignored Stop; what it still emits is not read."""
        with self._guard:
            stuck = [column for column, worker in self._workers.items() if worker.alive]
        message = "Stopped. The step it was in can't be interrupted and ends in the background."
        blank = [(column, Run(self.candidates[column], settings=self.options.record())) for column in stuck]
        return [Update(column, _failure(run, Stopped(message), ())) for column, run in blank]

    def _begin(self, column: int) -> None:
        text = self.candidates[column]
        options = self.options
        candidate: Candidate | Exception
        place: Turn | None = None
        try:
            candidate = parse_candidate(text, model_kinds()).owned_by(options.connection.owner)
            place = self._enter(candidate, options) if self._pool.is_here(candidate, self.task) else None
        except Exception as caught:  # a missing library too: it is the column's own failure, told by its worker
            candidate = caught
        context = contextvars.copy_context()  # who asks: whose quota a lent GPU costs
        thread = threading.Thread(
            target=lambda: context.run(self._work, worker, column, candidate, options, place),
            name=f"column-{column}",
            daemon=True,
        )
        worker = _Worker(threading.Event(), thread)
        with self._guard:
            self._workers[column] = worker
        thread.start()

    def _enter(self, candidate: Candidate, options: Options) -> Turn | None:
        """A place in the device's queue; None where there is none to take."""
        device = self._pool.device(candidate, options.connection)
        return None if options.all_at_once else self._pool.enter(device, options.connection.owner)

    def _work(
        self,
        worker: _Worker,
        column: int,
        candidate: Candidate | Exception,
        options: Options,
        place: Turn | None,
    ) -> None:
        def emit(event: Event) -> None:
            self._events.put((worker, column, event))

        try:
            if isinstance(candidate, Exception):
                raise candidate
            attempt = _Attempt(self._pool, self.task, self.text, candidate, options, worker.stop, emit)
            if place is None:  # files come first: who waits for them must not be given the device
                attempt.fetch()
                place = self._enter(candidate, options)
            attempt.run(place)
        except Exception as caught:
            blank = Run(self.candidates[column], settings=options.record())
            emit(_failure(blank, caught, options.connection.secrets))
        finally:
            if place is not None:
                place.leave()
            worker.through = True
            self._events.put((worker, column, None))


@dataclass
class _Attempt:
    """One candidate's way from the device's queue to its finished run, in the worker's thread."""

    pool: Pool
    task: Task
    text: str
    candidate: Candidate
    options: Options
    stop: threading.Event
    emit: Emit

    def report(self, message: str, fraction: float | None) -> None:
        """Progress of fetching and loading."""
        self.emit(Loading(message, fraction))

    def fetch(self) -> None:
        """Fetch what is not on this machine. Raises what loading raises for want of it."""
        self.pool.fetch(self.candidate, self.task, self.options.connection, self.report, self.stop)

    def run(self, place: Turn | None) -> None:
        """Wait, load, measure, and unload where asked."""
        started = time.perf_counter()
        if place is not None:
            place.wait(self.stop, lambda ahead: self.emit(Queued(ahead.turns, ahead.seconds)))
        waited_s = time.perf_counter() - started
        connection = self.options.connection
        with self.pool.lease(self.candidate, self.task, connection, self.report, self.stop) as lease:
            self.emit(Loaded(None if lease.warm else lease.load_s, lease.model.weights_bytes, lease.model.device))
            if self.stop.is_set():
                raise Stopped("Stopped before the run.")
            last = self._measure(lease, waited_s)
        if self.options.unload_after and self.candidate.is_local:
            left = self.pool.unload(self.candidate, self.task)
            self.emit(Unloaded(left))
            last = replace(last, run=replace(last.run, memory=replace(last.run.memory, left_bytes=left)))
        self.emit(last)

    def _measure(self, lease: Lease, waited_s: float) -> Finished | Failed:
        """Drain the model's events; the finished run gets load and queue time, the candidate's name and notes."""
        options = self.options
        request = Request(
            self.task, self.text, options.language, options.generation, options.connection, self.stop, options.truncate
        )
        partial: list[str] = []
        begun = self.pool.fetching.mark()
        try:
            with closing(lease.model.run(request)) as events:
                for event in events:
                    if isinstance(event, Finished):
                        beside = self.candidate.is_local and self.pool.fetching.since(begun)
                        return Finished(self._complete(event.run, lease, waited_s, beside), at_s=event.at_s)
                    if isinstance(event, Token):
                        partial.append(event.text)
                    self.emit(event)
            raise EndpointError("The run ended without a result.", "Retry.")
        except Exception as caught:
            memory = Memory(weights_bytes=lease.model.weights_bytes, device=lease.model.device)
            known = Run(
                str(self.candidate),
                text=cut_out("".join(partial), options.connection.secrets),
                memory=memory,
                settings=self.options.record(),
            )
            return _failure(known, caught, options.connection.secrets)

    def _complete(self, run: Run, lease: Lease, waited_s: float, beside_fetching: bool) -> Run:
        # A run on a lent GPU tells itself what it waited, and whether its model was there; elsewhere the pool knows.
        told = run.timing
        lent = told.load_s is not None
        queue_s = waited_s + lease.waited_s + (told.queue_s or 0)
        timing = replace(told, load_s=told.load_s if lent else lease.load_s, queue_s=queue_s)
        notes = (*lease.model.notes, *run.notes)
        if run.finish == "length":
            most = self.options.generation.max_new_tokens
            notes = (*notes, f"The answer was cut off at {most:,} new tokens (run settings, max new tokens).")
        if self.options.all_at_once:
            notes = (*notes, "Ran beside other local models: the times disturb each other.")
        if beside_fetching:
            notes = (*notes, "Another model was being fetched meanwhile, which may have slowed this run.")
        known: dict[str, Any] = {
            "timing": timing,
            "warm": run.warm if lent else lease.warm,
            "notes": notes,
            "settings": self.options.record(),
        }
        return replace(run, candidate=str(self.candidate), **known)


def _failure(run: Run, caught: Exception, secrets: tuple[str, ...]) -> Failed:
    """An exception as the column's own error, without secrets."""
    if isinstance(caught, LlmopsError):
        error = RunError(caught.kind, redact(caught.message, secrets), redact(caught.remedy, secrets))
    else:
        detail = redact(f"{type(caught).__name__}: {caught}", secrets)[:500]
        _log.error("unexpected failure of %s: %s", run.candidate, detail)
        error = RunError("unexpected", f"Something unforeseen went wrong ({detail}).", "Retry; if it stays, report it.")
    return Failed(replace(run, error=error), error)


def run_all(comparison: Comparison, ended: Callable[[int, Run], None] | None = None) -> list[Run]:
    """Start a comparison, drain it, and return one run a column, in order; `ended(column, run)` is told of each."""
    comparison.start()
    runs: dict[int, Run] = {}
    with closing(comparison.updates()) as updates:
        for update in updates:
            if isinstance(update, Update) and isinstance(update.event, Finished | Failed):
                runs[update.column] = update.event.run
                if ended is not None:
                    ended(update.column, update.event.run)
    comparison.forget_secrets()
    return [runs[column] for column in range(len(comparison.candidates))]
