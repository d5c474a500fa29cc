"""Metrics of recorded rows: quality with intervals, calibration, stability, latency.

scikit-learn does the arithmetic; intervals are `core.intervals`', and who is better than whom is `pairs`'. An unparsed
or failed answer counts as wrong, never as missing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.core.intervals import Interval, macro_f1_interval, optional_rate_interval, rate_interval
from llmops.core.statistics import accuracy, macro_f1, percentiles
from llmops.evaluation.batch_sizes import batch_share_s
from llmops.history.evaluations import LabelledAnswer, Row

_NONE = "(none)"  # stands for unparsed and failed among the predictions; no label can be called so
_BINS = 10


@dataclass(frozen=True)
class LabelMetrics:
    """One label's precision, recall and F1, and how many texts have it. An interval is None where nothing was counted:
    of precision, where the label was never said; of recall, where no text has it.
    """

    precision: float
    recall: float
    f1: float
    support: int
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None


@dataclass(frozen=True)
class Calibration:
    """Reliability in ten equal bins of confidence; ece: mean gap weighted by count (Guo et al. 2017)."""

    ece: float
    bins: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Metrics:
    """A candidate's figures over its rows. Intervals (95 %): core.intervals; times in seconds, peaks in bytes.

    confusion: true label → predicted label (or "(none)") → count.
    """

    candidate: str
    texts: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    by_label: dict[str, LabelMetrics]
    confusion: dict[str, dict[str, int]]
    by_language: dict[str, float]
    by_language_interval: dict[str, Interval]
    macro_f1_by_language: dict[str, float]
    unparsed_rate: float
    unparsed_interval: Interval
    failed_rate: float
    failed_interval: Interval
    calibration: Calibration | None
    flip_rate: float | None
    flip_interval: Interval | None
    e2e_s: dict[str, float] | None
    texts_per_s: float | None
    peak_bytes: int | None
    weights_bytes: int | None
    batched_texts: int = 0
    batched_texts_per_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def measure(rows: Sequence[Row], labels: Sequence[str], seed: int = 0) -> list[Metrics]:
    """Metrics of each candidate, in order of appearance. Quality is over the first repeat."""
    by_candidate: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_candidate[row.candidate].append(row)
    return [_measure(candidate, own_rows, labels, seed) for candidate, own_rows in by_candidate.items()]


def _measure(candidate: str, rows: Sequence[Row], labels: Sequence[str], seed: int) -> Metrics:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    first = [row for row in rows if row.repeat == 0]
    true, answers = [row.y_true for row in first], [row.y_hat or _NONE for row in first]
    seen = {*true, *answers}  # as scikit-learn does: a label that was only said counts, with an F1 of 0
    names = [label for label in labels if label in seen]
    precision, recall, f1, support = precision_recall_fscore_support(true, answers, labels=names, zero_division=0.0)
    columns = [*labels, _NONE]
    matrix = confusion_matrix(true, answers, labels=columns)
    times = [row.run.timing.e2e_s for row in first if row.run.timing.e2e_s is not None]
    flips = _flips(rows)
    languages = {
        language: [row for row in first if row.language == language]
        for language in dict.fromkeys(row.language for row in first)
    }
    unparsed, failed = sum(row.unparsed for row in first), sum(row.failed for row in first)
    return Metrics(
        candidate=candidate,
        texts=len(first),
        accuracy=accuracy(true, answers),
        accuracy_interval=_accuracy_interval(first),
        macro_f1=_macro_f1(first, labels),
        macro_f1_interval=macro_f1_interval(true, answers, names, seed),
        by_label={
            name: LabelMetrics(
                float(precision[i]),
                float(recall[i]),
                float(f1[i]),
                int(support[i]),
                optional_rate_interval(hits := _hits(true, answers, name), answers.count(name)),
                optional_rate_interval(hits, int(support[i])),
            )
            for i, name in enumerate(names)
        },
        confusion={
            name: {column: int(matrix[i][j]) for j, column in enumerate(columns) if matrix[i][j]}
            for i, name in enumerate(columns)
            if name in set(true)
        },
        by_language={language: sum(_right(own)) / len(own) for language, own in languages.items()},
        by_language_interval={language: _accuracy_interval(own) for language, own in languages.items()},
        macro_f1_by_language={language: _macro_f1(own, labels) for language, own in languages.items()},
        unparsed_rate=unparsed / len(first),
        unparsed_interval=rate_interval(unparsed, len(first)),
        failed_rate=failed / len(first),
        failed_interval=rate_interval(failed, len(first)),
        calibration=_calibration(first),
        flip_rate=None if flips is None else flips[0] / flips[1],
        flip_interval=None if flips is None else rate_interval(*flips),
        e2e_s=percentiles(times, (50, 90, 99)),
        texts_per_s=len(times) / sum(times) if times and sum(times) else None,
        peak_bytes=max((peak for row in first if (peak := row.run.memory.peak_bytes) is not None), default=None),
        weights_bytes=next((row.run.memory.weights_bytes for row in first if not row.failed), None),
        batched_texts=len(shared := [share for row in first if (share := batch_share_s(row.run)) is not None]),
        batched_texts_per_s=len(shared) / sum(shared) if shared else None,
    )


def _macro_f1(rows: Sequence[LabelledAnswer], labels: Sequence[str]) -> float:
    return macro_f1([row.y_true for row in rows], [row.y_hat for row in rows], labels)


def _right(rows: Sequence[LabelledAnswer]) -> list[bool]:
    return [row.y_hat == row.y_true for row in rows]


def _calibration(rows: Sequence[Row]) -> Calibration | None:
    """Confidence is the largest probability; None where no run has probabilities."""
    import numpy as np

    pairs = []
    for row in rows:
        shares = row.run.probabilities
        if shares:
            best = max(shares, key=lambda label: shares[label])
            pairs.append((shares[best], best == row.y_true))
    if not pairs:
        return None
    confidence = np.array([best_share for best_share, _ in pairs])
    right = np.array([is_right for _, is_right in pairs], float)
    places = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = []
    for place in range(_BINS):
        inside = places == place
        if inside.any():
            bins.append((float(confidence[inside].mean()), float(right[inside].mean()), int(inside.sum())))
    ece = sum(abs(mean_confidence - share_right) * count for mean_confidence, share_right, count in bins) / len(pairs)
    return Calibration(float(ece), tuple(bins))


def _hits(true: Sequence[str], answers: Sequence[str], name: str) -> int:
    return sum(label == answer == name for label, answer in zip(true, answers, strict=True))


def _accuracy_interval(rows: Sequence[LabelledAnswer]) -> Interval:
    return rate_interval(sum(_right(rows)), len(rows))


def _flips(rows: Sequence[LabelledAnswer]) -> tuple[int, int] | None:
    """How many texts' verdicts are not the same in every repeat, and of how many; None with one repeat."""
    by_place: dict[int, list[str | None]] = defaultdict(list)
    for row in rows:
        by_place[row.place].append(row.y_hat)
    repeated = [verdicts for verdicts in by_place.values() if len(verdicts) > 1]
    return (sum(len(set(verdicts)) > 1 for verdicts in repeated), len(repeated)) if repeated else None
