"""What the tabs' fields hold, as the core reads it."""

import pytest

from llmops.core.errors import InputError
from llmops.evaluation.curve import CurveSettings
from llmops.ui.cascade_panel import CascadeInputs
from llmops.ui.curve_panel import CurveInputs
from llmops.ui.decide_inputs import DecisionInputs
from llmops.ui.probes_tab import ContextInputs, LoadInputs
from llmops.ui.training_panel import TrainingInputs

EMPTY = DecisionInputs(*[None] * len(DecisionInputs._fields))


def test_a_curve_has_as_many_seeds_as_are_asked_and_one_where_none_is():
    expected = CurveSettings.read({"base": "base", "method": "setfit", "ks": [1, 4], "seeds": [0, 1]})
    assert CurveInputs("base", "setfit", "1; 4", 2).settings() == expected
    assert CurveInputs("base", "setfit", "1", None).settings().seeds == (0,)
    with pytest.raises(InputError, match="No base encoder"):
        CurveInputs(None, "setfit", "1", None).settings()


def test_percents_of_a_cascade_are_shares_and_empty_fields_no_bounds():
    given = CascadeInputs("a", "b", "cost", "1,5", "", "20", None, None).given()
    assert given == {
        "goal": "cost", "seed": 0, "max_cost": 1.5, "max_p95_s": None, "max_leaving": 0.2, "min_macro_f1": None,
    }  # fmt: skip


def test_only_what_is_filled_in_or_edited_goes_into_a_decision():
    inputs = EMPTY._replace(weigh_cost=2, weigh_energy=0, margin=5, utilisation=50, max_cost="0,1", cpu_machine="")
    given = inputs.given()
    assert (given["weights"], given["margin"], given["utilisation"]) == ({"cost": 2}, 0.05, 0.5)
    assert given["max_cost"] == 0.1
    assert "cpu_machine" not in given and given["prices"] == {}
    assert "weights" not in EMPTY.given()
    edited = EMPTY._replace(prices=[["openai/mine", 1, "2,5"], ["openai/half", 1, ""], ["", 1, 2]]).assumed()
    assert edited["prices"] == {"openai/mine": [1.0, 2.5]}
    with pytest.raises(InputError, match="“soon” is no number"):
        EMPTY._replace(max_p95_s="soon").given()


def test_probes_read_lists_of_numbers_and_the_pages_language():
    load = LoadInputs("c", "open", "1; 2.5", None, 2.0, None).given("de")
    assert (load["levels"], load["requests_each"], load["slo_tpot_s"], load["language"]) == ([1, 2.5], 0, None, "de")
    context = ContextInputs("c", "64, 128", "0, 1", " here ", " a ").given("en")
    assert (context["lengths"], context["finding"], context["label"]) == ([64, 128], "here", "a")


def test_a_training_takes_whole_numbers():
    settings = TrainingInputs("base", "few-shot", 8.0, None, None).settings()
    assert (settings.k, settings.seed) == (8, 0)
