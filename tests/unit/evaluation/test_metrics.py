"""Metrics against scikit-learn's and SciPy's own figures, and what they say in words."""

import random

import pytest

from llmops.core.intervals import rate_interval
from llmops.core.run import Memory, Run, Timing
from llmops.evaluation.metrics import measure
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


def test_by_language_and_failures_count_as_wrong():
    found = measure([row(0, "a", "a", language="de"), row(1, "a", None, failed=True), row(2, "b", "b")], LABELS)[0]
    assert found.by_language == {"de": 1.0, "en": 0.5}
    assert found.failed_rate == pytest.approx(1 / 3)
    assert (found.unparsed_rate, found.unparsed_interval) == (0, rate_interval(0, 3))
    assert found.failed_interval == rate_interval(1, 3)
    assert found.by_language_interval == {"de": rate_interval(1, 1), "en": rate_interval(1, 2)}
    assert (found.by_label["a"].recall_interval, found.by_label["a"].precision_interval) == (
        rate_interval(1, 2),
        rate_interval(1, 1),
    )


def test_no_interval_has_a_width_of_zero_and_each_contains_its_figure():
    for right in (0, 1, 5):
        said = ["a" if place < right else "b" for place in range(5)]
        (found,) = measure([row(place, "a", answer) for place, answer in enumerate(said)], LABELS)
        low, high = found.accuracy_interval
        assert low <= found.accuracy <= high and low < high
        low, high = found.macro_f1_interval
        assert low <= found.macro_f1 <= high and low < high
    assert found.accuracy_interval == pytest.approx((0.566, 1.0), abs=0.001)


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
    found = measure(rows, LABELS)[0]
    assert (found.flip_rate, found.flip_interval) == (0.5, rate_interval(1, 2))
    assert measure(rows[:1], LABELS)[0].flip_rate is None
    assert measure(rows, LABELS)[0].accuracy == 1.0  # quality is the first repeat's
