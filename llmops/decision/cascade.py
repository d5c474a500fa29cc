"""A cascade from recorded rows, nothing run again: the encoder's answer where it was sure, else the second candidate's.

For each threshold: what the answers, times, costs and energy would have been. Both candidates' rows of the same texts
are needed. A text that the first stage could not answer counts as unsure, as it does where a cascade really runs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from llmops.core.candidate import Kind, cascade
from llmops.core.errors import InputError
from llmops.core.given import unknown_choice
from llmops.core.statistics import macro_f1_of_marks, percentile
from llmops.decision.assumptions import Assumptions
from llmops.decision.cascade_check import CascadeCheck, check
from llmops.decision.cost import cost, request_usd
from llmops.decision.energy import energy, request_wh
from llmops.decision.threshold_search import GOALS, Bounds, ThresholdSearch
from llmops.decision.usage import basis, parsed, parts
from llmops.history.evaluations import LabelledAnswer, Row

if TYPE_CHECKING:
    import numpy as np

_MOST_POINTS = 201
_FEWEST = 8  # texts, to be split in two
_NONE = "(none)"


@dataclass(frozen=True)
class ThresholdPoint:
    """What a threshold would have given. asked, leaving: shares of the texts handed on, and sent elsewhere.

    Times are of the texts that ran alone through both candidates (Simulation.timed). A text that shared a batch has no
    cost and energy of its own either: it counts with its candidate's mean.
    cost_per_1000 in the chosen currency, wh_per_1000 the middle of its range; None: not known.
    """

    threshold: float
    accuracy: float
    macro_f1: float
    asked: float
    leaving: float
    mean_s: float | None
    p95_s: float | None
    cost_per_1000: float | None
    wh_per_1000: float | None


@dataclass(frozen=True)
class Choice:
    """The best threshold on one half of the texts, and what it gave on the other, which had no part in choosing it.

    check: there, the cascade beside its two stages alone.
    """

    threshold: float
    chosen_on: ThresholdPoint
    reported_on: ThresholdPoint
    texts: tuple[int, int]
    seed: int
    check: CascadeCheck


@dataclass(frozen=True)
class Simulation:
    """A curve over the threshold; choice None where no threshold is within the bounds, and why_not says so.

    left_out: texts that only one of the two has answered or tried. timed: those with a latency of their own in both.
    """

    first: str
    second: str
    texts: int
    left_out: int
    timed: int
    points: tuple[ThresholdPoint, ...]
    choice: Choice | None
    why_not: str

    @property
    def candidate(self) -> str:
        """The chosen cascade's text form; empty without a choice."""
        return "" if self.choice is None else _name(self.first, self.second, self.choice.threshold)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "candidate": self.candidate}


@dataclass(frozen=True)
class _Text:
    """One text's two rows, as numbers. confidence -1: the first stage could not answer."""

    true: str
    answers: tuple[str, str]
    confidence: float
    seconds: tuple[float | None, float | None]
    usd: tuple[float | None, float | None]
    wh: tuple[float | None, float | None]
    leaves: bool
    rows: tuple[LabelledAnswer, LabelledAnswer]


def simulate(
    rows: Sequence[Row],
    first: str,
    second: str,
    at: Assumptions,
    search: ThresholdSearch | None = None,
) -> Simulation:
    """The curve over all texts, and the best threshold by halves. Raises InputError where the rows don't allow it.

    search: for the best quality without limits unless told.
    """
    search = search or ThresholdSearch()
    if search.goal not in GOALS:
        raise unknown_choice("goal", search.goal, GOALS)
    _check(first, second)
    texts, left_out = _join(rows, first, second, at)
    if len(texts) < _FEWEST:
        raise InputError(
            f"{len(texts)} texts were answered by both {first} and {second}; {_FEWEST} are needed.",
            "Choose two candidates of this evaluation, or evaluate both on more texts.",
        )
    if all(text.confidence < 0 for text in texts):
        raise InputError(f"{first} told no probabilities.", "Begin with an encoder.")
    points = _points(texts, thresholds([text.confidence for text in texts]))
    choice, why_not = _choose(texts, search, (first, second))
    timed = sum(None not in text.seconds for text in texts)
    return Simulation(first, second, len(texts), left_out, timed, points, choice, why_not)


def _check(first: str, second: str) -> None:
    first_stage, second_stage = parsed(first), parsed(second)
    if first_stage is None or second_stage is None:
        raise InputError("A stage of the cascade is no candidate.", "Choose two candidates of this evaluation.")
    cascade(first_stage, second_stage, 0.5)
    if second_stage.kind == Kind.CASCADE:
        raise InputError("A stage of a cascade can't be a cascade.", "Choose two candidates of this evaluation.")


def _join(rows: Sequence[Row], first: str, second: str, at: Assumptions) -> tuple[list[_Text], int]:
    by_place: list[dict[int, Row]] = [
        {row.place: row for row in rows if row.candidate == name and row.repeat == 0} for name in (first, second)
    ]
    places = sorted(set(by_place[0]) & set(by_place[1]))
    only = len(set(by_place[0]) ^ set(by_place[1]))
    costs = [
        _TextCosts(name, list(rows_by_place.values()), at)
        for name, rows_by_place in zip((first, second), by_place, strict=True)
    ]
    pairs = [(by_place[0][place], by_place[1][place]) for place in places]
    return [_text(first_row, second_row, costs[0], costs[1]) for first_row, second_row in pairs], only


class _TextCosts:
    """What a candidate's texts cost and used: a text's own figures where it has them, else the candidate's mean."""

    def __init__(self, name: str, rows: Sequence[Row], at: Assumptions) -> None:
        self._places_with_figures = {row.place for row in basis(rows, at.together)}
        self._at = at
        self._mean_usd = at.money(cost(name, rows, at).usd)
        self._mean_wh_per_1000 = energy(name, rows, at).middle_wh

    def usd(self, row: Row) -> float | None:
        """Of one text, in the chosen currency. A failed one took nothing that was recorded."""
        if row.failed:
            return 0.0
        if row.place not in self._places_with_figures:
            return self._mean_usd
        return self._at.money(request_usd(row.run, self._at)[0])

    def wh(self, row: Row) -> float | None:
        """Of one text, the middle of its range."""
        if row.failed:
            return 0.0
        if row.place not in self._places_with_figures:
            return None if self._mean_wh_per_1000 is None else self._mean_wh_per_1000 / 1000
        wh = request_wh(row.run, self._at)[0]
        return None if wh is None else (wh[0] + wh[1]) / 2


def _text(first_row: Row, second_row: Row, first_costs: _TextCosts, second_costs: _TextCosts) -> _Text:
    shares = None if first_row.failed else first_row.run.probabilities
    return _Text(
        true=first_row.y_true,
        answers=(first_row.y_hat or _NONE, second_row.y_hat or _NONE),
        confidence=max(shares.values()) if shares and first_row.y_hat else -1.0,
        seconds=(_seconds(first_row), _seconds(second_row)),
        usd=(first_costs.usd(first_row), second_costs.usd(second_row)),
        wh=(first_costs.wh(first_row), second_costs.wh(second_row)),
        leaves=any(part.sent_to for part in parts(second_row.run)),
        rows=(first_row, second_row),
    )


def _seconds(row: Row) -> float | None:
    """A failed first stage took no time that was recorded, as where a cascade really runs."""
    return 0.0 if row.failed else row.run.timing.e2e_s


def thresholds(confidences: Sequence[float]) -> list[float]:
    """0, a place between each two neighbouring confidences, and 1; thinned evenly where they are many.

    Between, not at them: a confidence that differs in its last digits when it is computed again decides the same way.
    """
    distinct = sorted({value for value in confidences if value >= 0})
    between = [place for low, high in pairwise(distinct) if (place := _between(low, high))]
    all_thresholds = [0.0, *between, 1.0]
    if len(all_thresholds) <= _MOST_POINTS:
        return all_thresholds
    step = (len(all_thresholds) - 1) / (_MOST_POINTS - 1)
    return [all_thresholds[round(index * step)] for index in range(_MOST_POINTS)]


def _between(low: float, high: float) -> float | None:
    """The shortest number well between two; None where they differ by less than six digits tell."""
    for digits in range(2, 7):
        place = round((low + high) / 2, digits)
        if low + (high - low) / 10 < place < high - (high - low) / 10:
            return place
    return None


def _points(texts: Sequence[_Text], at_thresholds: Sequence[float]) -> tuple[ThresholdPoint, ...]:
    import numpy as np

    labels = sorted({text.true for text in texts} | {answer for text in texts for answer in text.answers} - {_NONE})
    confidence = np.array([text.confidence for text in texts])
    right = np.array([[answer == text.true for answer in text.answers] for text in texts])
    is_true = np.array([[text.true == label for label in labels] for text in texts])
    is_answer = np.array([[[answer == label for label in labels] for answer in text.answers] for text in texts])
    leaves = np.array([text.leaves for text in texts])
    columns = [_known([getattr(text, name) for text in texts]) for name in ("seconds", "usd", "wh")]
    timed = ~np.isnan(columns[0]).any(axis=1)
    points = []
    for threshold in at_thresholds:
        asked = confidence < threshold
        asked |= confidence < 0
        is_cascade_answer = np.where(asked[:, None], is_answer[:, 1], is_answer[:, 0])
        seconds = _summed(columns[0][timed], asked[timed]) if timed.any() else None
        usd, wh = (_summed(column, asked) for column in columns[1:])
        points.append(
            ThresholdPoint(
                threshold=threshold,
                accuracy=float(np.where(asked, right[:, 1], right[:, 0]).mean()),
                macro_f1=macro_f1_of_marks(is_true, is_cascade_answer),
                asked=float(asked.mean()),
                leaving=float((asked & leaves).mean()),
                mean_s=None if seconds is None else float(seconds.mean()),
                p95_s=None if seconds is None else percentile(seconds, 95),
                cost_per_1000=None if usd is None else float(1000 * usd.mean()),
                wh_per_1000=None if wh is None else float(1000 * wh.mean()),
            )
        )
    return tuple(points)


def _known(pairs: Sequence[tuple[float | None, float | None]]) -> "np.ndarray":
    """(texts, 2) numbers; NaN where not known."""
    import numpy as np

    return np.array([[np.nan if value is None else value for value in pair] for pair in pairs])


def _summed(column: "np.ndarray", asked: "np.ndarray") -> "np.ndarray | None":
    """The first stage's, and the second's where it was asked; None where any of these is not known."""
    import numpy as np

    total = column[:, 0] + np.where(asked, column[:, 1], 0.0)
    return None if np.isnan(total).any() else total


def _name(first: str, second: str, threshold: float) -> str:
    """The cascade's text form; empty where a stage can't be read."""
    stages = parsed(first), parsed(second)
    return "" if stages[0] is None or stages[1] is None else str(cascade(stages[0], stages[1], threshold))


def _choose(texts: Sequence[_Text], search: ThresholdSearch, stages: tuple[str, str]) -> tuple[Choice | None, str]:
    """Best on a random half by the goal; of equals the better in quality, the cheaper, the lower threshold."""
    import numpy as np

    order = np.random.default_rng(search.seed).permutation(len(texts))
    half = len(texts) // 2
    choosing, reporting = ([texts[index] for index in part] for part in (order[:half], order[half:]))
    points = _points(choosing, thresholds([text.confidence for text in choosing]))
    within = [point for point in points if _is_within(point, search.bounds)]
    if not within:
        return None, "No threshold is within the limits on the half it is chosen on."
    best = min(within, key=lambda point: (*_rank(point, search.goal), point.threshold))
    reported = _points(reporting, [best.threshold])[0]
    name = _name(*stages, best.threshold)
    checked = check(_answers(reporting, best.threshold, name), (name, *stages))
    return Choice(best.threshold, best, reported, (len(choosing), len(reporting)), search.seed, checked), ""


def _answers(texts: Sequence[_Text], threshold: float, name: str) -> list[LabelledAnswer]:
    """Of the cascade, and of both its stages."""
    asked = [text.confidence < 0 or text.confidence < threshold for text in texts]
    ours = [replace(text.rows[int(is_asked)], candidate=name) for text, is_asked in zip(texts, asked, strict=True)]
    return [*ours, *(row for text in texts for row in text.rows)]


def _is_within(point: ThresholdPoint, bounds: Bounds) -> bool:
    """An unknown figure is within no limit."""
    pairs = (
        (point.cost_per_1000, bounds.max_cost),
        (point.p95_s, bounds.max_p95_s),
        (point.leaving, bounds.max_leaving),
    )
    if any(limit is not None and (known is None or known > limit) for known, limit in pairs):
        return False
    return bounds.min_macro_f1 is None or point.macro_f1 >= bounds.min_macro_f1


def _rank(point: ThresholdPoint, goal: str) -> tuple[float, ...]:
    unknown = float("inf")
    cost_per_1000 = unknown if point.cost_per_1000 is None else point.cost_per_1000
    p95_s = unknown if point.p95_s is None else point.p95_s
    energy_wh = unknown if point.wh_per_1000 is None else point.wh_per_1000
    by_goal = {
        "quality": -point.macro_f1,
        "cost": cost_per_1000,
        "latency": p95_s,
        "energy": energy_wh,
        "privacy": point.leaving,
    }[goal]
    return (by_goal, -point.macro_f1, cost_per_1000, point.asked)
