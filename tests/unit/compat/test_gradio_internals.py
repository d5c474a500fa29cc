"""Gradio's sessions, request and outgoing words: as it is inside, and as it is mended."""

import inspect
import json
import threading
from contextlib import nullcontext
from unittest.mock import patch

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio import oauth, queueing, state_holder

from llmops.compat import gradio_internals
from llmops.compat.gradio_internals import RewrittenBlocks
from tests.support.fresh_process import in_fresh_process

TYPED = "sk-typed-into-the-page"


@pytest.fixture
def light(monkeypatch):
    monkeypatch.setattr(state_holder, "SessionState", state_holder.SessionState)
    monkeypatch.setattr(queueing.Queue, "compute_analytics_summary", queueing.Queue.compute_analytics_summary)
    gradio_internals.keep_light()


def session_after_three_calls():
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
    return session


def test_a_session_remembers_its_states_and_not_what_was_typed(light):
    session = session_after_three_calls()
    assert session.config_values == {}
    assert list(session.state_data.values()) == [3]


def gradios_own_session():
    """Its copy of the page, as JSON. In a fresh process: another test may have mended this one."""
    return json.dumps(session_after_three_calls().config_values, default=str)


def test_gradios_own_session_still_copies_the_page_and_what_was_typed_into_it():
    assert TYPED in in_fresh_process(gradios_own_session), "LightSession is no longer needed"


def no_table(*_):
    raise AssertionError("a table was made")


def test_no_table_of_events_is_made(light, monkeypatch):
    monkeypatch.setattr(queueing.Queue, "_get_df", no_table)
    queue = gr.Blocks().queue()._queue
    queue.events_recorded = 10**6
    assert queue.compute_analytics_summary([{"function": "a"}]) == {"functions": {}}


def gradios_own_summary():
    """Whether it asks for the table of events."""
    queue = gr.Blocks().queue()._queue
    queue.events_recorded = 10**6
    with patch.object(queueing.Queue, "_get_df", no_table):
        try:
            queue.compute_analytics_summary([{"function": "a"}])
        except AssertionError:
            return True
    return False


def test_gradios_own_queue_still_makes_a_table_of_events_that_nobody_asks_for():
    assert in_fresh_process(gradios_own_summary), "The summary's patch is no longer needed."


def test_the_request_of_a_callback_is_found_without_being_handed_down_and_nowhere_else():
    def ask():
        return gradio_internals.session_of(gradio_internals.current_request())

    with gr.Blocks() as page:
        gr.Button().click(ask, None, gr.Textbox())
    with TestClient(gr.routes.App.create_app(page.queue())) as client:
        answer = client.post("/gradio_api/run/predict", json={"data": [], "fn_index": 0, "session_hash": "s1"})
    assert answer.json()["data"] == ["s1"]
    told = []
    threading.Thread(target=lambda: told.append(gradio_internals.current_request())).start()
    assert told == [None]
    assert gradio_internals.session_of(None) == ""


def signed_in(**more):
    about = {"userinfo": {"preferred_username": "ada"}, "access_token": "hf_t", **more}
    scope = {"type": "http", "session": {"oauth_info": about}, "headers": [(b"cookie", b"a=1")], "query_string": b""}
    return gr.Request(oauth.fastapi.Request(scope))


def test_a_sign_in_is_where_gradio_keeps_it_and_over_when_gradio_says_so():
    request = signed_in()
    found = gradio_internals.sign_in_of(request)
    assert found == oauth._get_valid_oauth_info_from_session(request.request.session)
    assert not gradio_internals.is_over(found)
    over = signed_in(expires_at=1.0)
    assert gradio_internals.is_over(gradio_internals.sign_in_of(over))
    assert oauth._get_valid_oauth_info_from_session(over.request.session) is None
    assert 'request.session["oauth_info"] = oauth_info' in inspect.getsource(oauth)


def test_a_request_that_never_came_over_http_has_neither_cookies_nor_a_sign_in():
    assert dict(gradio_internals.cookies_of(signed_in())) == {"a": "1"}
    for made_up in (None, gr.Request()):
        assert gradio_internals.cookies_of(made_up) == gradio_internals.sign_in_of(made_up) == {}


class Shouting(RewrittenBlocks):
    def rewritten_config(self, plain):
        return {**plain, "title": f"{plain['title']}!"}

    def rewritten_auth_message(self, plain):
        return f"{plain}!"

    def rewritten_output(self, kind, classes, value):
        if gradio_internals.is_update(value):
            return {**value, "label": f"{value['label']}!"}
        return f"{value}! ({kind} {' '.join(classes)})"

    def rewritten_error(self, error):
        error.message = f"{error.message}!"

    def asked_by(self, request):
        return nullcontext(request)


def raised():
    raise gr.Error("No", print_exception=False)


@pytest.fixture(scope="module")
def shouting():
    with Shouting(title="Page") as page:
        words, label = gr.Textbox(elem_classes="loud"), gr.Textbox()
        button = gr.Button()
        button.click(lambda: ("Yes", gr.update(label="Name")), None, [words, label])
        button.click(raised, None, words)
    app = gr.mount_gradio_app(oauth.fastapi.FastAPI(), page, path="/", show_error=True)
    with TestClient(app) as client:
        yield client


def test_all_that_leaves_passes_through_the_subclass(shouting):
    assert shouting.get("/config").json()["title"] == "Page!"
    assert "Page!" in shouting.get("/").text
    said = shouting.post("/gradio_api/run/predict", json={"data": [], "fn_index": 0, "session_hash": "s"}).json()
    assert said["data"][0] == "Yes! (textbox loud)"
    assert said["data"][1]["label"] == "Name!"
    refused = shouting.post("/gradio_api/run/predict", json={"data": [], "fn_index": 1, "session_hash": "s"})
    assert refused.json()["error"] == "No!"


def test_the_password_prompt_passes_too():
    with Shouting() as page:
        gr.Markdown("x")
    app = gr.mount_gradio_app(oauth.fastapi.FastAPI(), page, path="/", auth=("who", "what"), auth_message="Say it")
    assert "Say it!" in TestClient(app).get("/config").text


def test_config_and_auth_message_are_still_plain_attributes_of_gradios():
    assert not hasattr(gr.Blocks, "config") and not hasattr(gr.Blocks, "auth_message")


def test_what_a_listener_returns_is_still_of_a_class_without_a_public_name():
    with gr.Blocks():
        chain = gr.Button().click(lambda: None)
    assert isinstance(chain, gradio_internals.EventChain)
    assert not hasattr(gr, "Dependency"), "EventChain is no longer needed: gradio.Dependency has come"
