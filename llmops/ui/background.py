"""Long work behind a page: a generator in a thread, followed step by step, stopped when its visitor leaves.

Whoever follows paints each `Step`; what the work is, it knows nothing of.
"""

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import gradio as gr

from llmops.api.context import error_data
from llmops.core.errors import TooMuch
from llmops.core.failures import as_run_error
from llmops.core.request import Connection, Job
from llmops.core.run import RunError
from llmops.ui import render
from llmops.ui.events import QUIET
from llmops.ui.services import Services

Result = TypeVar("Result")
_POLL_S = 0.2


@dataclass(frozen=True)
class JobProgress:
    """A sentence, and a share 0..1 where known."""

    message: str
    fraction: float | None


@dataclass
class BackgroundJob:
    """A visitor's work, as its page's session holds it."""

    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Step(Generic[Result]):
    """Where a job is: the result that has just come, all so far, the newest progress; at the end, whether it failed."""

    job: BackgroundJob
    result: Result | None = None
    results: list[Result] = field(default_factory=list)
    progress: JobProgress | None = None
    ended: bool = False
    error: RunError | None = None

    def status(self, done: str = "") -> str:
        """How it is going, as HTML. done: the sentence once it has ended well."""
        if self.error is not None:
            return render.problem(self.error)
        if self.ended:
            return render.message(done) if done else ""
        if self.progress is None:
            return render.message("starting")
        return render.progress(self.progress.message, self.progress.fraction or 0)


def follow(
    services: Services,
    previous: BackgroundJob | None,
    work: Callable[[Job], Iterable[Result]],
    connection: Connection | None = None,
) -> Iterator[Step[Result]]:
    """A step at once, then one at each result of `work(job)` and each progress, and a last one that has ended.

    previous: the same visitor's job before it, which is stopped. connection: the job's. Closing it stops the work. It
    counts as one of the visitor's jobs: above what one visitor may have, the last step holds TooMuch.
    """
    stop(previous)
    connection = connection or Connection(owner=services.asking().owner)
    step: Step[Result] = Step(BackgroundJob())
    yield step
    try:
        for item in _in_thread(services, work, connection, step.job.stop):
            if isinstance(item, JobProgress):
                step = replace(step, result=None, progress=item)
            else:
                step.results.append(item)
                step = replace(step, result=item)
            yield step
    except Exception as error:  # noqa: BLE001  the edge: as_run_error logs it
        step = replace(step, error=as_run_error(error, "a job of the page", connection.secrets))
    yield replace(step, result=None, ended=True)


def stop(job: BackgroundJob | None) -> None:
    """End a visitor's job, where there is one."""
    if job is not None:
        job.stop.set()


def wire_stop(button: gr.Button, job: gr.State) -> None:
    """Let a button stop the job that a session holds."""
    button.click(stop, job, None, queue=False, **QUIET)


def as_job(services: Services, work: Callable[[Job], dict[str, Any]]) -> dict[str, Any]:
    """What `work(job)` answers a program, as one of the visitor's jobs; stopped when the program leaves."""
    visitor = services.asking()
    job = Job(Connection(owner=visitor.owner))
    try:
        with services.quotas.job(visitor, job.stop.set):
            return work(job)
    except TooMuch as error:
        return error_data(error, "a job of a program")


def _in_thread(
    services: Services, work: Callable[[Job], Iterable[Any]], connection: Connection, stop: threading.Event
) -> Iterator[JobProgress | Any]:
    """Results of `work(job)` and its progress, as they come; raises what it raises. Closing it stops the work."""
    items: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def report(message: str, fraction: float | None) -> None:
        items.put(("item", JobProgress(message, fraction)))

    def run() -> None:
        try:
            for result in work(Job(connection, report, stop)):
                items.put(("item", result))
            items.put(("end", None))
        except Exception as error:  # noqa: BLE001  raised again where it is read
            items.put(("error", error))

    context = contextvars.copy_context()  # who asks: whose quota a lent GPU costs
    with services.quotas.job(services.asking(), stop.set):
        threading.Thread(target=context.run, args=(run,), name="background-job", daemon=True).start()
        try:
            yield from _read(items)
        finally:
            stop.set()


def _read(items: "queue.SimpleQueue[tuple[str, Any]]") -> Iterator[JobProgress | Any]:
    last: JobProgress | None = None
    while True:
        try:
            kind, item = items.get(timeout=_POLL_S)
        except queue.Empty:
            if last is not None:
                yield last  # lets a reader that has left be noticed
            continue
        if kind == "end":
            return
        if kind == "error":
            raise item
        last = item if isinstance(item, JobProgress) else last
        yield item
