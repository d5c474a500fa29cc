"""A finished comparison as it was painted: the page's own rendering of its views, in one piece of HTML."""

from collections.abc import Sequence
from html import escape as _e

from llmops.core.task import Label, Task
from llmops.core.view import View
from llmops.history.comparisons import ComparisonRecord
from llmops.ui import render


def replayed(comparison: ComparisonRecord, views: Sequence[View]) -> str:
    """Text, where and how it ran, bars, and a column a candidate."""
    labels = tuple(Label(label, {comparison.language: name}, {}, {}) for label, name in comparison.labels.items())
    task = Task(comparison.task_id, comparison.task_name, labels, {})
    settings = ", ".join(f"{name} {value}" for name, value in comparison.settings.items())
    versions = ", ".join(f"{name} {value}" for name, value in comparison.versions.items())
    origin = f", taken in from {comparison.origin}" if comparison.origin else ""
    when = f"{comparison.created[:16].replace('T', ' ')} UTC"
    head = f"{comparison.task_name}, {when}, by {comparison.source}, on {comparison.machine}{origin}"
    columns = "".join(_column(view, task, comparison.language) for view in views)
    return (
        f'<p class="lo-lead"><b>{_e(head)}</b></p><div class="lo-answer">{_e(comparison.text)}</div>'
        f'<p class="lo-legend">{_e(f"{settings}; {versions}")}</p>{render.summary(views)}'
        f'<div class="lo-replay">{columns}</div>'
    )


def _column(view: View, task: Task, language: str) -> str:
    answer = f'<div class="lo-answer lo-said">{_e(view.text)}</div>' if view.text else ""
    return (
        f'<section class="lo-past-column">{render.head(view)}{render.verdict(view, task, language)}{answer}'
        f"{render.figures(view)}</section>"
    )
