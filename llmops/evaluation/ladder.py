"""The precision ladder: one model in several precisions, and what each step down changes. Pure.

Verdicts are set against the highest precision's of the same model, whatever the true label is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, parse_candidate
from llmops.core.errors import InputError
from llmops.evaluation.metrics import Metrics
from llmops.history.evaluations import LabelledAnswer

LADDERS = {Kind.ENCODER: ("fp32", "int8"), Kind.DECODER: ("fp32", "bf16", "int8", "nf4")}
_ORDER = ("fp32", "bf16", "fp16", "int8", "nf4")


@dataclass(frozen=True)
class Flip:
    """A text whose verdict changes. before and after: label ids; None where unparsed or failed."""

    place: int
    text: str
    y_true: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Rung:
    """One precision. flips against the ladder's first rung; better and worse: those that become right or wrong."""

    candidate: str
    precision: str
    texts: int
    accuracy: float
    flips: tuple[Flip, ...]
    better: int
    worse: int
    weights_bytes: int | None
    peak_bytes: int | None
    p50_s: float | None
    texts_per_s: float | None


@dataclass(frozen=True)
class Ladder:
    """One model, its precisions from high to low."""

    model: str
    rungs: tuple[Rung, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def rungs(text: str) -> list[str]:
    """A local model in every precision of its ladder. Raises InputError for a remote one."""
    candidate = parse_candidate(text, model_kinds())
    if candidate.kind not in LADDERS:
        raise InputError(f"{text} runs elsewhere, in a precision that is not told.", "Choose a local model.")
    return [str(candidate.with_precision(precision)) for precision in LADDERS[candidate.kind]]


def ladders(rows: Sequence[LabelledAnswer], measured: Sequence[Metrics]) -> list[Ladder]:
    """Every model that was evaluated in two precisions or more."""
    figures = {metrics.candidate: metrics for metrics in measured}
    families: dict[Candidate, list[Candidate]] = defaultdict(list)
    for name in figures:
        try:
            candidate = parse_candidate(name, model_kinds())
        except InputError:
            continue
        if candidate.precision in _ORDER:
            families[replace(candidate, precision=None)].append(candidate)
    answers: dict[str, dict[int, LabelledAnswer]] = defaultdict(dict)
    for row in rows:
        if row.repeat == 0:
            answers[row.candidate][row.place] = row
    return [
        _ladder(family, candidates, figures, answers) for family, candidates in families.items() if len(candidates) > 1
    ]


def _ladder(
    family: Candidate,
    candidates: Sequence[Candidate],
    figures: dict[str, Metrics],
    answers: dict[str, dict[int, LabelledAnswer]],
) -> Ladder:
    ordered = sorted(candidates, key=lambda candidate: _ORDER.index(candidate.precision or ""))
    top = answers[str(ordered[0])]
    return Ladder(
        str(family),
        tuple(_rung(candidate, top, answers[str(candidate)], figures[str(candidate)]) for candidate in ordered),
    )


def _rung(
    candidate: Candidate, top: dict[int, LabelledAnswer], mine: dict[int, LabelledAnswer], figures: Metrics
) -> Rung:
    both = [(top[place], mine[place]) for place in sorted(set(top) & set(mine))]
    flips = [
        Flip(before.place, before.text, before.y_true, before.y_hat, after.y_hat)
        for before, after in both
        if before.y_hat != after.y_hat
    ]
    return Rung(
        candidate=str(candidate),
        precision=candidate.precision or "",
        texts=len(both),
        accuracy=figures.accuracy,
        flips=tuple(flips),
        better=sum(flip.after == flip.y_true for flip in flips),
        worse=sum(flip.before == flip.y_true for flip in flips),
        weights_bytes=figures.weights_bytes,
        peak_bytes=figures.peak_bytes,
        p50_s=(figures.e2e_s or {}).get("p50"),
        texts_per_s=figures.texts_per_s,
    )
