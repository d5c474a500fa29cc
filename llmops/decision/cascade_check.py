"""A chosen cascade beside its two stages alone, on texts that had no part in choosing: is it better than both?"""

from collections.abc import Sequence
from dataclasses import dataclass

from llmops.core.format import percent
from llmops.core.intervals import Interval, macro_f1_interval, rate_interval
from llmops.core.statistics import accuracy, macro_f1
from llmops.evaluation.pairs import SHOWN, compare_with
from llmops.history.evaluations import LabelledAnswer


@dataclass(frozen=True)
class QualityOnHalf:
    """A candidate's quality on the reported half, with 95 % intervals; a text without a verdict counts as wrong."""

    candidate: str
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval


@dataclass(frozen=True)
class CascadeCheck:
    """The cascade, its first and its second stage alone; beats_both: shown by paired, corrected tests."""

    qualities: tuple[QualityOnHalf, ...]
    beats_both: bool
    sentences: tuple[str, ...]


def check(rows: Sequence[LabelledAnswer], names: Sequence[str]) -> CascadeCheck:
    """rows: of the cascade, the first and the second stage on the same texts, whose names are given in this order."""
    labels = sorted({label for row in rows for label in (row.y_true, row.y_hat) if label is not None})
    qualities = [_quality(name, [row for row in rows if row.candidate == name], labels) for name in names]
    cascade, stages = names[0], names[1:]
    compared = compare_with(rows, cascade, stages)
    pairs = [(stage, compared.pair(cascade, stage)) for stage in stages]
    not_shown = [
        stage for stage, pair in pairs if pair is None or pair.difference <= 0 or pair.corrected_p_value >= SHOWN
    ]
    told = [*compared.unanswered.values(), *(pair.sentence for pair in compared.pairs)]
    return CascadeCheck(
        tuple(qualities), not not_shown, (_verdict(qualities, not_shown, len(rows) // len(names)), *told)
    )


def _verdict(qualities: Sequence[QualityOnHalf], not_shown: Sequence[str], texts: int) -> str:
    if not not_shown:
        return f"The cascade is better than both stages alone on the {texts:,} texts that had no part in choosing."
    best = max(qualities, key=lambda quality: quality.macro_f1)
    low, high = best.macro_f1_interval
    return (
        f"The cascade is not shown to be better than {' and '.join(not_shown)} alone. Highest macro-F1 on the "
        f"{texts:,} texts that had no part in choosing: {best.candidate}, {percent(best.macro_f1)} "
        f"({100 * low:.0f} to {100 * high:.0f})."
    )


def _quality(name: str, rows: Sequence[LabelledAnswer], labels: Sequence[str]) -> QualityOnHalf:
    true, said = [row.y_true for row in rows], [row.y_hat for row in rows]
    right = sum(row.y_true == row.y_hat for row in rows)
    return QualityOnHalf(
        name,
        accuracy(true, said),
        rate_interval(right, len(rows)),
        macro_f1(true, said, labels),
        macro_f1_interval(true, said, labels),
    )
