"""A cascade from recorded rows, nothing run again: the encoder's answer where it was sure, else the second candidate's.

For each threshold: what the answers, times, costs and energy would have been. Both candidates' rows of the same texts
are needed. A text that the first stage could not answer counts as unsure, as it does where a cascade really runs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field

from llmops.core.candidate import Kind, cascade
from llmops.core.errors import InputError
from llmops.core.given import Seed, unknown_choice
from llmops.core.statistics import macro_f1_of_marks, percentile
from llmops.decision.assumptions import Assumptions, AssumptionSettings
from llmops.decision.cost import cost, request_usd
from llmops.decision.energy import energy, request_wh
from llmops.decision.usage import basis, parsed, parts
from llmops.history.evaluations import Row

if TYPE_CHECKING:
    import numpy as np

_MOST_POINTS = 201
_FEWEST = 8  # texts, to be split in two
_NONE = "(none)"
Goal = Literal["quality", "cost", "latency", "energy", "privacy"]
GOALS: tuple[str, ...] = get_args(Goal)


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
class Bounds:
    """Limits of a choice; None: no limit. As in decide.Limits, and the share of texts that may leave."""

    max_cost: float | None = None
    max_p95_s: float | None = None
    max_leaving: float | None = None
    min_macro_f1: float | None = None


class CascadeSettings(AssumptionSettings):
    """A cascade's choice as it is asked for: goal, bounds (what is left out is none), and what cost rests on."""

    goal: Goal = Field("quality", title="goal", description=f"what the best threshold is best in: {', '.join(GOALS)}")
    seed: Seed | None = Field(None, description="of the split in two halves, 0 unless told")
    max_cost: float | None = Field(None, ge=0, le=1e9, description="for 1,000 requests, in the chosen currency")
    max_p95_s: float | None = Field(None, ge=0, le=1e6, description="seconds that 95 of 100 texts may take")
    max_leaving: float | None = Field(None, ge=0, le=1, description="share of texts that may leave this machine")
    min_macro_f1: float | None = Field(None, ge=0, le=1, description="least quality, 0 to 1")

    @property
    def bounds(self) -> Bounds:
        """The limits of the choice."""
        return Bounds(self.max_cost, self.max_p95_s, self.max_leaving, self.min_macro_f1)


@dataclass(frozen=True)
class Choice:
    """The best threshold on one half of the texts, and what it gave on the other, which had no part in choosing it."""

    threshold: float
    chosen_on: ThresholdPoint
    reported_on: ThresholdPoint
    texts: tuple[int, int]
    seed: int


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
        one, other = parsed(self.first), parsed(self.second)
        if self.choice is None or one is None or other is None:
            return ""
        return str(cascade(one, other, self.choice.threshold))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "candidate": self.candidate}


@dataclass(frozen=True)
class _Text:
    """One text's two rows, as numbers. sure -1: the first stage could not answer."""

    true: str
    said: tuple[str, str]
    sure: float
    seconds: tuple[float | None, float | None]
    usd: tuple[float | None, float | None]
    wh: tuple[float | None, float | None]
    leaves: bool


def simulate(
    rows: Sequence[Row],
    first: str,
    second: str,
    at: Assumptions,
    bounds: Bounds | None = None,
    goal: str = "quality",
    seed: int = 0,
) -> Simulation:
    """The curve over all texts, and the best threshold by halves. Raises InputError where the rows don't allow it."""
    if goal not in GOALS:
        raise unknown_choice("goal", goal, GOALS)
    _check(first, second)
    texts, left_out = _join(rows, first, second, at)
    if len(texts) < _FEWEST:
        raise InputError(
            f"{len(texts)} texts were answered by both {first} and {second}; {_FEWEST} are needed.",
            "Choose two candidates of this evaluation, or evaluate both on more texts.",
        )
    if all(one.sure < 0 for one in texts):
        raise InputError(f"{first} told no probabilities.", "Begin with an encoder.")
    points = _points(texts, thresholds([one.sure for one in texts]))
    choice, why_not = _choose(texts, bounds or Bounds(), goal, seed)
    timed = sum(None not in one.seconds for one in texts)
    return Simulation(first, second, len(texts), left_out, timed, points, choice, why_not)


def _check(first: str, second: str) -> None:
    one, other = parsed(first), parsed(second)
    if one is None or other is None:
        raise InputError("A stage of the cascade is no candidate.", "Choose two candidates of this evaluation.")
    cascade(one, other, 0.5)
    if other.kind == Kind.CASCADE:
        raise InputError("A stage of a cascade can't be a cascade.", "Choose two candidates of this evaluation.")


def _join(rows: Sequence[Row], first: str, second: str, at: Assumptions) -> tuple[list[_Text], int]:
    by_place: list[dict[int, Row]] = [
        {row.place: row for row in rows if row.candidate == name and row.repeat == 0} for name in (first, second)
    ]
    places = sorted(set(by_place[0]) & set(by_place[1]))
    only = len(set(by_place[0]) ^ set(by_place[1]))
    usual = [_Usual(name, list(found.values()), at) for name, found in zip((first, second), by_place, strict=True)]
    pairs = [(by_place[0][place], by_place[1][place]) for place in places]
    return [_text(one, other, usual[0], usual[1]) for one, other in pairs], only


class _Usual:
    """A candidate's mean request, for texts without figures of their own."""

    def __init__(self, name: str, rows: Sequence[Row], at: Assumptions) -> None:
        self._own = {row.place for row in basis(rows, at.together)}
        self._at = at
        self._usd = at.money(cost(name, rows, at).usd)
        self._wh = energy(name, rows, at).middle_wh

    def usd(self, row: Row) -> float | None:
        """Of one text, in the chosen currency. A failed one took nothing that was recorded."""
        if row.failed:
            return 0.0
        return self._at.money(request_usd(row.run, self._at)[0]) if row.place in self._own else self._usd

    def wh(self, row: Row) -> float | None:
        """Of one text, the middle of its range."""
        if row.failed:
            return 0.0
        if row.place not in self._own:
            return None if self._wh is None else self._wh / 1000
        wh = request_wh(row.run, self._at)[0]
        return None if wh is None else (wh[0] + wh[1]) / 2


def _text(one: Row, other: Row, first: _Usual, second: _Usual) -> _Text:
    shares = None if one.failed else one.run.probabilities
    return _Text(
        true=one.y_true,
        said=(one.y_hat or _NONE, other.y_hat or _NONE),
        sure=max(shares.values()) if shares and one.y_hat else -1.0,
        seconds=(_seconds(one), _seconds(other)),
        usd=(first.usd(one), second.usd(other)),
        wh=(first.wh(one), second.wh(other)),
        leaves=any(part.sent_to for part in parts(other.run)),
    )


def _seconds(row: Row) -> float | None:
    """A failed first stage took no time that was recorded, as where a cascade really runs."""
    return 0.0 if row.failed else row.run.timing.e2e_s


def thresholds(sure: Sequence[float]) -> list[float]:
    """0, a place between each two neighbouring confidences, and 1; thinned evenly where they are many.

    Between, not at them: a confidence that differs in its last digits when it is computed again decides the same way.
    """
    distinct = sorted({value for value in sure if value >= 0})
    between = [place for low, high in pairwise(distinct) if (place := _between(low, high))]
    found = [0.0, *between, 1.0]
    if len(found) <= _MOST_POINTS:
        return found
    step = (len(found) - 1) / (_MOST_POINTS - 1)
    return [found[round(index * step)] for index in range(_MOST_POINTS)]


def _between(low: float, high: float) -> float | None:
    """The shortest number well between two; None where they differ by less than six digits tell."""
    for digits in range(2, 7):
        place = round((low + high) / 2, digits)
        if low + (high - low) / 10 < place < high - (high - low) / 10:
            return place
    return None


def _points(texts: Sequence[_Text], at_thresholds: Sequence[float]) -> tuple[ThresholdPoint, ...]:
    import numpy as np

    labels = sorted({one.true for one in texts} | {said for one in texts for said in one.said} - {_NONE})
    sure = np.array([one.sure for one in texts])
    right = np.array([[said == one.true for said in one.said] for one in texts])
    is_true = np.array([[one.true == label for label in labels] for one in texts])
    is_said = np.array([[[said == label for label in labels] for said in one.said] for one in texts])
    leaves = np.array([one.leaves for one in texts])
    columns = [_known([getattr(one, name) for one in texts]) for name in ("seconds", "usd", "wh")]
    timed = ~np.isnan(columns[0]).any(axis=1)
    points = []
    for threshold in at_thresholds:
        asked = sure < threshold
        asked |= sure < 0
        said = np.where(asked[:, None], is_said[:, 1], is_said[:, 0])
        seconds = _summed(columns[0][timed], asked[timed]) if timed.any() else None
        usd, wh = (_summed(column, asked) for column in columns[1:])
        points.append(
            ThresholdPoint(
                threshold=threshold,
                accuracy=float(np.where(asked, right[:, 1], right[:, 0]).mean()),
                macro_f1=macro_f1_of_marks(is_true, said),
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


def _choose(texts: Sequence[_Text], bounds: Bounds, goal: str, seed: int) -> tuple[Choice | None, str]:
    """Best on a random half by the goal; of equals the better in quality, the cheaper, the lower threshold."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(texts))
    half = len(texts) // 2
    ours, others = ([texts[index] for index in part] for part in (order[:half], order[half:]))
    within = [one for one in _points(ours, thresholds([one.sure for one in ours])) if _is_within(one, bounds)]
    if not within:
        return None, "No threshold is within the limits on the half it is chosen on."
    best = min(within, key=lambda one: (*_rank(one, goal), one.threshold))
    reported = _points(others, [best.threshold])[0]
    return Choice(best.threshold, best, reported, (len(ours), len(others)), seed), ""


def _is_within(one: ThresholdPoint, bounds: Bounds) -> bool:
    """An unknown figure is within no limit."""
    pairs = ((one.cost_per_1000, bounds.max_cost), (one.p95_s, bounds.max_p95_s), (one.leaving, bounds.max_leaving))
    if any(limit is not None and (known is None or known > limit) for known, limit in pairs):
        return False
    return bounds.min_macro_f1 is None or one.macro_f1 >= bounds.min_macro_f1


def _rank(one: ThresholdPoint, goal: str) -> tuple[float, ...]:
    unknown = float("inf")
    cost = unknown if one.cost_per_1000 is None else one.cost_per_1000
    latency = unknown if one.p95_s is None else one.p95_s
    spent = unknown if one.wh_per_1000 is None else one.wh_per_1000
    first = {"quality": -one.macro_f1, "cost": cost, "latency": latency, "energy": spent, "privacy": one.leaving}[goal]
    return (first, -one.macro_f1, cost, one.asked)
