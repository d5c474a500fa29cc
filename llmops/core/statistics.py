"""Percentiles, accuracy and macro-F1: one definition of each, for metrics, curves, decisions, probes and benchmarks.

Percentiles are by linear interpolation between the two nearest values (Hyndman and Fan's type 7, numpy's default).
F1 of a label is 2 · hits / (true + said), 0 where it is neither; an unparsed or failed answer (None) is no label.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def percentile(values: "Sequence[float] | np.ndarray", share: float) -> float | None:
    """The value that `share` percent (0 to 100) lie at or below; None of no values."""
    import numpy as np

    return float(np.percentile(values, share)) if len(values) else None


def percentiles(values: Sequence[float | None], shares: Sequence[int]) -> dict[str, float] | None:
    """ "p50" and the like → percentile of the known values; None where none is known."""
    known = [value for value in values if value is not None]
    found = {f"p{share}": percentile(known, share) for share in shares}
    return {name: value for name, value in found.items() if value is not None} or None


def accuracy(true: Sequence[str], said: Sequence[str | None]) -> float:
    """Share of texts whose label was said; 0 to 1. Raises ZeroDivisionError of no texts."""
    return sum(label == answer for label, answer in zip(true, said, strict=True)) / len(true)


def macro_f1(true: Sequence[str], said: Sequence[str | None], labels: Sequence[str]) -> float:
    """Mean F1 of those labels that are true or said of some text, 0 to 1, as scikit-learn's f1_score has it."""
    import numpy as np

    is_true = np.array([[label == name for name in labels] for label in true])
    is_said = np.array([[answer == name for name in labels] for answer in said])
    return macro_f1_of_marks(is_true, is_said)


def macro_f1_of_marks(is_true: "np.ndarray", is_said: "np.ndarray") -> float:
    """The same out of (texts, labels) booleans; 0 where no label is true or said."""
    totals = is_true.sum(axis=0) + is_said.sum(axis=0)
    seen = totals > 0
    return float(f1_scores((is_true & is_said).sum(axis=0)[seen], totals[seen]).mean()) if seen.any() else 0.0


def f1_scores(hits: "np.ndarray", totals: "np.ndarray") -> "np.ndarray":
    """F1 of each label. hits: texts where it is true and said; totals: where it is true plus where it is said."""
    import numpy as np

    scores: np.ndarray = np.divide(2 * hits, totals, out=np.zeros(np.shape(totals)), where=totals > 0)
    return scores
