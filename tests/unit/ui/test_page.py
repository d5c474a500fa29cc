"""Lists of what is kept are read anew when their tab is shown, and leave what is chosen and open as it is."""

import gradio as gr
import pytest

from llmops.core.settings import Settings
from llmops.history.store import History
from llmops.hub.reachability import HubProbe
from llmops.ui.page import build
from llmops.ui.services import Services
from tests.support import history_rows
from tests.support.pools import make_pool


@pytest.fixture(scope="module")
def page_and_history(tmp_path_factory):
    settings = Settings(tmp_path_factory.mktemp("kept"))
    return build(Services(settings, make_pool(10**6), HubProbe(offline=True))), History(settings.history_path)


def shown(page, elem_id):
    """What runs when a tab is shown: the callback, and the ids of what it fills."""
    tabs = {block._id: block.elem_id for block in page.blocks.values() if isinstance(block, gr.Tab)}
    found = [
        fn for fn in page.fns.values() if any(tabs.get(id_) == elem_id for id_, on in fn.targets if on == "select")
    ]
    assert len(found) == 1
    return found[0].fn, [component.elem_id for component in found[0].outputs]


def begin(history):
    return history_rows.begin(history, candidates=("embedded/decoder@bf16",), settings={}, left_out=0)


def test_the_evaluate_tab_lists_what_was_made_meanwhile_and_keeps_the_choice_unless_it_is_gone(page_and_history):
    page, history = page_and_history
    listed, filled = shown(page, "evaluation")
    kept, later = begin(history), begin(history)
    update = listed(kept, None)
    assert {kept, later} <= {number for _, number in update["choices"]}
    assert "value" not in update
    history.evaluations.delete(kept)
    update = listed(kept, None)
    assert update["value"] is None and later in [number for _, number in update["choices"]]
    assert filled == ["kept-evaluations"]


def test_the_history_tab_lists_anew_and_touches_nothing_that_is_open_or_chosen(page_and_history):
    page, history = page_and_history
    listed, filled = shown(page, "history")
    assert filled == ["history-found", "history-a", "history-b", "history-said"]
    number = begin(history)
    rows, first, second, said = listed("evaluation", None)
    assert number in [row[0] for row in rows["value"]["data"]]
    assert number in [value for _, value in first["choices"]] and "value" not in first and "value" not in second
    assert said == ""
