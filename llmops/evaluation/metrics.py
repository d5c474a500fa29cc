"""Metrics of recorded rows: quality with intervals, paired comparison, calibration, stability, latency.

scikit-learn and SciPy do the arithmetic. An unparsed or failed answer counts as wrong, never as missing.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.core.statistics import accuracy, central_interval, f1_scores, macro_f1, percentiles
from llmops.evaluation.batch_sizes import batch_share_s
from llmops.history.evaluations import LabelledAnswer, Row

_NONE = "(none)"  # stands for unparsed and failed among the predictions; no label can be called so
_RESAMPLES = 2000
_BINS = 10


@dataclass(frozen=True)
class LabelMetrics:
    """One label's precision, recall and F1, and how many texts have it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Calibration:
    """Reliability in ten equal bins of confidence; ece: mean gap weighted by count (Guo et al. 2017)."""

    ece: float
    bins: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Metrics:
    """A candidate's figures over its rows. Intervals are 95 % bootstrap percentiles; times in seconds, peaks in bytes.

    confusion: true label → predicted label (or "(none)") → count.
    """

    candidate: str
    texts: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    by_label: dict[str, LabelMetrics]
    confusion: dict[str, dict[str, int]]
    by_language: dict[str, float]
    macro_f1_by_language: dict[str, float]
    unparsed_rate: float
    failed_rate: float
    calibration: Calibration | None
    flip_rate: float | None
    e2e_s: dict[str, float] | None
    texts_per_s: float | None
    peak_bytes: int | None
    weights_bytes: int | None
    batched_texts: int = 0
    batched_texts_per_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Pair:
    """Two candidates on the same texts. difference: accuracy of one minus other; p_value: McNemar's exact test."""

    one: str  # the fields' names are keys of the endpoints' answers
    other: str
    texts: int
    only_one_right: int
    only_other_right: int
    difference: float
    interval: tuple[float, float]
    p_value: float
    sentence: str

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
    import numpy as np
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    first = [row for row in rows if row.repeat == 0]
    true, answers = [row.y_true for row in first], [row.y_hat or _NONE for row in first]
    seen = {*true, *answers}  # as scikit-learn does: a label that was only said counts, with an F1 of 0
    names = [label for label in labels if label in seen]
    precision, recall, f1, support = precision_recall_fscore_support(true, answers, labels=names, zero_division=0.0)
    columns = [*labels, _NONE]
    matrix = confusion_matrix(true, answers, labels=columns)
    times = [row.run.timing.e2e_s for row in first if row.run.timing.e2e_s is not None]
    return Metrics(
        candidate=candidate,
        texts=len(first),
        accuracy=accuracy(true, answers),
        accuracy_interval=_interval(_right(first), seed),
        macro_f1=_macro_f1(first, labels),
        macro_f1_interval=_f1_interval(true, answers, names, seed),
        by_label={
            name: LabelMetrics(float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
            for i, name in enumerate(names)
        },
        confusion={
            name: {column: int(matrix[i][j]) for j, column in enumerate(columns) if matrix[i][j]}
            for i, name in enumerate(columns)
            if name in set(true)
        },
        by_language={
            language: float(np.mean(_right([row for row in first if row.language == language])))
            for language in dict.fromkeys(row.language for row in first)
        },
        macro_f1_by_language={
            language: _macro_f1([row for row in first if row.language == language], labels)
            for language in dict.fromkeys(row.language for row in first)
        },
        unparsed_rate=float(np.mean([row.unparsed for row in first])),
        failed_rate=float(np.mean([row.failed for row in first])),
        calibration=_calibration(first),
        flip_rate=_flips(rows),
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


def _interval(values: Sequence[float | bool], seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap of a mean.

    How often each distinct value is drawn is multinomial: the same resamples, without drawing row by row.
    """
    import numpy as np

    distinct, counts = np.unique(np.asarray(values, float), return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), _RESAMPLES)
    return central_interval(drawn @ distinct / len(values))


def _f1_interval(true: Sequence[str], answers: Sequence[str], names: Sequence[str], seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap of macro-F1, from how often each pair of true and said label is drawn."""
    import numpy as np

    pairs = list(Counter(zip(true, answers, strict=True)).items())
    shares = np.array([count for _, count in pairs]) / len(true)
    drawn = np.random.default_rng(seed).multinomial(len(true), shares, _RESAMPLES)
    is_true = np.array([[pair[0] == name for name in names] for pair, _ in pairs])
    is_answer = np.array([[pair[1] == name for name in names] for pair, _ in pairs])
    scores = f1_scores(drawn @ (is_true & is_answer), drawn @ (is_true * 1 + is_answer * 1))  # (resamples, labels)
    return central_interval(scores.mean(axis=1))


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


def _flips(rows: Sequence[LabelledAnswer]) -> float | None:
    """Share of texts whose verdict is not the same in every repeat; None with one repeat."""
    by_place: dict[int, list[str | None]] = defaultdict(list)
    for row in rows:
        by_place[row.place].append(row.y_hat)
    repeated = [verdicts for verdicts in by_place.values() if len(verdicts) > 1]
    return sum(len(set(verdicts)) > 1 for verdicts in repeated) / len(repeated) if repeated else None


def compare(rows: Sequence[LabelledAnswer], first: str, second: str, seed: int = 0) -> Pair:
    """Two candidates on the texts that both have. McNemar's exact test is a binomial one on the discordant pairs."""
    import numpy as np
    from scipy.stats import binomtest

    right: dict[str, dict[int, bool]] = {
        name: {row.place: row.y_hat == row.y_true for row in rows if row.candidate == name and row.repeat == 0}
        for name in (first, second)
    }
    places = sorted(set(right[first]) & set(right[second]))
    differences = [int(right[first][place]) - int(right[second][place]) for place in places]
    ahead, behind = differences.count(1), differences.count(-1)
    p_value = float(binomtest(ahead, ahead + behind, 0.5).pvalue) if ahead + behind else 1.0
    interval = _interval(differences, seed) if places else (0.0, 0.0)
    difference = float(np.mean(differences)) if places else 0.0
    sentence = _sentence(first, second, difference, interval, p_value, ahead + behind)
    return Pair(first, second, len(places), ahead, behind, difference, interval, p_value, sentence)


def _sentence(
    first: str, second: str, difference: float, interval: tuple[float, float], p_value: float, discordant: int
) -> str:
    better, worse = (first, second) if difference > 0 else (second, first)
    size = f"{abs(difference) * 100:.1f} points"
    low, high = sorted(edge * (100 if difference > 0 else -100) + 0.0 for edge in interval)
    span = f"95 % interval {low:.1f} to {high:.1f}"
    if not discordant:
        return f"{first} and {second} are right on the same texts and wrong on the same: nothing tells them apart here."
    if discordant < 6:  # with fewer, even a clean sweep has p above 0.05
        return (
            f"Too few texts to tell {first} and {second} apart: only {discordant} of them are answered rightly by one "
            f"and wrongly by the other (difference {size}, {span})."
        )
    if p_value < 0.05:
        return f"{better} is better than {worse} by {size} ({span}; p = {p_value:.3g})."
    return (
        f"No difference between {first} and {second} is shown: "
        f"{better} is ahead by {size} ({span}; p = {p_value:.2f}). "
        "More texts may show one."
    )
