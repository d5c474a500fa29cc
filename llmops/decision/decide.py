"""The decision: hard limits, the Pareto front of what is left, weights where wanted, and a verdict in words.

No model has a part in it: every sentence is built from figures. An unknown figure under a limit excludes a candidate,
with “not known” as the reason, unless the limits say that unknown ones may stay.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from llmops.core.errors import InputError
from llmops.core.format import money, percent, seconds, size
from llmops.core.given import unknown_choice
from llmops.decision.figures import CandidateFigures
from llmops.evaluation.pairs import SHOWN, PairedComparisons

Axis = Literal["cost", "latency", "energy", "memory"]
AXES: tuple[str, ...] = get_args(Axis)
QUALITY = "quality"


@dataclass(frozen=True)
class Limits:
    """Hard limits; None and False: no limit. max_cost: of 1,000 requests in the chosen currency; min_macro_f1: 0 to 1.

    margin is none: how much worse in accuracy a cheaper choice may be at most, by the interval of the difference.
    """

    stays_here: bool = False
    no_gpu: bool = False
    max_memory_bytes: float | None = None
    max_p95_s: float | None = None
    max_cost: float | None = None
    min_macro_f1: float | None = None
    licences: tuple[str, ...] = ()
    keep_unknown: bool = False
    margin: float = 0.05


@dataclass(frozen=True)
class Excluded:
    """A candidate that a limit rules out, and why: a sentence a limit."""

    candidate: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """kept and excluded share all candidates; front: those that no other kept one beats on both axes.

    unplaced: kept, but without a figure on the axis. scores: candidate → 0 to 1, where weights were given.
    choice: None where nothing is left. verdict: sentences.
    """

    axis: str
    kept: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    front: tuple[str, ...]
    unplaced: tuple[str, ...]
    scores: dict[str, float]
    choice: str | None
    verdict: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def decide(
    candidates: Sequence[CandidateFigures],
    limits: Limits,
    axis: str,
    compared: PairedComparisons,
    sign: str = "$",
    weights: Mapping[str, float] | None = None,
) -> Decision:
    """Rule out, set against each other, choose. compared: all of them on the same texts. Raises InputError.

    One that mostly gave no verdict is ruled out, whatever the limits.

    The choice without weights: the best macro-F1 of the front, or what is better on the axis where McNemar's test shows
    no difference between the two and the interval of the difference ends within limits.margin: of several such, the
    best on the axis. With weights: the highest score.
    """
    if axis not in AXES:
        raise unknown_choice("axis", axis, AXES)
    reasons = {
        figures.candidate: (*_no_verdicts(figures, compared), *broken(figures, limits, sign)) for figures in candidates
    }
    kept = [figures for figures in candidates if not reasons[figures.candidate]]
    placed = [figures for figures in kept if value(figures, axis) is not None]
    front = pareto(placed, axis)
    scores = scored(kept, weights) if weights else {}
    choice, sentences = _choose(kept, front, scores, _ChoiceRule(axis, compared, sign, limits.margin))
    excluded = tuple(Excluded(name, why_out) for name, why_out in reasons.items() if why_out)
    return Decision(
        axis=axis,
        kept=tuple(figures.candidate for figures in kept),
        excluded=excluded,
        front=tuple(figures.candidate for figures in front),
        unplaced=tuple(figures.candidate for figures in kept if figures not in placed),
        scores=scores,
        choice=choice.candidate if choice else None,
        verdict=(_head(len(kept), len(candidates), bool(excluded)), *_unfinished(candidates), *sentences),
    )


def _no_verdicts(figures: CandidateFigures, compared: PairedComparisons) -> tuple[str, ...]:
    sentence = compared.unanswered.get(figures.candidate)
    return (sentence,) if sentence else ()


def broken(figures: CandidateFigures, limits: Limits, sign: str) -> tuple[str, ...]:
    """Why a candidate is ruled out; empty: it is not."""
    reasons = []
    if limits.stays_here and figures.leaving:
        reasons.append(figures.privacy)
    if limits.no_gpu and figures.needs_gpu:
        reasons.append("It ran on a GPU.")
    if figures.here:  # what runs elsewhere takes no memory here
        reasons.append(_most("memory", figures.memory_bytes, limits.max_memory_bytes, size, limits))
    reasons.append(_most("p95 latency", figures.p95_s, limits.max_p95_s, seconds, limits))
    price = figures.cost_per_1000
    reasons.append(_most("cost of 1,000 requests", price, limits.max_cost, lambda v: money(v, sign), limits))
    if limits.min_macro_f1 is not None and figures.macro_f1 < limits.min_macro_f1:
        reasons.append(f"Its macro-F1 is {percent(figures.macro_f1)}; {percent(limits.min_macro_f1)} is the least.")
    reasons.append(_licence(figures, limits))
    return tuple(reason for reason in reasons if reason)


def _most(what: str, known: float | None, limit: float | None, written: Callable[[float], str], limits: Limits) -> str:
    if limit is None:
        return ""
    if known is None:
        return "" if limits.keep_unknown else f"Its {what} is not known; {written(limit)} is the most."
    return f"Its {what} is {written(known)}; {written(limit)} is the most." if known > limit else ""


def _licence(figures: CandidateFigures, limits: Limits) -> str:
    if not limits.licences:
        return ""
    if figures.licences is None:
        return "" if limits.keep_unknown else "Its licence is not known."
    other = [name for name in figures.licences if name not in limits.licences]
    return f"Its licence is {', '.join(other)}, which is not among those allowed." if other else ""


def value(figures: CandidateFigures, axis: str) -> float | None:
    """A candidate's figure on an axis, smaller is better; energy is the middle of its range. None: not known."""
    if axis == "cost":
        return figures.cost_per_1000
    if axis == "latency":
        return figures.p95_s
    if axis == "energy":
        return figures.energy.middle_wh
    return float(figures.memory_bytes) if figures.memory_bytes is not None else None if figures.here else 0.0


def written(figures: CandidateFigures, axis: str, sign: str) -> str:
    """The figure in words."""
    figure = value(figures, axis)
    if figure is None:
        return f"{axis} not known"
    if axis == "cost":
        return f"{money(figure, sign)} for 1,000 requests"
    if axis == "latency":
        return f"p95 of {seconds(figure)}"
    if axis == "energy":
        return f"{figure:.3g} Wh for 1,000 requests ({figures.energy.source})"
    return f"{size(figure)} of memory" if figures.here else "no memory here"


def pareto(placed: Sequence[CandidateFigures], axis: str) -> list[CandidateFigures]:
    """Those that none beats: another is at least as good in macro-F1 and on the axis, and better in one. Best first."""
    ordered = sorted(placed, key=lambda figures: (-figures.macro_f1, value(figures, axis) or 0.0))
    front: list[CandidateFigures] = []
    for figures in ordered:
        here = value(figures, axis) or 0.0
        if all(here < (value(other, axis) or 0.0) or _same(figures, other, axis) for other in front):
            front.append(figures)
    return front


def _same(figures: CandidateFigures, other: CandidateFigures, axis: str) -> bool:
    return figures.macro_f1 == other.macro_f1 and value(figures, axis) == value(other, axis)


def scored(kept: Sequence[CandidateFigures], weights: Mapping[str, float]) -> dict[str, float]:
    """Weighted mean of each figure scaled to 0 (worst of those kept) … 1 (best). An unknown figure scores 0.

    Raises InputError for a weight that is none.
    """
    for name, weight in weights.items():
        if name not in (QUALITY, *AXES):
            raise InputError(f"“{name}” can't be weighted.", f"Use {QUALITY}, {', '.join(AXES)}.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1000:
            raise InputError(f"The weight of {name} is {weight!r}.", "Use a number from 0 to 1000.")
    total = sum(weights.values())
    if not total:
        return {}
    scores = {figures.candidate: 0.0 for figures in kept}
    for name, weight in weights.items():
        known = {figures.candidate: _goodness(figures, name) for figures in kept}
        values = [figure for figure in known.values() if figure is not None]
        low, high = min(values, default=0.0), max(values, default=0.0)
        for candidate, figure in known.items():
            if figure is not None:
                share = (figure - low) / (high - low) if high > low else 1.0
                scores[candidate] += weight / total * share
    return scores


def _goodness(figures: CandidateFigures, name: str) -> float | None:
    figure = figures.macro_f1 if name == QUALITY else value(figures, name)
    return figure if name == QUALITY or figure is None else -figure


def _head(kept: int, candidates: int, excluded: bool) -> str:
    if not excluded:
        return (
            f"All {candidates} candidates are within the limits."
            if candidates != 1
            else "The candidate is within the limits."
        )
    return f"{kept} of {candidates} candidates are within the limits."


def _unfinished(candidates: Sequence[CandidateFigures]) -> list[str]:
    """Who has answered fewer texts than the others: its figures are of other texts."""
    most = max((figures.texts for figures in candidates), default=0)
    return [
        f"{figures.candidate} was asked {figures.texts:,} of {most:,} texts so far: its figures are of fewer texts."
        for figures in candidates
        if figures.texts < most
    ]


@dataclass(frozen=True)
class _ChoiceRule:
    """What the choice goes by, and the currency's sign it is told with. margin as in Limits."""

    axis: str
    compared: PairedComparisons
    sign: str
    margin: float


def _choose(
    kept: Sequence[CandidateFigures],
    front: Sequence[CandidateFigures],
    scores: Mapping[str, float],
    rule: _ChoiceRule,
) -> tuple[CandidateFigures | None, list[str]]:
    """The chosen candidate and sentences that say why; None where nothing is kept."""
    axis, sign, margin = rule.axis, rule.sign, rule.margin
    if not kept:
        return None, ["Nothing is left: loosen a limit, or evaluate other candidates."]
    if scores:
        best = max(kept, key=lambda figures: scores[figures.candidate])
        return best, [
            f"By your weights: {best.candidate}, {scores[best.candidate]:.2f} of 1.",
            *_about(best, axis, sign),
        ]
    if not front:
        best = max(kept, key=lambda figures: figures.macro_f1)
        return best, [f"No {axis} is known of any of them; the best macro-F1 is that of {best.candidate}."]
    best = front[0]
    sentences = [f"{best.candidate} has the best macro-F1, {_f1(best)}, at {written(best, axis, sign)}."]
    chosen = best
    for other in reversed(front[1:]):  # from the best on the axis upwards
        pair = rule.compared.pair(best.candidate, other.candidate)
        if pair is None:
            continue
        most_worse = pair.interval[1]
        sentences += [f"{other.candidate} ({_f1(other)}) takes less, {written(other, axis, sign)}. {pair.sentence}"]
        if pair.corrected_p_value >= SHOWN and most_worse <= margin:
            chosen = other
            break
        if pair.corrected_p_value >= SHOWN:
            sentences[-1] += (
                f" It may be up to {100 * most_worse:.0f} points less accurate; {100 * margin:.0f} are accepted."
            )
    why = "best in quality"
    if chosen is not best:
        why = f"at most {100 * margin:.0f} points less accurate than the best, and it takes less"
    return chosen, [*sentences, f"The choice: {chosen.candidate} ({why}).", *_about(chosen, "", sign)]


def _f1(figures: CandidateFigures) -> str:
    low, high = figures.macro_f1_interval
    return f"{percent(figures.macro_f1)} ({100 * low:.0f} to {100 * high:.0f})"


def _about(figures: CandidateFigures, axis: str, sign: str) -> list[str]:
    quality = f"Its macro-F1 is {_f1(figures)}, at {written(figures, axis, sign)}." if axis else ""
    return [sentence for sentence in (quality, figures.privacy) if sentence]
