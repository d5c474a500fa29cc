"""Where tensors are computed on a CPU: in one thread that stays, so that libgomp's workers for it stay too.

libgomp keeps workers for every thread that has computed. They spin for the next parallel region only while no more
threads are kept than there are processors, and those of an idle thread count: on 2 cores one such thread made a decode
step twice as long. Making workers anew for each run is no way out either: the first region then took up to 50 ms
(tests/benchmarks, NOTES). Callers that run side by side each get a lane.
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


class Lane:
    """A thread that does what it is given, one after the other."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._loop, name="lane", daemon=True).start()

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
        while (given := self._work.get()) is not None:
            work, future = given
            try:
                future.set_result(work())
            except BaseException as error:  # whoever waits must always hear of the end
                future.set_exception(error)
            del given, work, future  # nothing of a run is held while waiting for the next


_IDLE: list[Lane] = []
_GUARD = threading.Lock()
os.register_at_fork(after_in_child=_IDLE.clear)  # threads don't cross a fork


@contextmanager
def taken() -> Iterator[Lane]:
    """A lane to oneself: always the same one, unless it is in use."""
    with _GUARD:
        lane = _IDLE.pop() if _IDLE else Lane()
    try:
        yield lane
    finally:
        _put_back(lane)


def _put_back(lane: Lane) -> None:
    with _GUARD:
        if _IDLE:
            lane.end()
        else:
            _IDLE.append(lane)


def compute(work: Callable[[], T]) -> T:
    """Do it in a lane, and wait."""
    with taken() as lane:
        return lane.run(work)


@contextmanager
def aside() -> Iterator[None]:
    """For work that computes in threads of its own, or in the caller's: idle lanes keep no workers meanwhile."""
    rest()
    try:
        yield
    finally:
        give_back_workers()


def rest() -> None:
    """Let idle lanes give back their workers."""
    with _GUARD:
        idle = list(_IDLE)
        _IDLE.clear()  # nobody's work gets in between
    for lane in idle:
        lane.run(give_back_workers)
        _put_back(lane)
