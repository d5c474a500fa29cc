"""Metrics against scikit-learn's and SciPy's own figures, and what they say in words."""

import random

import pytest

from llmops.core.run import Memory, Run, Timing
from llmops.evaluation.metrics import compare, measure
from llmops.history.evaluations import Row

LABELS = ("a", "b", "c")


def row(place, y_true, y_hat, candidate="one", repeat=0, shares=None, failed=False, language="en"):
    run = Run(candidate, label=y_hat, probabilities=shares, timing=Timing(e2e_s=0.1), memory=Memory(weights_bytes=5))
    unparsed = y_hat is None and not failed
    return Row(candidate, place, repeat, f"t{place}", language, y_true, y_hat, unparsed, failed, "", run)


@pytest.fixture(scope="module")
def rows():
    rng = random.Random(3)
    return [
        row(place, rng.choice(LABELS), rng.choice([*LABELS, None]), language=rng.choice(["de", "en"]))
        for place in range(200)
    ]


def test_quality_is_scikit_learns(rows):
    from sklearn.metrics import accuracy_score, classification_report, f1_score

    (found,) = measure(rows, LABELS)
    true, said = [row.y_true for row in rows], [row.y_hat or "?" for row in rows]
    report = classification_report(true, said, labels=list(LABELS), output_dict=True, zero_division=0)
    assert found.accuracy == accuracy_score(true, said)
    assert found.macro_f1 == pytest.approx(f1_score(true, said, labels=list(LABELS), average="macro"))
    for label in LABELS:
        assert found.by_label[label].precision == pytest.approx(report[label]["precision"])
        assert found.by_label[label].recall == pytest.approx(report[label]["recall"])
        assert found.by_label[label].support == report[label]["support"]
    assert sum(sum(line.values()) for line in found.confusion.values()) == 200
    assert found.unparsed_rate == said.count("?") / 200
    assert found.accuracy_interval[0] < found.accuracy < found.accuracy_interval[1]
    assert found.macro_f1_interval[0] < found.macro_f1 < found.macro_f1_interval[1]


def test_the_bootstrap_of_macro_f1_resamples_scikit_learns_macro_f1(rows):
    import numpy as np
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(1)
    true, said = np.array([row.y_true for row in rows]), np.array([row.y_hat or "?" for row in rows])
    drawn = [rng.integers(0, 200, 200) for _ in range(200)]
    theirs = [f1_score(true[indices], said[indices], labels=list(LABELS), average="macro") for indices in drawn]
    (found,) = measure(rows, LABELS)
    assert found.macro_f1_interval[0] == pytest.approx(np.percentile(theirs, 2.5), abs=0.025)
    assert found.macro_f1_interval[1] == pytest.approx(np.percentile(theirs, 97.5), abs=0.025)


def test_by_language_and_failures_count_as_wrong():
    found = measure([row(0, "a", "a", language="de"), row(1, "a", None, failed=True), row(2, "b", "b")], LABELS)[0]
    assert found.by_language == {"de": 1.0, "en": 0.5}
    assert found.failed_rate == pytest.approx(1 / 3)
    assert found.unparsed_rate == 0


def test_calibration_is_zero_for_the_honest_and_large_for_the_boastful():
    honest = [row(n, "a", "a" if n % 4 else "b", shares={"a": 0.75, "b": 0.25}) for n in range(40)]
    boastful = [row(n, "a" if n % 2 else "b", "a", shares={"a": 0.99, "b": 0.01}) for n in range(40)]
    assert measure([row(n, "a" if n % 4 else "b", "a", shares={"a": 0.75, "b": 0.25}) for n in range(40)], LABELS)[
        0
    ].calibration.ece == pytest.approx(0.0, abs=1e-9)
    assert measure(boastful, LABELS)[0].calibration.ece == pytest.approx(0.49)
    assert measure(honest, LABELS)[0].calibration.bins[0][2] == 40
    assert measure([row(0, "a", "a")], LABELS)[0].calibration is None


def test_flip_rate_is_the_share_of_texts_that_change_over_repeats():
    rows = [row(0, "a", "a"), row(0, "a", "b", repeat=1), row(1, "a", "a"), row(1, "a", "a", repeat=1)]
    assert measure(rows, LABELS)[0].flip_rate == 0.5
    assert measure(rows[:1], LABELS)[0].flip_rate is None
    assert measure(rows, LABELS)[0].accuracy == 1.0  # quality is the first repeat's


def test_a_pair_is_mcnemars_exact_test_in_a_sentence():
    from scipy.stats import binomtest

    first = [row(n, "a", "a") for n in range(30)]
    other = [row(n, "a", "b" if n < 12 else "a", "other") for n in range(30)]
    found = compare([*first, *other], "one", "other")
    assert (found.only_one_right, found.only_other_right, found.texts) == (12, 0, 30)
    assert found.p_value == binomtest(12, 12).pvalue
    assert found.difference == pytest.approx(0.4)
    assert found.interval[0] < 0.4 < found.interval[1]
    assert found.sentence.startswith("one is better than other by 40.0 points")
    few = compare([*first[:3], *other[:3]], "one", "other")
    assert "Too few" in few.sentence
    mixed = [row(n, "a", "a" if n % 2 else "b", "other") for n in range(30)]
    half = [row(n, "a", "b" if n % 2 else "a") for n in range(30)]
    assert "No difference" in compare([*half, *mixed], "one", "other").sentence
