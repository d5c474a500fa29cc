"""Files that only a hub has are fetched before a turn on a device is taken, so that others run meanwhile.

One transfer of a model at a time: whoever else wants it sees how far it is. What to fetch, and how, is the engines'
part.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from llmops.core.request import Job, Report

_POLL_S = 0.05


@dataclass
class _Transfer:
    """`lock` is held by who fetches; `reports` are of all who want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    reports: list[Report] = field(default_factory=list)

    def tell(self, message: str, fraction: float | None) -> None:
        for report in list(self.reports):
            report(message, fraction)


class Transfers:
    """The process's transfers. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._transfers: dict[str, _Transfer] = {}
        self._begun, self._running = 0, 0

    def fetch(self, model: str, here: Callable[[], bool], way: Callable[[Report], None], job: Job) -> None:
        """Call `way` where a model is not `here`, once whoever fetches it has ended. Raises what it raises; Stopped."""
        with self._wanted(model, job.report) as transfer:
            while not transfer.lock.acquire(timeout=_POLL_S):
                job.check("Stopped while another run fetched the model.")
            try:
                job.check("Stopped before loading.")
                if not here():
                    with self._counted():
                        way(transfer.tell)
            finally:
                transfer.lock.release()

    def mark(self) -> int:
        """The moment, for `since`."""
        with self._guard:
            return -1 if self._running else self._begun

    def since(self, mark: int) -> bool:
        """True where anything was being fetched since the mark."""
        with self._guard:
            return self._begun != mark

    @contextmanager
    def _wanted(self, model: str, report: Report) -> Iterator[_Transfer]:
        with self._guard:
            transfer = self._transfers.setdefault(model, _Transfer())
            transfer.reports.append(report)
        try:
            yield transfer
        finally:
            with self._guard:
                transfer.reports.remove(report)
                if not transfer.reports:
                    del self._transfers[model]

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._guard:
            self._begun, self._running = self._begun + 1, self._running + 1
        try:
            yield
        finally:
            with self._guard:
                self._running -= 1
