"""Hard limits, the Pareto front, weights and the verdict, on rows whose figures are known."""

import pytest

from llmops.core.errors import InputError
from llmops.core.format import money
from llmops.decision.assumptions import assume
from llmops.decision.decide import Limits, decide, pareto
from llmops.decision.figures import figures
from llmops.evaluation.pairs import compare_all
from tests.support.recorded_rows import DECODER, ENCODER, HARDWARE, HOSTED, OPENAI, remote, row

AT = assume({"utilisation": 0.5, "cpu_usd_hour": 0.36, "cpu_watts": 36}, HARDWARE)
TEXTS = 40


def said(place, wrong):
    """A label that is wrong in the first so many texts."""
    true = "ab"[place % 2]
    return true, "ba"[place % 2] if place < wrong else true


def rows(candidate, wrong, make=row, **more):
    return [
        make(candidate, place, true=said(place, wrong)[0], said=said(place, wrong)[1], **more) for place in range(TEXTS)
    ]


ROWS = [
    *rows(ENCODER, 8, e2e_s=0.01, sure=0.9, wrote=None),
    *rows(DECODER, 2, e2e_s=0.5, weights=500),
    *rows(OPENAI, 2, remote, e2e_s=1.0),
    *rows(HOSTED, 1, remote, e2e_s=2.0),
    *rows("/some/folder@bf16", 20, e2e_s=0.2, device="cuda:0", weights=None),
]
FOUND = figures(ROWS, ["a", "b"], [OPENAI, ENCODER], AT)
BY_NAME = {figure.candidate: figure for figure in FOUND}


def choose(axis="cost", weights=None, **limits):
    return decide(FOUND, Limits(**limits), axis, compare_all(ROWS, list(BY_NAME)), "$", weights)


def reasons(decision, candidate):
    return next((exclusion.reasons for exclusion in decision.excluded if exclusion.candidate == candidate), ())


def test_figures_keep_the_evaluations_order_and_are_what_the_rows_say():
    assert [figure.candidate for figure in FOUND][:2] == [OPENAI, ENCODER]
    figure = BY_NAME[DECODER]
    assert (figure.accuracy, figure.macro_f1) == (0.95, pytest.approx(0.95))
    assert (figure.p95_s, figure.memory_bytes, figure.leaving) == (0.5, 510, 0.0)
    assert figure.cost_per_1000 == pytest.approx(0.1)  # 0.5 s · 0.36 / 3600 / 0.5 · 1000
    assert figure.licences == ("Apache-2.0",)
    assert BY_NAME["/some/folder@bf16"].licences is None
    assert BY_NAME["/some/folder@bf16"].memory_bytes is None


def test_each_hard_limit_excludes_with_its_reason_and_its_numbers():
    folder = "/some/folder@bf16"
    assert reasons(choose(stays_here=True), OPENAI) == ("Every text leaves this machine: it is sent to OpenAI.",)
    assert reasons(choose(no_gpu=True), folder) == ("It ran on a GPU.",)
    assert reasons(choose(max_memory_bytes=100), DECODER) == ("Its memory is 510 B; 100 B is the most.",)
    assert reasons(choose(max_p95_s=0.1), DECODER) == ("Its p95 latency is 500 ms; 100 ms is the most.",)
    assert reasons(choose(max_cost=0.05), DECODER) == ("Its cost of 1,000 requests is $0.1; $0.05 is the most.",)
    assert reasons(choose(min_macro_f1=0.9), ENCODER) == ("Its macro-F1 is 80.0 %; 90.0 % is the least.",)
    (why,) = reasons(choose(licences=("Apache-2.0",)), OPENAI)
    assert "proprietary" in why
    assert choose(max_memory_bytes=100).kept == (OPENAI, ENCODER, HOSTED)  # an API takes no memory here


def test_an_unknown_figure_under_a_limit_excludes_unless_it_may_stay():
    folder = "/some/folder@bf16"
    found = choose(max_cost=1.0, max_memory_bytes=1000, licences=("Apache-2.0",))
    assert any("cost of 1,000 requests is not known" in reason for reason in reasons(found, HOSTED))
    assert [("not known" in reason) for reason in reasons(found, folder)] == [True, True, True]
    kept = choose(max_cost=1.0, max_memory_bytes=1000, licences=("Apache-2.0",), keep_unknown=True)
    assert reasons(kept, folder) == ()


def test_the_front_holds_what_nothing_beats_on_both_axes():
    assert choose("latency").front == (HOSTED, DECODER, ENCODER)  # OpenAI is as good as the decoder, and slower
    assert choose("cost").front == (DECODER, ENCODER)
    assert choose("cost").unplaced == (HOSTED, "/some/folder@bf16")
    assert choose("memory").front[0] == HOSTED
    front = pareto([BY_NAME[DECODER], BY_NAME[DECODER]], "latency")
    assert len(front) == 2  # two that are the same beat neither


def test_the_choice_is_the_best_where_the_cheaper_one_is_shown_or_may_be_much_worse():
    found = choose("cost", stays_here=True)
    assert found.choice == DECODER
    assert any("It may be up to 27 points less accurate; 5 are accepted." in sentence for sentence in found.verdict)
    assert found.verdict[0] == "3 of 5 candidates are within the limits."
    assert found.verdict[-1] == "Nothing leaves this machine."
    # 6 more mistakes of 40 on the same texts: McNemar's p is 2 · 0.5^6 = 0.031, and 0.22 as one of ten comparisons
    two = [answer for answer in ROWS if answer.candidate in (ENCODER, DECODER)]
    alone = decide(figures(two, ["a", "b"], [], AT), Limits(), "cost", compare_all(two, [ENCODER, DECODER]))
    assert alone.choice == DECODER
    assert any("is better than" in sentence and "p = 0.0312)" in sentence for sentence in alone.verdict)
    assert not any("is better than" in sentence for sentence in found.verdict)


def test_a_candidate_without_verdicts_is_ruled_out_whatever_it_costs():
    silent = [row(HOSTED, place, true=said(place, 0)[0], failed=place >= 4, e2e_s=0.001) for place in range(TEXTS)]
    mine = [*(answer for answer in ROWS if answer.candidate == DECODER), *silent]
    found = decide(figures(mine, ["a", "b"], [], AT), Limits(), "latency", compare_all(mine, [DECODER, HOSTED]))
    assert (found.kept, found.choice) == ((DECODER,), DECODER)
    assert reasons(found, HOSTED)[0].startswith(f"{HOSTED} gave no verdict on 36 of 40 texts (0 unparsed, 36 failed)")
    assert not any("better than" in sentence for sentence in found.verdict)


def test_the_choice_is_the_cheaper_one_where_no_difference_is_shown_and_little_is_possible():
    near = [*rows(DECODER, 2, e2e_s=0.5), *rows(ENCODER, 2, e2e_s=0.01)]
    near[-1] = row(ENCODER, TEXTS - 1, true="b", said="a", e2e_s=0.01)
    found = figures(near, ["a", "b"], [], AT)

    def decision(**limits):
        return decide(found, Limits(**limits), "cost", compare_all(near, [DECODER, ENCODER]))

    assert decision(margin=0.15).choice == ENCODER
    strict = decision(margin=0.01)
    assert strict.choice == DECODER
    assert any("points less accurate; 1 are accepted" in sentence for sentence in strict.verdict)


def test_weights_are_used_only_where_they_are_given():
    assert choose().scores == {}
    found = choose("cost", {"quality": 1, "latency": 1})
    # quality from 0.5 (folder) to 0.975 (hosted), latency from 0.01 to 2 s
    quality = (BY_NAME[ENCODER].macro_f1 - BY_NAME["/some/folder@bf16"].macro_f1) / (
        BY_NAME[HOSTED].macro_f1 - BY_NAME["/some/folder@bf16"].macro_f1
    )
    assert found.scores[ENCODER] == pytest.approx((quality + 1) / 2)
    assert found.choice == max(found.scores, key=lambda name: found.scores[name])
    assert choose("cost", {"quality": 0}).scores == {}
    for wrong in ({"beauty": 1}, {"quality": -1}, {"quality": "much"}, {"quality": True}):
        with pytest.raises(InputError):
            choose("cost", wrong)


def test_where_nothing_is_left_the_verdict_says_so():
    found = choose(min_macro_f1=1.0)
    assert found.choice is None
    assert found.front == ()
    assert "Nothing is left" in found.verdict[-1]


def test_an_unknown_axis_says_which_there_are():
    with pytest.raises(InputError, match="no axis"):
        choose("beauty")


def test_small_amounts_are_not_rounded_to_nothing():
    assert [money(amount, "€") for amount in (None, 1234.5, 0.25, 0.00004567)] == [
        "",
        "€1,234.50",
        "€0.25",
        "€4.57e-05",
    ]
