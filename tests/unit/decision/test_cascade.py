"""The cascade from recorded rows: curve, bounds, halves; and that it says what a real cascade's rows would."""

from dataclasses import replace
from itertools import pairwise

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import InputError
from llmops.decision.assumptions import assume
from llmops.decision.cascade import simulate, thresholds
from llmops.decision.threshold_search import Bounds, ThresholdSearch
from tests.support.recorded_rows import DECODER, ENCODER, HARDWARE, OPENAI, remote, row

AT = assume({"utilisation": 0.5, "cpu_usd_hour": 0.36, "cpu_watts": 36, "currency": "USD"}, HARDWARE)


def rows(count=10, second=OPENAI):
    """The encoder is right where it is sure: 0.50, 0.55 … 0.95; the second is always right."""
    found = []
    for place in range(count):
        true = "ab"[place % 2]
        sure = 0.5 + 0.45 * place / (count - 1)
        right = place >= count // 2
        said = true if right else "ba"[place % 2]
        found.append(row(ENCODER, place, true=true, said=said, sure=sure, e2e_s=0.1, wrote=None))
        make = remote if second == OPENAI else row
        found.append(make(second, place, true=true, said=true, e2e_s=1.0))
    return found


def at(found, threshold):
    return min(found.points, key=lambda point: abs(point.threshold - threshold))


def test_the_curve_runs_from_the_first_stage_alone_to_the_second_for_nearly_all():
    found = simulate(rows(), ENCODER, OPENAI, AT)
    alone, all_ = found.points[0], found.points[-1]
    assert (alone.threshold, alone.accuracy, alone.asked, alone.leaving) == (0.0, 0.5, 0.0, 0.0)
    assert (all_.threshold, all_.accuracy, all_.asked, all_.leaving) == (1.0, 1.0, 1.0, 1.0)
    # encoder: 0.1 s · 0.0001 / 0.5 = 0.00002; API: 0.00012; 1,000 of each
    assert alone.cost_per_1000 == pytest.approx(0.02)
    assert all_.cost_per_1000 == pytest.approx(0.14)
    assert (alone.mean_s, all_.mean_s) == (pytest.approx(0.1), pytest.approx(1.1))


def test_a_threshold_between_hands_on_what_is_below_it():
    found = simulate(rows(), ENCODER, OPENAI, AT)
    half = at(found, 0.725)  # five below, five above
    assert (half.accuracy, half.macro_f1, half.asked, half.leaving) == (1.0, 1.0, 0.5, 0.5)
    assert half.cost_per_1000 == pytest.approx(0.02 + 0.06)
    assert half.mean_s == pytest.approx(0.1 + 0.5)
    assert half.p95_s == pytest.approx(1.1)


def test_nothing_leaves_where_the_second_stage_is_here_too():
    found = simulate(rows(second=DECODER), ENCODER, DECODER, AT)
    assert all(point.leaving == 0 for point in found.points)
    assert found.points[-1].wh_per_1000 == pytest.approx(1000 * 36 * 1.1 / 3600)


def test_a_text_the_first_stage_could_not_answer_is_handed_on_at_every_threshold():
    mine = rows()
    mine[0] = row(ENCODER, 0, failed=True)
    found = simulate(mine, ENCODER, OPENAI, AT)
    assert found.points[0].asked == pytest.approx(0.1)


def test_the_best_threshold_is_chosen_on_one_half_and_reported_on_the_other():
    found = simulate(rows(40), ENCODER, OPENAI, AT, ThresholdSearch(seed=3))
    choice = found.choice
    assert choice.texts == (20, 20)
    assert choice.chosen_on.accuracy == 1.0
    assert choice.chosen_on.asked < 0.8  # not more than it takes
    assert choice.reported_on.accuracy < 1.0 or choice.reported_on.asked != choice.chosen_on.asked
    assert simulate(rows(40), ENCODER, OPENAI, AT, ThresholdSearch(seed=3)).choice == choice
    candidate = parse_candidate(found.candidate)
    assert (str(candidate.stages[0]), candidate.threshold) == (ENCODER, choice.threshold)


def test_bounds_hold_on_the_half_that_is_chosen_on_or_there_is_no_choice():
    few = simulate(rows(40), ENCODER, OPENAI, AT, ThresholdSearch(Bounds(max_leaving=0.2)))
    assert few.choice.chosen_on.leaving <= 0.2
    cheap = simulate(rows(40), ENCODER, OPENAI, AT, ThresholdSearch(Bounds(min_macro_f1=0.7), "cost"))
    assert 0.7 <= cheap.choice.chosen_on.macro_f1 < 1.0
    none = simulate(rows(40), ENCODER, OPENAI, AT, ThresholdSearch(Bounds(max_p95_s=0.5, min_macro_f1=0.99)))
    assert none.choice is None
    assert none.candidate == ""
    assert "No threshold" in none.why_not


def test_an_unknown_figure_is_blank_on_the_curve_and_within_no_bound():
    name = "openai/unpriced"
    mine = [
        answer if answer.candidate == ENCODER else remote(name, answer.place, true=answer.y_true, said=answer.y_true)
        for answer in rows()
    ]
    found = simulate(mine, ENCODER, name, AT, ThresholdSearch(Bounds(max_cost=0.001)))
    assert found.points[-1].cost_per_1000 is None
    assert found.points[0].cost_per_1000 is not None  # nothing was asked of the second
    assert found.choice is None


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (DECODER, ENCODER, "no encoder"),
        (ENCODER, ENCODER, "same candidate"),
        (ENCODER, "cascade(embedded/encoder@fp32, embedded/decoder@bf16, 0.5)", "can't be a cascade"),
        (ENCODER, "", "no candidate"),
        (ENCODER, DECODER, "0 texts"),
    ],
)
def test_what_makes_no_cascade_says_why(first, second, words):
    with pytest.raises(InputError, match=words):
        simulate(rows(), first, second, AT)


def test_an_encoder_without_probabilities_and_an_unknown_goal_are_refused():
    mine = [answer if answer.candidate != ENCODER else row(ENCODER, answer.place) for answer in rows()]
    with pytest.raises(InputError, match="no probabilities"):
        simulate(mine, ENCODER, OPENAI, AT)
    with pytest.raises(InputError, match="no goal"):
        simulate(rows(), ENCODER, OPENAI, AT, ThresholdSearch(goal="beauty"))


def test_thresholds_lie_between_confidences_and_not_at_them():
    found = thresholds([0.9, 0.5, 0.5, 0.99999, 0.999995, 0.4999999])
    assert found[0] == 0.0
    assert found[-1] == 1.0
    assert 0.7 in found
    assert all(low < high for low, high in pairwise(found))
    assert not {0.5, 0.9, 0.99999} & set(found)
    many = thresholds([index / 5000 for index in range(5000)])
    assert len(many) == 201


def test_texts_that_shared_a_batch_count_with_the_mean_and_times_are_of_those_that_ran_alone():
    def shared(answer):
        timing = replace(answer.run.timing, e2e_s=None)
        return replace(answer, run=replace(answer.run, timing=timing, settings={"batch_s": 1.0, "batch_texts": 100}))

    mine = [shared(answer) if answer.candidate == ENCODER and answer.place >= 4 else answer for answer in rows()]
    found = simulate(mine, ENCODER, OPENAI, AT)
    assert (found.texts, found.timed) == (10, 4)
    assert found.points[0].cost_per_1000 == pytest.approx(0.02)  # as if all had run alone
    assert found.points[-1].p95_s == pytest.approx(1.1)
    none = simulate([shared(answer) for answer in rows()], ENCODER, OPENAI, AT)
    assert none.points[0].p95_s is None
    assert none.points[0].cost_per_1000 == pytest.approx(1000 * 0.01 * 0.0001 / 0.5)


def test_the_reported_half_shows_the_stages_alone_and_nothing_is_better_that_is_not_shown_to_be():
    """The first stage is right wherever the cascade is, and more often."""
    mine = []
    for place in range(80):
        true = "ab"[place % 2]
        wrong = "ba"[place % 2]
        sure = 0.5 + 0.4 * (place % 40) / 40
        mine.append(row(ENCODER, place, true=true, said=wrong if place % 8 == 0 else true, sure=sure))
        mine.append(row(DECODER, place, true=true, said=wrong if place % 3 == 0 else true))
    found = simulate(mine, ENCODER, DECODER, AT, ThresholdSearch(Bounds(), "quality", seed=1))
    cascade, first, second = found.choice.check.qualities
    assert (cascade.candidate, first.candidate, second.candidate) == (found.candidate, ENCODER, DECODER)
    assert (cascade.accuracy, cascade.macro_f1) == pytest.approx(
        (found.choice.reported_on.accuracy, found.choice.reported_on.macro_f1)
    )
    assert first.accuracy > second.accuracy
    for quality in (cascade, first, second):
        assert quality.macro_f1_interval[0] < quality.macro_f1 < quality.macro_f1_interval[1]
    assert not found.choice.check.beats_both
    assert found.choice.check.sentences[0].startswith("The cascade is not shown to be better than")
    assert not any(
        sentence.startswith("cascade(") and "is better" in sentence for sentence in found.choice.check.sentences
    )


def test_a_cascade_that_beats_both_of_its_stages_is_said_to():
    """Each stage is right where the other is wrong, and the first knows when."""
    mine = []
    for place in range(120):
        true, wrong, sure = "ab"[place % 2], "ba"[place % 2], 0.9 if place % 4 < 2 else 0.6
        mine.append(row(ENCODER, place, true=true, said=true if sure > 0.8 else wrong, sure=sure))
        mine.append(row(DECODER, place, true=true, said=wrong if sure > 0.8 else true))
    check = simulate(mine, ENCODER, DECODER, AT).choice.check
    assert check.beats_both
    assert "better than both stages alone on the 60 texts" in check.sentences[0]
    assert all("by Holm's correction for 2 comparisons" in sentence for sentence in check.sentences[1:])
