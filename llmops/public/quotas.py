"""What each visitor has going: counted against the limits of a public page, and stopped when the visitor leaves.

Limits are for fairness between visitors: who makes himself many visitors gets many shares. What the machine bears in
all is bounded by the queue's length and the pool's budget.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llmops.core.errors import TooMuch
from llmops.core.settings import Settings

Stop = Callable[[], None]


@dataclass(frozen=True)
class Visitor:
    """Who asks (`owner`, as in Connection), through which open page or program (`session`, a secret: never kept)."""

    owner: str = ""
    session: str = ""


class Quotas:
    """What is going on in this process, under the limits of its settings. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._guard = threading.Lock()
        self._runs: dict[str, int] = {}
        self._jobs: dict[str, int] = {}
        self._stops: dict[str, list[Stop]] = {}

    @contextmanager
    def runs(self, visitor: Visitor, count: int, stop: Stop) -> Iterator[None]:
        """So many columns at once. Raises TooMuch above what one visitor may have."""
        limit = self._settings.visitor_runs
        message = f"{count} more runs would be more at once than the {limit} that each visitor has here."
        with self._counted(self._runs, visitor, count, limit, message), self._stoppable(visitor, stop):
            yield

    @contextmanager
    def job(self, visitor: Visitor, stop: Stop) -> Iterator[None]:
        """An evaluation, a probe, a dry run or a training. Raises TooMuch above what one visitor may have."""
        limit = self._settings.visitor_jobs
        going = "one evaluation, probe or training" if limit == 1 else f"{limit} evaluations, probes and trainings"
        message = f"You have {going} going, which is what each visitor has here at once."
        with self._counted(self._jobs, visitor, 1, limit, message), self._stoppable(visitor, stop):
            yield

    def session_ended(self, session: str) -> None:
        """The page was closed, or the program has gone: stop what it has going."""
        with self._guard:
            stops = list(self._stops.get(session, ()))
        for stop in stops:
            stop()

    @contextmanager
    def _counted(
        self, counts: dict[str, int], visitor: Visitor, count: int, limit: int | None, message: str
    ) -> Iterator[None]:
        with self._guard:
            now = counts.get(visitor.owner, 0)
            if limit is not None and now + count > limit:
                raise TooMuch(message, "Wait until they end, or stop them.")
            counts[visitor.owner] = now + count
        try:
            yield
        finally:
            with self._guard:
                counts[visitor.owner] -= count
                if not counts[visitor.owner]:
                    del counts[visitor.owner]

    @contextmanager
    def _stoppable(self, visitor: Visitor, stop: Stop) -> Iterator[None]:
        with self._guard:
            self._stops.setdefault(visitor.session, []).append(stop)
        try:
            yield
        finally:
            with self._guard:
                self._stops[visitor.session].remove(stop)
                if not self._stops[visitor.session]:
                    del self._stops[visitor.session]
