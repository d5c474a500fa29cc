"""A comparison as one visitor's page sees it: its views, its place in the history, and its run among the visitor's."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from llmops.compare.comparison import Comparison
from llmops.compare.follow import follow
from llmops.compare.recorder import Recorder
from llmops.core.run_settings import RunSettings
from llmops.core.view import View
from llmops.ui.services import Services


@dataclass
class ComparisonView:
    """Views in the order of the candidates; what ends goes into the history. id: tells the page one from another."""

    comparison: Comparison
    recorder: Recorder
    services: Services
    views: list[View] = field(init=False)
    id: str = field(init=False, default_factory=lambda: f"{time.time_ns():x}")

    def __post_init__(self) -> None:
        self.views = [View(candidate) for candidate in self.comparison.candidates]

    def run(self) -> Iterator[None]:
        """Start every column; yields when it is time to paint, and once before. Raises TooMuch."""
        with self.services.quotas.runs(self.services.asking(), len(self.views), self.comparison.stop):
            yield None  # before the start, so that painting costs no run anything
            self.comparison.start()
            yield from self.follow()

    def run_again(self, column: int, settings: RunSettings) -> Iterator[None]:
        """One column with the settings of now; yields as `run`, or never where whoever paints now paints it too.

        Raises TooMuch.
        """
        with ExitStack() as counted:
            if not self.comparison.reading:
                counted.enter_context(self.services.quotas.runs(self.services.asking(), 1, self.comparison.stop))
            self.views[column] = View(self.comparison.candidates[column])
            if not self.comparison.retry(column, settings):
                yield from self.follow()

    def follow(self) -> Iterator[None]:
        """Yields when it is time to paint."""
        return follow(self.comparison, self.views, self.recorder)

    def trouble(self) -> str:
        """At the end, why it is not in the history; "" where it is, and while somebody still reads it."""
        return "" if self.comparison.reading else self.recorder.settle()
