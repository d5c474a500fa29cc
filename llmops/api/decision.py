"""/decide and /cascade from plain values to plain data: both read kept rows and run nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmops.api.context import error_in
from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.decision.cascade import Simulation, simulate
from llmops.decision.decision_report import make_decision_report
from llmops.decision.threshold_search import CascadeSettings
from llmops.history.evaluations import Evaluation, Row
from llmops.history.store import History


def decide_data(
    settings: Settings, evaluation: int | None, given: str | Mapping[str, Any] | None, owner: str = ""
) -> dict[str, Any]:
    """The decision report of an evaluation, the newest where none is named. given: DecisionSettings."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "decision"):
        kept, rows = evaluation_rows(History(settings.history_path, owner), evaluation)
        answer |= make_decision_report(kept, rows, given).to_json()
    return answer


def cascade_data(
    settings: Settings,
    evaluation: int | None,
    first: str,
    second: str,
    given: str | Mapping[str, Any] | None,
    owner: str = "",
) -> dict[str, Any]:
    """A cascade's curve and its best threshold. given: CascadeSettings."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "cascade"):
        kept, rows = evaluation_rows(History(settings.history_path, owner), evaluation)
        simulation = read_cascade(kept, rows, first, second, given)
        about = {"id": kept.id, "created": kept.created, "task": kept.task_name, "machine": kept.machine}
        answer |= {"evaluation": about, **simulation.to_json()}
    return answer


def evaluation_rows(history: History, evaluation: int | None) -> tuple[Evaluation, list[Row]]:
    """An evaluation and its rows; None: the newest one. Raises HistoryError, InputError where nothing is kept."""
    if evaluation is None:
        newest = next(iter(history.evaluations.newest()), None)
        if newest is None:
            raise InputError("No evaluation is kept yet.", "Evaluate first: python -m llmops evaluate.")
        evaluation = newest.id
    return history.evaluations.get(evaluation), history.evaluations.rows(evaluation)


def read_cascade(
    evaluation: Evaluation, rows: Sequence[Row], first: str, second: str, given: str | Mapping[str, Any] | None
) -> Simulation:
    """A simulation from plain values. Raises InputError."""
    asked = CascadeSettings.read(given)
    at = asked.assumptions(evaluation.machine)
    return simulate(rows, first, second, at, asked.search)
