"""What goes wrong unforeseen leaves its traceback in the log, whoever tells it in which words."""

import logging
import threading

import pytest

from llmops.core.errors import EndpointError, InputError
from llmops.core.failures import as_run_error, log_unforeseen
from llmops.core.request import Connection
from llmops.engines.remote.errors import explain
from llmops.hardware import zerogpu

SECRET = "not-to-be-told"


@pytest.fixture
def error():
    try:
        raise AttributeError(f"no such thing with {SECRET}")
    except AttributeError as caught:
        return caught


@pytest.mark.parametrize("tell", [as_run_error, log_unforeseen])
def test_a_traceback_says_where_it_happened_and_no_secret(error, tell, caplog):
    tell(error, "testing", (SECRET,))
    assert "testing" in caplog.text and "test_failures.py" in caplog.text
    assert SECRET not in caplog.text


def test_what_was_foreseen_leaves_none(caplog):
    as_run_error(InputError("No.", "Another."), "testing")
    assert caplog.text == ""


def test_an_endpoints_unforeseen_error_is_the_endpoints_in_words_and_the_bug_in_the_log(error, caplog):
    told = explain(error, "some-model", Connection(openai_key=SECRET))
    assert isinstance(told, EndpointError) and SECRET not in told.message
    assert "some-model" in caplog.text and "Traceback" in caplog.text and SECRET not in caplog.text
    caplog.clear()
    explain(ConnectionError("refused"), "some-model", Connection())
    assert caplog.text == ""


def broken(stop: threading.Event):
    raise KeyError("nobody foresaw it")
    yield stop


def test_what_breaks_on_a_lent_gpu_is_logged_there_since_no_traceback_crosses(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(zerogpu, "_in_child", False)
    with caplog.at_level(logging.ERROR):
        (*_, last) = zerogpu._work_in_child(broken, (), str(tmp_path / "stopped"), 1)
    assert last[0] == "error" and last[1][0] == "unexpected"
    assert "nobody foresaw it" in caplog.text and "Traceback" in caplog.text
