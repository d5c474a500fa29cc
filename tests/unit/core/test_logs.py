"""What goes to the log: the level is the process's setting."""

import logging

import pytest

from llmops.core import logs
from llmops.core.settings import load_settings


@pytest.fixture
def own_level():
    before = logging.getLogger("llmops").level
    yield
    logging.getLogger("llmops").setLevel(before)


@pytest.mark.parametrize(("written", "level"), [(None, "INFO"), ("", "INFO"), ("debug", "DEBUG"), (" ERROR ", "ERROR")])
def test_the_level_is_read_from_the_environment(monkeypatch, own_level, written, level):
    monkeypatch.delenv("LLMOPS_LOG_LEVEL", raising=False)
    if written is not None:
        monkeypatch.setenv("LLMOPS_LOG_LEVEL", written)
    assert load_settings().log_level == level
    logs.configure(level)
    assert logging.getLogger("llmops").level == getattr(logging, level)


def test_a_level_that_is_none_says_which_there_are(monkeypatch):
    monkeypatch.setenv("LLMOPS_LOG_LEVEL", "loud")
    with pytest.raises(ValueError, match="one of DEBUG, INFO, WARNING, ERROR, CRITICAL; it is “LOUD”"):
        load_settings()
