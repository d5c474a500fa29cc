"""Keeping a single comparison while it runs. Neither a lock nor a full disk holds it up or breaks it.

Writing is done in a thread of its own, and what could not be kept is said at the end.
"""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from llmops.compare.comparison import Comparison
from llmops.core.errors import HistoryError
from llmops.core.run import Run
from llmops.history.comparisons import ComparisonRecord
from llmops.history.store import History

_WRITER = ThreadPoolExecutor(1, thread_name_prefix="history")  # one: runs are written in the order they end
_WAIT_S = 12.0


class Recorder:
    """Takes the runs of one comparison. source: page, api or command; owner as in Database."""

    def __init__(self, path: Path, owner: str, source: str, comparison: Comparison) -> None:
        self._path, self._owner, self._source = path, owner, source
        language, task = comparison.options.language, comparison.task
        self._about: dict[str, Any] = {
            "task_id": task.id,
            "task_name": task.name,
            "labels": {label.id: label.name.get(language) or label.id for label in task.labels},
            "text": comparison.text,
            "language": language,
            "candidates": comparison.candidates,
            "settings": comparison.options.record(),
        }
        self._waiting: list[Future[None]] = []
        self._trouble = ""
        self.comparison_id: int | None = None

    def take(self, place: int, run: Run) -> None:
        """A candidate's run has ended, well or badly; a retry comes again. Returns at once."""
        self._waiting.append(_WRITER.submit(self._write, place, run))

    def settle(self) -> str:
        """Wait until all is written; what went wrong in words, or nothing."""
        _, late = wait(self._waiting, _WAIT_S)
        self._waiting = list(late)
        return self._trouble or ("The history is still being written." if late else "")

    def _write(self, place: int, run: Run) -> None:
        try:
            history = History(self._path, self._owner)
            if self.comparison_id is None:
                self.comparison_id = history.comparisons.add(ComparisonRecord(source=self._source, **self._about))
            history.comparisons.add_run(self.comparison_id, place, run)
        except HistoryError as error:
            self._trouble = f"This comparison is not in the history: {error.message} {error.remedy}"
