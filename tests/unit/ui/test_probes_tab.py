"""The Probes tab speaks of its own fields; a program is told of its own settings."""

import gradio as gr
import pytest

from llmops.core.errors import InputError
from llmops.core.settings import load_settings
from llmops.i18n.translation import german
from llmops.probes.load import GivenLoad
from llmops.ui import probes_tab
from llmops.ui.controls import Controls
from llmops.ui.services import Services


@pytest.fixture(scope="module")
def probe_load():
    """The callback behind “Probe load”, with the page's controls as they begin."""
    values = Controls("medical", None, "en", "", [], [], [], 16, 0.0, 0, False, False, False, True, "", "", "", "")
    with gr.Blocks() as page:
        tab = probes_tab.build()
        probes_tab.wire(tab, Controls(*[gr.State(value) for value in values]), Services(load_settings(), None, None))
    asked = next(fn for fn in page.fns.values() if [out.elem_id for out in fn.outputs][1:2] == ["load-said"])
    return lambda ttft, tpot: list(asked.fn(None, "embedded/decoder@bf16", "closed", "1", 1, ttft, tpot, *values))[-1]


@pytest.mark.parametrize(
    ("ttft", "tpot", "english", "deutsch"),
    [
        (0, 0.1, "“Good: TTFT up to, s” is a number of seconds above 0; it is 0.", "„Gut: TTFT bis, s“ ist eine Zahl"),
        (2.0, None, "“Good: TPOT up to, s” is a number of seconds above 0; it is empty.", "angegeben ist nichts."),
    ],
)
def test_a_wrong_objective_is_named_as_the_field_is_labelled(probe_load, ttft, tpot, english, deutsch):
    said = probe_load(ttft, tpot)[1]
    assert english in said and "slo_" not in said
    assert deutsch in german().html(said)


def test_a_program_is_told_the_name_it_used():
    with pytest.raises(InputError, match="slo_ttft_s is a number of seconds above 0; it is 0"):
        GivenLoad.within({"slo_ttft_s": 0}, load_settings())
