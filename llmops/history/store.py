"""The history as one owner sees it: a database file, and its kinds side by side."""

from pathlib import Path
from typing import Any

from llmops.history.comparisons import Comparisons
from llmops.history.curves import Curves
from llmops.history.database import Database
from llmops.history.evaluations import Evaluations
from llmops.history.repository import Repository


class History(Database):
    """A database file and what is kept in it, as one owner sees it; see Database."""

    def __init__(self, path: Path, owner: str = "") -> None:
        super().__init__(path, owner)
        self.evaluations = Evaluations(self)
        self.comparisons = Comparisons(self)
        self.curves = Curves(self)

        self.kinds: dict[str, Repository[Any]] = {
            "evaluation": self.evaluations,
            "comparison": self.comparisons,
            "curve": self.curves,
        }
