"""The history: kept as it was, migrated, exported without formulas, and clear about what is in the way."""

import csv
import json
import sqlite3
import threading

import pytest

from llmops.core.errors import HistoryError, InputError
from llmops.core.run import RunError
from llmops.history.exchange import take_in
from llmops.history.migrations import MIGRATIONS
from llmops.history.store import History
from llmops.report.export import export, safe
from tests.support.history_rows import begin, row


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "data" / "history.sqlite")


def test_what_is_kept_comes_back_as_it_was(history):
    number = begin(history)
    history.evaluations.add_rows(number, [row(text="größer 🦽 \u202e <b>")])
    (found,) = history.evaluations.rows(number)
    assert found.text == "größer 🦽 \u202e <b>"
    assert found.run == row().run
    about = history.evaluations.get(number)
    assert (about.labels, about.candidates, about.left_out) == (("a", "b"), ("c",), 2)
    assert about.machine
    assert "transformers" in about.versions


def test_the_same_text_is_kept_once(history):
    number = begin(history)
    for _ in range(3):
        history.evaluations.add_rows(number, [row()])
    assert len(history.evaluations.rows(number)) == 1


def test_many_threads_write_at_once(history):
    number = begin(history)
    threads = [
        threading.Thread(
            target=lambda n=n: [history.evaluations.add_rows(number, [row(n * 100 + i)]) for i in range(20)]
        )
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history.evaluations.rows(number)) == 120


def test_annotate_delete_and_unknown_ids(history):
    number = begin(history)
    history.evaluations.add_rows(number, [row()])
    history.evaluations.annotate(number, "the one that counts")
    assert history.evaluations.get(number).note == "the one that counts"
    history.evaluations.delete(number)
    assert history.evaluations.newest() == []
    assert history.evaluations.rows(number) == []
    for call in (history.evaluations.get, history.evaluations.delete, lambda n: history.evaluations.annotate(n, "x")):
        with pytest.raises(HistoryError, match="no evaluation"):
            call(number)


def test_another_machines_history_is_taken_in_once(history, tmp_path):
    other = History(tmp_path / "other.sqlite")
    number = begin(other, data_hash="theirs")
    other.evaluations.add_rows(number, [row()])
    added = take_in(history, other.path)
    assert len(added) == 1
    assert history.evaluations.get(added[0]).origin == "other.sqlite"
    assert len(history.evaluations.rows(added[0])) == 1
    assert take_in(history, other.path) == []
    with pytest.raises(HistoryError, match="no file"):
        take_in(history, tmp_path / "none.sqlite")


def test_an_old_database_is_brought_up_to_date_and_a_newer_one_refused(tmp_path):
    path = tmp_path / "h.sqlite"
    History(path)
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(HistoryError, match="newer version"):
        History(path)


def test_a_file_that_is_no_history_and_a_place_that_can_not_be_written_are_said(tmp_path):
    path = tmp_path / "h.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(HistoryError, match="not a database"):
        History(path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(HistoryError, match="can't be kept"):
        History(tmp_path / "file" / "h.sqlite")


def test_a_locked_database_is_said_and_nothing_breaks(history, monkeypatch):
    monkeypatch.setattr("llmops.history.database._BUSY_S", 0.1)
    number = begin(history)
    blocker = sqlite3.connect(history.path)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(HistoryError) as caught:
        history.evaluations.add_rows(number, [row()])
    assert "again in a moment" in caught.value.remedy
    blocker.close()
    history.evaluations.add_rows(number, [row()])
    assert len(history.evaluations.rows(number)) == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_no_spreadsheet_computes_an_exported_text(history, tmp_path, text):
    number = begin(history)
    history.evaluations.add_rows(number, [row(text=text, said=text)])
    for name in ("e.csv", "e.xlsx"):
        export(history, number, tmp_path / name)
    with (tmp_path / "e.csv").open(encoding="utf-8-sig", newline="") as file:
        (line,) = list(csv.DictReader(file))
    assert line["assessment"].startswith("'")
    assert line["explanation"].startswith("'")
    import openpyxl

    sheet = openpyxl.load_workbook(tmp_path / "e.xlsx")["embedded decoder@bf16"]
    assert sheet.cell(3, 2).data_type == "s"
    assert sheet.cell(3, 2).value.startswith("'")
    assert safe("harmless") == "harmless"


def test_exports_hold_every_row_and_a_sheet_a_candidate(history, tmp_path):
    number = begin(history)
    long = "x" * 60
    names = [f"org/{long}-one@bf16", f"org/{long}-two@bf16", "embedded/encoder@fp32?method=setfit"]
    for name in names:
        for place in range(3):
            history.evaluations.add_rows(number, [row(place, name, said="a\x00b")])
    history.evaluations.add_rows(number, [row(9, names[0], error=RunError("endpoint", "It broke.", "Retry."))])
    for ending in ("xlsx", "csv", "jsonl"):
        export(history, number, tmp_path / f"e.{ending}")
    assert len((tmp_path / "e.csv").read_text(encoding="utf-8-sig").splitlines()) == 11
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert len(lines) == 10
    assert lines[0]["run"]["probabilities"] == {"a": 0.9, "b": 0.1}
    import openpyxl

    book = openpyxl.load_workbook(tmp_path / "e.xlsx")
    assert book.sheetnames[:2] == ["evaluation", "figures"]
    assert len(book.sheetnames) == 5
    assert [cell.value for cell in book[book.sheetnames[2]][2]][:4] == ["repeat", "assessment", "language", "y_true"]
    with pytest.raises(InputError, match="format"):
        export(history, number, tmp_path / "e.html5")
