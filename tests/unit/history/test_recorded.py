"""The recorded example: there for everybody, labelled, once, and nobody's to change or to hand out."""

import pytest

from llmops.core.errors import HistoryError
from llmops.data.builtin import load_builtin
from llmops.evaluation.ladder import ladders
from llmops.evaluation.metrics import measure
from llmops.history.database import SHARED
from llmops.history.exchange import hand_out
from llmops.history.recorded import FILE, offer
from llmops.history.store import History
from llmops.report.figures import figures
from tests.support.history_rows import begin


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("recorded") / "history.sqlite"
    begin(History(path, SHARED), data_hash="of an older version")
    begin(History(path), data_hash="mine")
    for _ in range(2):
        offer(path)
    return path


def test_every_visitor_sees_it_once_after_their_own_and_none_may_change_it(path):
    mine, theirs = History(path).evaluations.newest(), History(path, "somebody").evaluations.newest()
    assert [evaluation.origin for evaluation in mine] == ["", "recorded"]
    assert [evaluation.origin for evaluation in theirs] == ["recorded"]
    with pytest.raises(HistoryError, match="stays as it is"):
        History(path, "somebody").evaluations.delete(theirs[0].id)


def test_it_is_whole_and_says_where_and_when_it_was_made(path):
    history = History(path)
    found = history.evaluations.newest()[-1]
    rows = history.evaluations.rows(found.id)
    texts = load_builtin("medical").split("test")
    assert len(rows) == len(texts) * len(found.candidates)
    assert {row.text for row in rows} == {example.text for example in texts}
    assert not any(row.failed for row in rows)
    shown = figures(found, rows)
    for words in ("recorded, not run here", found.created[:10], found.machine, "Precision ladder", "Reliability"):
        assert words in shown
    measured = measure(rows, found.labels)
    assert {len(ladder.rungs) for ladder in ladders(rows, measured)} == {2, 4}
    (curve,) = history.curves.newest()
    assert (curve.origin, curve.data_hash) == ("recorded", found.data_hash)
    assert {"embedded/decoder@nf4", "embedded/decoder@bf16"} <= set(curve.lines)
    assert FILE.stat().st_size < 1_000_000


def test_it_is_no_part_of_what_is_handed_out(path, tmp_path):
    hand_out(History(path), tmp_path / "mine.sqlite")
    assert [evaluation.data_hash for evaluation in History(tmp_path / "mine.sqlite").evaluations.newest()] == ["mine"]
    assert History(tmp_path / "mine.sqlite").curves.newest() == []
