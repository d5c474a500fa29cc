"""Percentiles, accuracy and macro-F1 against numpy's and scikit-learn's own."""

import random

import pytest

from llmops.core.statistics import accuracy, f1_scores, macro_f1, macro_f1_of_marks, percentile, percentiles


def test_percentiles_are_numpys_and_unknown_values_are_left_out():
    import numpy as np

    values = [0.3, 0.1, 2.5, 0.7]
    assert percentile(values, 95) == np.percentile(values, 95)
    assert percentiles([*values, None], (50, 99)) == {"p50": 0.5, "p99": np.percentile(values, 99)}
    assert percentile([], 50) is None
    assert percentiles([None], (50,)) is None
    assert percentile([0.0], 50) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_and_macro_f1_are_scikit_learns(seed):
    from sklearn.metrics import accuracy_score, f1_score

    rng = random.Random(seed)
    true = [rng.choice("ab") for _ in range(50)]
    said = [rng.choice(["a", "b", "c", None]) for _ in range(50)]
    known = [label or "?" for label in said]
    seen = sorted({*true, *known} - {"?"})
    assert accuracy(true, said) == accuracy_score(true, known)
    assert macro_f1(true, said, ["a", "b", "c", "d"]) == pytest.approx(
        f1_score(true, known, labels=seen, average="macro", zero_division=0.0)
    )


def test_nothing_true_or_said_has_an_f1_of_zero():
    import numpy as np

    assert macro_f1_of_marks(np.zeros((2, 3), bool), np.zeros((2, 3), bool)) == 0.0
    assert f1_scores(np.array([[1, 0]]), np.array([[4, 0]])).tolist() == [[0.5, 0.0]]
