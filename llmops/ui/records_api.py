"""The named endpoints over what is kept, registered: /evaluate, /learning_curve, /history and /export."""

from typing import Any

from llmops.api.context import ApiContext
from llmops.api.evaluation import evaluate_data
from llmops.api.export import export_data
from llmops.api.history import history_data
from llmops.api.learning_curve import curve_data
from llmops.ui.background import as_job
from llmops.ui.endpoints import register
from llmops.ui.events import AT_ONCE
from llmops.ui.services import Services


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""
    context = ApiContext(services.pool, services.quotas)

    def evaluate(task: str, candidates: list[str], settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Labelled texts through candidates: metrics, pairs of candidates, ladders, and how each ended.

        Parameters:
            task: id of a built-in task, or the text of a task.toml
            candidates: texts such as embedded/decoder@nf4
        """
        return as_job(services, lambda job: evaluate_data(context, task, candidates, settings, job))

    def learning_curve(task: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """An encoder's accuracy against the examples it learns from, and the k that reaches each decoder.

        Parameters:
            task: id of a built-in task, or the text of a task.toml
        """
        return as_job(services, lambda job: curve_data(context, task, settings, job))

    def history(
        evaluation: int | None = None, other: int | None = None, comparison: int | None = None
    ) -> dict[str, Any]:
        """What is kept, newest first; with an id, an evaluation's metrics; with two, both side by side."""
        given = {"evaluation": evaluation, "other": other, "comparison": comparison}
        return history_data(services.settings, given, services.asking().owner)

    def export(evaluation: int, kind: str = "html", language: str = "en") -> dict[str, Any]:
        """An evaluation as a file: name and base64."""
        given = {"evaluation": evaluation, "kind": kind, "language": language}
        return export_data(services.settings, given, services.asking().owner)

    running: dict[str, Any] = {"concurrency_id": "evaluate", "concurrency_limit": AT_ONCE}
    register(evaluate, "evaluate", **running)
    register(learning_curve, "learning_curve", **running)
    register(history, "history")
    register(export, "export")
