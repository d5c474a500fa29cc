"""A fair queue for each device, and what is done in a turn. Knows no model."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from llmops.compat.openmp import give_back_workers
from llmops.core.request import Job
from llmops.hardware.openmp_threads import give_back_idle_workers, without_idle_workers
from llmops.runtime.fair_queue import FairQueue, Turn

REMOTE = "remote"
"""The device of what runs elsewhere: it has no queue here."""
AND = "+"  # between the devices of a cascade whose stages run on two
_SLICE_S = 2.0


class DeviceQueues:
    """The process's devices. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._lines: dict[str, FairQueue] = {}

    def enter(self, device: str, owner: str = "") -> Turn | None:
        """A visitor's place in the queue of each device named; None for `remote`, which has none."""
        if device == REMOTE:
            return None
        with self._guard:
            # In one order for all, so that two callers who share two queues never wait for each other.
            lines = [self._lines.setdefault(name, FairQueue()) for name in sorted(device.split(AND))]
        return Turn(lines, owner)

    @contextmanager
    def turn(self, device: str, job: Job) -> Iterator[float]:
        """The device to oneself, when it is this visitor's turn; at once for `remote`. Raises Stopped while waiting.

        Yields the seconds that it waited.
        """
        with self.wait(self.enter(device, job.owner), job) as queue_s:
            yield queue_s

    @contextmanager
    def wait(self, turn: Turn | None, job: Job) -> Iterator[float]:
        """The same for a place that is taken already; None: no device is to be waited for."""
        started_s = time.perf_counter()
        try:
            if turn is not None:
                turn.wait(job.stop, job.queued)
            yield time.perf_counter() - started_s
        finally:
            if turn is not None:
                turn.leave()

    @contextmanager
    def slices(self, device: str, job: Job) -> Iterator[Callable[[], None]]:
        """A turn for work that has no end of its own, such as a training.

        Whoever works calls what is yielded between two steps: it gives the device up and takes the next turn, once the
        work has had it for some seconds. Raises Stopped while waiting.
        """
        turns = ExitStack()

        def take() -> float:
            turns.enter_context(self.turn(device, job))
            return time.perf_counter()

        since_s = take()

        def yield_turn() -> None:
            nonlocal since_s
            if time.perf_counter() - since_s > _SLICE_S:
                give_back_workers()
                turns.close()
                since_s = take()
                give_back_idle_workers()

        with turns, without_idle_workers():
            yield yield_turn
