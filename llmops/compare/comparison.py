"""One text, many candidates → one stream of updates. Knows the pool and the engines, not the page.

Each column has a worker thread, so a slow candidate never paces a fast one. Local columns take their turn on the
device; remote ones run beside them. `updates` yields at least every 50 ms (a Tick when nothing happened), so that
whoever drains it can be cancelled soon; when it is closed, every worker is stopped.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, parse_candidate
from llmops.core.errors import Stopped
from llmops.core.events import Event, Failed, Finished, Loaded, Loading, Queued, Unloaded, ending
from llmops.core.request import Connection, Job, Request
from llmops.core.run import Run
from llmops.core.run_settings import RunSettings
from llmops.core.task import Task
from llmops.runtime.executor import Emit, execute, never_ran
from llmops.runtime.fair_queue import Turn
from llmops.runtime.pool import Pool

_TICK_S = 0.05
# Some stages (quantizing a large layer, a library's own download) can't be interrupted at once. The column is given
# up after this; its thread ends on its own, keeping its place on the device until then.
_GRACE_S = 5.0


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

    def __init__(self, pool: Pool, task: Task, text: str, candidates: Sequence[str], options: RunSettings) -> None:
        task.prompt(options.language)
        self.task, self.text, self.options = task, text, options
        self.candidates = tuple(candidates)
        self._pool = pool
        self._events: queue.SimpleQueue[tuple[_Worker, int, Event | None]] = queue.SimpleQueue()  # None: through
        self._workers: dict[int, _Worker] = {}
        self._guard = threading.Lock()
        self._reader: object | None = None  # whoever drains `updates`; None once it has found that all has ended

    def start(self) -> None:
        """Begin every column."""
        for column in range(len(self.candidates)):
            self._begin(column)

    def retry(self, column: int, options: RunSettings) -> bool:
        """Run one column again, with the settings of now; the old attempt is stopped and its events are dropped.

        True where whoever drains `updates` goes on with it; else it must be drained anew.
        """
        self.stop(column)
        self.options = options
        return self._begin(column)

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
    def reading(self) -> bool:
        """True while somebody drains `updates`. May have changed when it is read: `retry` tells for certain."""
        return self._reader is not None

    def updates(self) -> Generator[Update | Tick, None, None]:
        """Events of all columns as they come, until every column has ended. Closing it stops what runs."""
        reader = object()
        with self._guard:
            self._reader = reader
        try:
            while True:
                try:
                    worker, column, event = self._events.get(timeout=_TICK_S)
                except queue.Empty:
                    if self._leave_if_ended():
                        yield from self._given_up()
                        return
                    yield Tick()
                    continue
                if event is not None and self._workers.get(column) is worker:
                    yield Update(column, event)
                elif event is None and self._leave_if_ended():
                    yield from self._given_up()
                    return
        finally:
            with self._guard:
                left_early = self._reader is reader
                self._reader = None if left_early else self._reader
            if left_early:
                self.stop()

    def _leave_if_ended(self) -> bool:
        """True where nothing is left to read; nobody reads from then on, so a retry does not count on it."""
        with self._guard:
            ended = self._events.empty() and not any(worker.holds_up for worker in self._workers.values())
            if ended:
                self._reader = None
            return ended

    def _given_up(self) -> list[Update]:
        """A failure for each column whose thread ignored Stop; what it still emits is not read."""
        with self._guard:
            stuck = [
                column for column, worker in self._workers.items() if worker.alive and worker.stopped_s is not None
            ]
        stopped = Stopped("Stopped. The step it was in can't be interrupted and ends in the background.")
        return [Update(column, ending(never_ran(self.candidates[column], self.options, stopped))) for column in stuck]

    def _begin(self, column: int) -> bool:
        """Start a column's thread; True where somebody reads what it will tell."""
        text = self.candidates[column]
        options = self.options
        candidate: Candidate | Exception
        turn: Turn | None = None
        try:
            candidate = parse_candidate(text, model_kinds()).owned_by(options.connection.owner)
            turn = self._enter(candidate, options) if self._pool.is_here(candidate, self.task) else None
        except Exception as caught:  # noqa: BLE001  raised in the column's thread
            candidate = caught
        context = contextvars.copy_context()  # who asks: whose quota a lent GPU costs
        thread = threading.Thread(
            target=lambda: context.run(self._work, worker, column, candidate, options, turn),
            name=f"column-{column}",
            daemon=True,
        )
        worker = _Worker(threading.Event(), thread)
        with self._guard:
            self._workers[column] = worker
            read = self._reader is not None
        thread.start()
        return read

    def _enter(self, candidate: Candidate, options: RunSettings) -> Turn | None:
        """A place in the device's queue; None where there is none to take."""
        device = self._pool.device(candidate, options.connection)
        return None if options.all_at_once else self._pool.queues.enter(device, options.connection.owner)

    def _work(
        self,
        worker: _Worker,
        column: int,
        candidate: Candidate | Exception,
        options: RunSettings,
        turn: Turn | None,
    ) -> None:
        """One attempt, in the worker's thread: its events, and at the end None."""

        def emit(event: Event) -> None:
            self._events.put((worker, column, event))

        try:
            if isinstance(candidate, Exception):
                raise candidate
            run = self._attempt(candidate, options, turn, worker.stop, emit)
        except Exception as caught:  # noqa: BLE001  the column's end: never_ran logs it
            run = never_ran(self.candidates[column], options, caught)
        finally:
            if turn is not None:
                turn.leave()
        emit(ending(run))
        worker.through = True
        self._events.put((worker, column, None))

    def _attempt(
        self, candidate: Candidate, options: RunSettings, turn: Turn | None, stop: threading.Event, emit: Emit
    ) -> Run:
        """From the files to the finished run. Raises what waiting, fetching and loading raise."""

        def report(message: str, fraction: float | None) -> None:
            emit(Loading(message, fraction))

        job = Job(options.connection, report, stop, lambda ahead: emit(Queued(ahead.turns, ahead.seconds)))
        if turn is None:  # files come first: who waits for them must not be given the device
            self._pool.fetch(candidate, self.task, job)
            turn = self._enter(candidate, options)
        with self._pool.queues.wait(turn, job) as queue_s:
            with self._pool.lease(candidate, self.task, job, queue_s) as lease:
                emit(Loaded(None if lease.warm else lease.load_s, lease.model.weights_bytes, lease.model.device))
                request = Request(
                    self.task, self.text, options.language, options.generation, options.connection, stop,
                    options.long_texts,
                )  # fmt: skip
                run = execute(lease, request, options, emit)
            if options.unload_after and candidate.is_local:
                left_bytes = self._pool.unload(candidate, self.task)
                emit(Unloaded(left_bytes))
                run = replace(run, memory=replace(run.memory, left_bytes=left_bytes))
        return run


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
