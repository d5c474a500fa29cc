"""An evaluation with its figures as plain data: what the endpoints, the command line and reports answer with."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from llmops.evaluation.ladder import ladders
from llmops.evaluation.metrics import measure
from llmops.evaluation.pairs import compare_all
from llmops.history.evaluations import Evaluation, Row
from llmops.history.store import History


def summary(history: History, evaluation_id: int, seed: int = 0) -> dict[str, Any]:
    """A kept evaluation with its metrics and every pair of candidates, as plain data."""
    evaluations = history.evaluations
    return summary_of(evaluations.get(evaluation_id), evaluations.rows(evaluation_id), seed)


def summary_of(evaluation: Evaluation, rows: Sequence[Row], seed: int = 0) -> dict[str, Any]:
    """The same, of rows that were read already."""
    order = {name: number for number, name in enumerate(evaluation.candidates)}
    measured = sorted(measure(rows, evaluation.labels, seed), key=lambda metrics: order.get(metrics.candidate, 0))
    compared = compare_all(rows, [metrics.candidate for metrics in measured])
    return {
        "evaluation": asdict(evaluation),
        "metrics": [metrics.to_json() for metrics in measured],
        "pairs": [pair.to_json() for pair in compared.pairs],
        "unanswered": compared.unanswered,
        "ladders": [ladder.to_json() for ladder in ladders(rows, measured)],
    }
