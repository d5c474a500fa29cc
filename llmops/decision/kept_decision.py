"""The decision report of a kept evaluation, made anew at each move of a slider: what costs time in it is done once."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from llmops.decision.decision_report import DecisionReport, make_decision_report
from llmops.evaluation.metrics import Metrics, measure
from llmops.history.store import History


def kept_decision_report(history: History, evaluation_id: int, given: Mapping[str, Any]) -> DecisionReport:
    """given: as in decision_report.make_decision_report. Raises HistoryError and InputError."""
    evaluation, rows = history.evaluations.get(evaluation_id), history.evaluations.rows(evaluation_id)
    metrics = _metrics(history.path, history.owner, evaluation_id, evaluation.created, len(rows))
    return make_decision_report(evaluation, rows, given, metrics)


def break_even_pair(report: DecisionReport, own: str | None, api: str | None) -> tuple[str, str]:
    """The candidates whose costs are set against each other: as chosen where they are there, else the likeliest ones.

    The own one is then the decision's choice, or the first; "" where there is none.
    """
    owns, apis = ([cost.candidate for cost in costs] for costs in (report.owns, report.apis))
    own = next((name for name in (own, report.decision.choice) if name in owns), next(iter(owns), ""))
    return own or "", api if api in apis and api else next(iter(apis), "")


@lru_cache(maxsize=8)
def _metrics(path: Path, owner: str, evaluation_id: int, _created: str, _count: int) -> tuple[Metrics, ...]:
    """An evaluation's metrics, for as long as it has no more rows. _created: ids are given again after a deletion."""
    history = History(path, owner)
    return tuple(measure(history.evaluations.rows(evaluation_id), history.evaluations.get(evaluation_id).labels))
