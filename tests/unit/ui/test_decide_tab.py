"""The Decide tab's callbacks on a kept evaluation: a decision, a simulated cascade, and the cascade as a candidate."""

import gradio as gr
import pytest

from llmops.core.settings import Settings
from llmops.ui import decide_tab
from llmops.ui.cascade_panel import CandidateLists
from llmops.ui.services import Services
from tests.support.history_rows import begin
from tests.support.recorded_rows import DECODER, ENCODER, row


@pytest.fixture(scope="module")
def callbacks(tmp_path_factory):
    """What each output's callback gives, by the elem_id of the first output; and the tab's values at the beginning."""
    settings = Settings(tmp_path_factory.mktemp("kept"))
    services = Services(settings, None, None)
    history = services.history(None)
    number = begin(history, candidates=[ENCODER, DECODER])
    for place in range(12):
        sure = 0.9 if place % 3 else 0.6
        rows = [row(ENCODER, place, said="a" if sure > 0.6 else "b", sure=sure), row(DECODER, place)]
        history.evaluations.add_rows(number, rows)
    with gr.Blocks() as page:
        tab = decide_tab.build()
        decide_tab.wire(tab, gr.Tab(), CandidateLists(gr.State([]), gr.State([]), gr.State([])), services)
    found = {function.outputs[0].elem_id: function.fn for function in page.fns.values() if function.outputs}
    values = tab.inputs._replace(prices=gr.State([]))  # as rows, as Gradio hands a table over
    return found, number, [component.value for component in values]


def test_a_decision_fills_every_part(callbacks):
    functions, number, values = callbacks
    status, verdict, *_, own, api, break_even, energy = functions["decide-said"](number, None, None, None, *values)
    assert status == ""
    assert "All 2 candidates are within the limits" in verdict
    assert own["value"] in own["choices"] and api["value"] in api["choices"]
    assert "lo-plot" in break_even and energy


def test_a_cascade_is_simulated_and_added_to_the_list_of_its_epoch(callbacks):
    functions, number, values = callbacks
    first, second, *_ = functions["cascade-first"](number, None)
    assert (first["value"], second["value"]) == (ENCODER, DECODER)
    drawn, threshold = functions["cascade"](number, None, ENCODER, DECODER, "quality", "", "", "", "", 0, *values)
    assert "reported on the other 6" in drawn
    assert 0 <= threshold <= 1
    sentence, _, present, _ = functions["cascade-added"](ENCODER, DECODER, 0.75, [], ["x@bf16"], [])
    assert "Added to Present" in sentence
    assert present == ["x@bf16", f"cascade({ENCODER}, {DECODER}, 0.75)"]
