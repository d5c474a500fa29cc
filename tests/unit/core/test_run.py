"""A run as JSON and back: exact, and what an older or a newer version wrote is read too."""

import json

import pytest

from llmops.core.run import Energy, Memory, Run, RunError, Source, Stage, Timing

ENERGY = Energy(0.1, 0.2, 5.0, ("CPU 0", "memory 0"))
WHOLE = Run(
    "cascade(c, d, 0.9)",
    text='größer 🦽 \\"sent_to\\"',
    label="a",
    probabilities={"a": 0.9, "b": 0.1},
    warm=True,
    timing=Timing(0.5, 0.0, 0.1, 1 / 3, 10, 5, 1),
    memory=Memory(10, None, 0, None, "cpu"),
    predicted=Memory(11),
    source={"timing": Source.CLIENT, "tokens": Source.SERVER},
    notes=("a note", "another"),
    settings={"seed": 0, "nested": {"list": [1, 2.5, None]}},
    finish="stop",
    energy=ENERGY,
    stages=(Stage("c", Timing(e2e_s=0.2), "cpu", ENERGY), Stage("d", Timing(), None)),
    sent_to="OpenAI",
    error=RunError("endpoint", "It broke.", "Retry."),
)


@pytest.mark.parametrize("run", [WHOLE, Run("c")])
def test_a_run_comes_back_from_its_json_as_it_was(run):
    text = json.dumps(run.to_json(), ensure_ascii=False)
    assert Run.from_json(text) == run
    assert Run.from_json(json.loads(text)) == run


def test_json_holds_plain_data_and_the_derived_figures():
    data = WHOLE.to_json()
    assert json.loads(json.dumps(data)) == data
    assert data["timing"]["texts_per_s"] == pytest.approx(3.0)
    assert data["source"] == {"timing": "client-measured", "tokens": "server-reported"}
    assert data["energy"]["covers"] == ["CPU 0", "memory 0"]


def test_an_older_record_is_read_and_what_it_does_not_tell_is_unknown_and_never_zero():
    old = '{"candidate": "c", "timing": {"e2e_s": 1}, "memory": {"device": "cpu"}, "error": null}'
    for run in (Run.from_json(old), Run.from_json(json.loads(old))):
        assert run == Run("c", timing=Timing(e2e_s=1.0), memory=Memory(device="cpu"), sent_to=None)
        assert (run.timing.ttft_s, run.timing.prompt_tokens, run.memory.weights_bytes, run.energy) == (None,) * 4


def test_names_that_this_version_does_not_know_are_passed_over():
    new = {**WHOLE.to_json(), "colour": "red"}
    new["timing"] |= {"later_s": 1.0}
    new["stages"][0]["later"] = [1]
    assert Run.from_json(json.dumps(new)) == WHOLE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"candidate": "c", "timing": {"e2e_s": "soon"}}'])
def test_what_is_no_run_is_refused(text):
    with pytest.raises(ValueError, match="Run"):
        Run.from_json(text)
