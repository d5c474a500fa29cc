"""/learning_curve from plain values to plain data."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llmops.api.context import ApiContext, error_in
from llmops.api.tasks import chosen_task
from llmops.core.request import Job
from llmops.core.task import Task
from llmops.evaluation.curve import GivenCurve, learning_curve, parity
from llmops.evaluation.curve_work import CurveWork
from llmops.history.store import History


def curve_data(
    context: ApiContext, task: Task | str, given: str | Mapping[str, Any] | None, job: Job
) -> dict[str, Any]:
    """A learning curve, and the k that reaches each decoder. given: GivenCurve's settings."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "learning curve"):
        asked = GivenCurve.read(given)
        history = History(context.settings.history_path, job.owner)
        work = CurveWork.of(history, chosen_task(task, context.settings), asked.evaluation, asked)
        curve = work.keep(list(learning_curve(context.pool, work.task, work.texts, asked, job)))
        answer |= {"curve": asdict(curve), "parity": parity(curve)}
    return answer
