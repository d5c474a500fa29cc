"""Two evaluations laid side by side: the same candidates on another day, another setting or another machine.

Candidates are matched by their text form, texts by their words; a candidate that only one of them has stays alone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from llmops.evaluation.metrics import Metrics, measure
from llmops.evaluation.pairs import Pair, compare
from llmops.history.evaluations import Evaluation, Row
from llmops.history.store import History


@dataclass(frozen=True)
class Beside:
    """One candidate in both. agreement: share of common texts with the same verdict; pair: quality on those.

    pair is None where one of them mostly gave no verdict, and `unanswered` says so.
    """

    candidate: str
    one: Metrics | None  # the fields' names are keys of the endpoints' answers, here and below
    other: Metrics | None
    common: int
    agreement: float | None
    pair: Pair | None
    unanswered: tuple[str, ...] = ()


@dataclass(frozen=True)
class SideBySide:
    """Both evaluations, and every candidate of either."""

    one: Evaluation
    other: Evaluation
    candidates: tuple[Beside, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def side_by_side(history: History, first: int, second: int) -> SideBySide:
    """first, second: evaluations' ids. Raises HistoryError for an unknown one."""
    evaluations = history.evaluations.get(first), history.evaluations.get(second)
    rows = history.evaluations.rows(first), history.evaluations.rows(second)
    figures = [
        {metrics.candidate: metrics for metrics in measure(own_rows, evaluation.labels)}
        for evaluation, own_rows in zip(evaluations, rows, strict=True)
    ]
    names = dict.fromkeys([*evaluations[0].candidates, *evaluations[1].candidates])
    known = [name for name in names if name in figures[0] or name in figures[1]]
    return SideBySide(*evaluations, tuple(_beside(name, rows, figures) for name in known))


def _beside(name: str, rows: tuple[Sequence[Row], Sequence[Row]], figures: Sequence[dict[str, Metrics]]) -> Beside:
    by_text = [{row.text: row for row in side if row.candidate == name and row.repeat == 0} for side in rows]
    common = [text for text in by_text[0] if text in by_text[1]]
    pair, agreement, unanswered = None, None, tuple[str, ...]()
    if common:
        agreement = sum(by_text[0][text].y_hat == by_text[1][text].y_hat for text in common) / len(common)
        numbered = [
            replace(by_text[side][text], candidate=tag, place=place)
            for side, tag in enumerate(("the first", "the second"))
            for place, text in enumerate(common)
        ]
        compared = compare(numbered, "the first", "the second")
        pair, unanswered = compared.pair("the first", "the second"), tuple(compared.unanswered.values())
    return Beside(name, figures[0].get(name), figures[1].get(name), len(common), agreement, pair, unanswered)
