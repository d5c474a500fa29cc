"""Where tensors are computed on a CPU: in one thread that stays, so that libgomp's workers for it stay too.

libgomp keeps workers for every thread that has computed. They spin for the next parallel region only while no more
threads are kept than there are processors, and those of an idle thread count: on 2 cores one such thread made a decode
step twice as long. Making workers anew for each run is no way out either: the first region then took up to 50 ms
(tests/benchmarks, NOTES). Callers that run side by side get a thread each.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from llmops.compat.openmp import give_back_workers

T = TypeVar("T")


class ComputeThread:
    """A thread that does what it is given, one after the other."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._loop, name="compute", daemon=True).start()

    def start(self, work: Callable[[], T]) -> "Future[T]":
        """Begin; what it returns or raises is in the future."""
        future: Future[T] = Future()
        self._work.put((work, future))
        return future

    def run(self, work: Callable[[], T]) -> T:
        """Do it, and wait."""
        return self.start(work).result()

    def end(self) -> None:
        """Let the thread end once it is through."""
        self._work.put(None)

    def _loop(self) -> None:
        while (queued := self._work.get()) is not None:
            work, future = queued
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  raised to who waits and must always hear of the end
                future.set_exception(error)
            del queued, work, future  # nothing of a run is held while waiting for the next


_IDLE: list[ComputeThread] = []
_GUARD = threading.Lock()
os.register_at_fork(after_in_child=_IDLE.clear)  # threads don't cross a fork


@contextmanager
def compute_thread() -> Iterator[ComputeThread]:
    """A compute thread to oneself: always the same one, unless it is in use."""
    with _GUARD:
        thread = _IDLE.pop() if _IDLE else ComputeThread()
    try:
        yield thread
    finally:
        _put_back(thread)


def _put_back(thread: ComputeThread) -> None:
    with _GUARD:
        if _IDLE:
            thread.end()
        else:
            _IDLE.append(thread)


def compute(work: Callable[[], T]) -> T:
    """Do it in a compute thread, and wait."""
    with compute_thread() as thread:
        return thread.run(work)


@contextmanager
def without_idle_workers() -> Iterator[None]:
    """For work that computes in threads of its own, or in the caller's: idle ones keep no workers meanwhile."""
    give_back_idle_workers()
    try:
        yield
    finally:
        give_back_workers()


def give_back_idle_workers() -> None:
    """Idle compute threads give back theirs."""
    with _GUARD:
        idle = list(_IDLE)
        _IDLE.clear()  # nobody's work gets in between
    for thread in idle:
        thread.run(give_back_workers)
        _put_back(thread)
