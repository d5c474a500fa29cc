"""A decision on what the history holds: again whenever it holds more, and which costs are set against each other."""

import pytest

from llmops.decision.kept_decision import break_even_pair, kept_decision_report
from llmops.history.store import History
from tests.support.history_rows import begin
from tests.support.recorded_rows import DECODER, ENCODER, OPENAI, remote, row


@pytest.fixture
def history(tmp_path):
    history = History(tmp_path / "history.sqlite")
    begin(history, candidates=(ENCODER, DECODER, OPENAI), settings={}, left_out=0)
    for place in range(4):
        history.evaluations.add_rows(1, [row(ENCODER, place), row(DECODER, place), remote(OPENAI, place)])
    return history


def test_the_figures_follow_the_rows(history):
    before = {figures.candidate: figures.accuracy for figures in kept_decision_report(history, 1, {}).figures}
    assert before[DECODER] == 1.0
    history.evaluations.add_rows(1, [row(DECODER, place, said="b") for place in range(4, 8)])
    after = {figures.candidate: figures.accuracy for figures in kept_decision_report(history, 1, {}).figures}
    assert after[DECODER] == 0.5


def test_a_chosen_pair_stays_and_one_that_is_gone_makes_room_for_the_decisions_choice(history):
    report = kept_decision_report(history, 1, {"stays_here": True})
    assert break_even_pair(report, DECODER, OPENAI) == (DECODER, OPENAI)
    own, api = break_even_pair(report, "gone@fp32", None)
    assert own == report.decision.choice
    assert api == OPENAI
