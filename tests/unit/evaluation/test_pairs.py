"""Pairs of candidates against statsmodels' and SciPy's own tests, and what is said of them."""

import random

import pytest

from llmops.evaluation.pairs import compare, compare_all, holm
from tests import german
from tests.unit.evaluation.test_metrics import row


def answers(candidate, said):
    """Texts of label a; None: unparsed, "!": failed."""
    return [row(n, "a", None if s == "!" else s, candidate, failed=s == "!") for n, s in enumerate(said)]


def test_a_pair_is_mcnemars_exact_test_in_a_sentence():
    from statsmodels.stats.contingency_tables import mcnemar

    first, other = answers("one", "a" * 30), answers("other", "b" * 12 + "a" * 18)
    found = compare([*first, *other], "one", "other").pair("one", "other")
    assert (found.only_one_right, found.only_other_right, found.texts) == (12, 0, 30)
    assert found.p_value == found.corrected_p_value == pytest.approx(mcnemar([[18, 12], [0, 0]], exact=True).pvalue)
    assert found.difference == pytest.approx(0.4)
    assert found.interval[0] < 0.4 < found.interval[1]
    assert found.sentence.startswith("one is better than other by 40.0 points (95 % interval ")
    assert found.sentence.endswith("; p = 0.000488).")
    turned = compare([*first, *other], "one", "other").pair("other", "one")
    assert (turned.difference, turned.interval) == (-found.difference, (-found.interval[1], -found.interval[0]))
    few = compare([*first[:3], *other[:3]], "one", "other").pair("one", "other")
    assert "Too few" in few.sentence
    same = compare([*first, *answers("same", "a" * 30)], "one", "same").pair("one", "same")
    assert "nothing tells them apart" in same.sentence
    assert same.interval[0] < 0 < same.interval[1]
    mixed = compare([*answers("one", "ab" * 15), *answers("other", "ba" * 15)], "one", "other").pair("one", "other")
    assert "No difference" in mixed.sentence


def test_several_pairs_are_corrected_as_statsmodels_does_and_say_so():
    from statsmodels.stats.multitest import multipletests

    rng = random.Random(4)
    for count in (1, 2, 3, 6, 45):
        p_values = [rng.random() ** 3 for _ in range(count)]
        assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
    assert holm([]) == []
    three = [*answers("x", "a" * 40), *answers("y", "b" * 7 + "a" * 33), *answers("z", "a" * 33 + "b" * 7)]
    found = compare_all(three, ["x", "y", "z"])
    pair = found.pair("x", "y")
    assert pair.p_value == pytest.approx(2 * 0.5**7)
    assert (pair.corrected_p_value, pair.comparisons) == (pytest.approx(6 * 0.5**7), 3)
    assert pair.sentence.endswith("; p = 0.0469 by Holm's correction for 3 comparisons).")
    assert found.pair("y", "z").sentence.startswith("No difference between y and z is shown")


def test_nobody_is_better_than_another_by_chance_more_than_one_time_in_twenty():
    """The family's error: five candidates that are alike, 400 times."""
    rng, wrongly = random.Random(5), 0
    for _ in range(400):
        rows = [
            answer
            for name in "vwxyz"
            for answer in answers(name, "".join("a" if rng.random() < 0.7 else "b" for _ in range(40)))
        ]
        wrongly += any("is better than" in pair.sentence for pair in compare_all(rows, list("vwxyz")).pairs)
    assert wrongly / 400 <= 0.05


def test_who_mostly_gave_no_verdict_is_better_or_worse_than_nobody():
    rows = [
        *answers("good", "a" * 30),
        *answers("fair", "a" * 20 + "b" * 10),
        *answers("silent", [None] * 20 + ["a"] * 10),
        *answers("broken", ["!"] * 16 + [None] * 14),
        *answers("half", [None] * 15 + ["a"] * 15),
    ]
    found = compare_all(rows, ["good", "fair", "silent", "broken", "half"])
    assert {(pair.one, pair.other) for pair in found.pairs} == {("good", "fair"), ("good", "half"), ("fair", "half")}
    assert found.unanswered == {
        "silent": "silent gave no verdict on 20 of 30 texts (20 unparsed, 0 failed): it is compared with no other.",
        "broken": "broken gave no verdict on 30 of 30 texts (14 unparsed, 16 failed): it is compared with no other.",
    }
    neither = compare_all(rows, ["silent", "broken"])
    assert (neither.pairs, neither.pair("silent", "broken")) == ((), None)


def test_a_corrected_sentence_is_wholly_german_on_a_german_page():
    rows = [*answers("x", "a" * 40), *answers("y", "b" * 20 + "a" * 20), *answers("z", "a" * 33 + "b" * 7)]
    catalogue, missed = german.catalogue()
    told = [catalogue.text(pair.sentence) for pair in compare_all(rows, ["x", "y", "z"]).pairs]
    assert all(sentence.count("nach Holm für 3 Vergleiche korrigiert") == 1 for sentence in told)
    assert missed == []
