"""A long measurement behind a page: a generator in a thread, followed, stopped when the visitor leaves."""

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from llmops.api.programs import error_data
from llmops.core.errors import LlmopsError, TooMuch
from llmops.core.request import Connection, Job
from llmops.public.quotas import QUOTAS
from llmops.ui.visitor import asking

MANY = 64
"""How many callbacks of a kind may run at once: who waits does so in the device's fair queue, not in Gradio's."""
_POLL_S = 0.2


@dataclass(frozen=True)
class Progress:
    """A sentence, and a share 0..1 where known."""

    message: str
    fraction: float | None


@dataclass
class Work:
    """One visitor's measurement: its stop flag, and what came out so far."""

    stop: threading.Event = field(default_factory=threading.Event)
    results: list[Any] = field(default_factory=list)


def follow(work: Work, make: Callable[[Job], Iterable[Any]]) -> Iterator[Progress | Any]:
    """What `make(job)` yields, and Progress between; raises its LlmopsError. Closing it stops the work.

    It counts as one of the visitor's jobs: TooMuch is raised above what one visitor may have.
    """
    told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def report(message: str, fraction: float | None) -> None:
        told.put(("item", Progress(message, fraction)))

    def run() -> None:
        try:
            for item in make(Job(Connection(owner=asking().owner), report, work.stop)):
                told.put(("item", item))
            told.put(("end", None))
        except Exception as error:  # raised again where it is read
            told.put(("error", error))

    context = contextvars.copy_context()  # who asks: whose quota a lent GPU costs
    with QUOTAS.job(asking(), work.stop.set):
        threading.Thread(target=context.run, args=(run,), name="probe", daemon=True).start()
        try:
            yield from _drain(told)
        finally:
            work.stop.set()


def as_job(make: Callable[[Job], dict[str, Any]]) -> dict[str, Any]:
    """What `make(job)` answers a program, as one of the visitor's jobs; stopped when the program leaves."""
    visitor = asking()
    job = Job(Connection(owner=visitor.owner))
    try:
        with QUOTAS.job(visitor, job.stop.set):
            return make(job)
    except TooMuch as error:
        return error_data(error, None)


def _drain(told: "queue.SimpleQueue[tuple[str, Any]]") -> Iterator[Progress | Any]:
    last: Progress | None = None
    while True:
        try:
            kind, item = told.get(timeout=_POLL_S)
        except queue.Empty:
            if last is not None:
                yield last  # lets a reader that has left be noticed
            continue
        if kind == "end":
            return
        if kind == "error":
            if isinstance(item, LlmopsError):
                raise item
            raise LlmopsError(f"Something unforeseen went wrong ({type(item).__name__}: {item}).", "Retry.") from item
        last = item if isinstance(item, Progress) else last
        yield item
