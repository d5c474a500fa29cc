"""A recorded comparison as the views that the page folds while one runs."""

from llmops.core.events import ending
from llmops.core.view import View, fold
from llmops.history.store import History


def views(history: History, comparison_id: int) -> list[View]:
    """A finished comparison's columns, through the same fold. Raises HistoryError."""
    candidates = history.comparisons.get(comparison_id).candidates
    runs = history.comparisons.runs(comparison_id)
    return [
        View(name) if run is None else fold(View(name), ending(run)) for name, run in zip(candidates, runs, strict=True)
    ]
