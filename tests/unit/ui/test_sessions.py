"""What Gradio holds of a session: no copy of the page, and nothing of what was typed."""

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio import queueing, state_holder

from llmops.ui import sessions

TYPED = "sk-typed-into-the-page"


@pytest.fixture
def light(monkeypatch):
    monkeypatch.setattr(state_holder, "SessionState", state_holder.SessionState)
    monkeypatch.setattr(queueing.Queue, "compute_analytics_summary", queueing.Queue.compute_analytics_summary)
    sessions.keep_light()


def test_a_session_remembers_its_states_and_not_what_was_typed(light):
    with gr.Blocks() as page:
        typed, count, shown = gr.Textbox(), gr.State(0), gr.Textbox()
        gr.Button().click(
            lambda text, number: (number + 1, gr.update(value=f"{number + 1}", label="Counted")),
            [typed, count],
            [count, shown],
            api_name="count",
        )
    app = gr.routes.App.create_app(page.queue())
    with TestClient(app) as client:
        for number in (1, 2, 3):
            body = {"data": [TYPED, None], "fn_index": 0, "session_hash": "s"}
            answer = client.post("/gradio_api/run/predict", json=body)
            assert answer.json()["data"][1]["value"] == str(number), answer.text
    (session,) = app.state_holder.session_data.values()
    assert session.config_values == {}
    assert list(session.state_data.values()) == [3]


def test_no_table_of_events_is_made(light, monkeypatch):
    def fail(*_):
        raise AssertionError("a table was made")

    monkeypatch.setattr(queueing.Queue, "_get_df", fail)
    queue = gr.Blocks().queue()._queue
    queue.events_recorded = 10**6
    assert queue.compute_analytics_summary([{"function": "a"}]) == {"functions": {}}
