"""What is kept, as tables for the page: headers and rows, newest first, each with its number in front."""

from typing import Any

from llmops.history.store import History
from llmops.report.titles import minute

Table = dict[str, list[Any]]


def kept_table(kind: str, history: History) -> Table:
    """kind: evaluation, comparison or curve. Raises HistoryError."""
    return {"comparison": _comparisons, "curve": _curves}.get(kind, _evaluations)(history)


def _evaluations(history: History) -> Table:
    headers = ["#", "Created", "Task", "Candidates", "Machine", "From", "Note"]
    rows = [
        [
            kept.id,
            minute(kept.created),
            kept.task_name,
            ", ".join(kept.candidates),
            kept.machine,
            kept.origin,
            kept.note,
        ]
        for kept in history.evaluations.newest()
    ]
    return {"headers": headers, "data": rows}


def _comparisons(history: History) -> Table:
    headers = ["#", "Created", "Task", "Text", "Runs", "By", "Machine", "From", "Note"]
    rows = [
        [
            kept.id,
            minute(kept.created),
            kept.task_name,
            kept.text,
            len(kept.candidates),
            kept.source,
            kept.machine,
            kept.origin,
            kept.note,
        ]
        for kept in history.comparisons.newest(history.comparisons.most_listed)
    ]
    return {"headers": headers, "data": rows}


def _curves(history: History) -> Table:
    headers = ["#", "Created", "Task", "Encoder", "Points", "Machine", "From", "Note"]
    rows = [
        [
            kept.id,
            minute(kept.created),
            kept.task_name,
            f"{kept.base}, {kept.method}",
            len(kept.points),
            kept.machine,
            kept.origin,
            kept.note,
        ]
        for kept in history.curves.newest()
    ]
    return {"headers": headers, "data": rows}
