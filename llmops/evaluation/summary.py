"""An evaluation with its figures as plain data: what the endpoints, the command line and reports answer with."""

from dataclasses import asdict
from itertools import combinations
from typing import Any

from llmops.evaluation.ladder import ladders
from llmops.evaluation.metrics import compare, measure
from llmops.history.store import History


def summary(history: History, evaluation_id: int, seed: int = 0) -> dict[str, Any]:
    """An evaluation with its metrics and every pair of candidates, as plain data."""
    found = history.evaluations.get(evaluation_id)
    rows = history.evaluations.rows(evaluation_id)
    order = {name: number for number, name in enumerate(found.candidates)}
    measured = sorted(measure(rows, found.labels, seed), key=lambda one: order.get(one.candidate, 0))
    pairs = [compare(rows, one, other, seed) for one, other in combinations([one.candidate for one in measured], 2)]
    return {
        "evaluation": asdict(found),
        "metrics": [one.to_json() for one in measured],
        "pairs": [one.to_json() for one in pairs],
        "ladders": [one.to_json() for one in ladders(rows, measured)],
    }
