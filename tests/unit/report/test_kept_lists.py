"""The lists of what is kept: every kind with a number in front, and titles that tell evaluations apart."""

import pytest

from llmops.history.curves import CurvePoint
from llmops.history.store import History
from llmops.report.kept_lists import kept_table
from llmops.report.titles import evaluation_title, machine_title
from tests.support.history_rows import begin, draw


@pytest.fixture
def history(tmp_path):
    history = History(tmp_path / "history.sqlite")
    begin(history, task_name="Task", candidates=("x@fp32", "y@fp32"))
    draw(history, [CurvePoint(1, 0, 0.5, 0.5, 0.1)], {})
    return history


def test_each_kind_is_a_table_of_as_many_cells_as_headers(history):
    for kind, rows in (("evaluation", 1), ("curve", 1), ("comparison", 0)):
        table = kept_table(kind, history)
        assert len(table["data"]) == rows
        assert all(len(row) == len(table["headers"]) and row[0] == 1 for row in table["data"])
    assert kept_table("evaluation", history)["data"][0][3] == "x@fp32, y@fp32"
    assert kept_table("curve", history)["data"][0][3] == "base, few-shot"


def test_a_title_says_which_evaluation_it_is(history):
    history.evaluations.annotate(1, "the first one")
    (evaluation,) = history.evaluations.newest()
    minute = evaluation.created[:16].replace("T", " ")
    assert evaluation_title(evaluation) == f"1 · {minute} · Task · 2 candidates · the first one"
    assert machine_title(evaluation) == f"1 · {minute} · {evaluation.machine}"
