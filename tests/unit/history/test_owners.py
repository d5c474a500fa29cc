"""Whose a kept thing is; single comparisons and curves; files that come from elsewhere; an old schema."""

import sqlite3
import threading

import pytest

from llmops.compare.comparison import Comparison, run_all
from llmops.compare.recorder import Recorder
from llmops.compare.replay import views
from llmops.core.errors import HistoryError
from llmops.core.run import Energy, Memory, Run, RunError, Source, Stage, Timing
from llmops.core.run_settings import RunSettings
from llmops.core.task import Example
from llmops.core.view import Status, View
from llmops.data.builtin import load_builtin
from llmops.history import comparisons, curves
from llmops.history.curves import CurvePoint
from llmops.history.database import SHARED, now
from llmops.history.exchange import hand_out, take_in
from llmops.history.migrations import MIGRATIONS
from llmops.history.sets import LabelledSet
from llmops.history.store import History
from tests.support.history_rows import begin, row
from tests.support.pools import make_pool
from tests.support.scripted import TASK as SCRIPTED
from tests.support.scripted import ScriptedEngine

TASK = load_builtin("medical")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite"


def compare(history, text="t"):
    number = comparisons.begin(history, "page", "t", "T", {"a": "A"}, text, "en", ["c", "d"], {"seed": 0})
    comparisons.add(history, number, 0, Run("c", text="first"))
    comparisons.add(history, number, 0, Run("c", text="again"))
    return number


def curve(history):
    return curves.keep(history, "t", "T", "h", "base", "few-shot", [CurvePoint(1, 0, 0.5, 0.4, 0.1)], {"d": 0.7}, {})


def test_nobody_sees_or_changes_what_is_anothers(path):
    mine, yours = History(path, "me"), History(path, "you")
    number, compared, drawn = begin(mine), compare(mine), curve(mine)
    mine.add(number, row())
    assert [one.id for one in mine.evaluations()] == [number]
    assert (yours.evaluations(), yours.rows(number), comparisons.found(yours), curves.found(yours)) == ([], [], [], [])
    for call in (
        lambda: yours.evaluation(number),
        lambda: yours.delete(number),
        lambda: yours.annotate(number, "x"),
        lambda: comparisons.runs(yours, compared),
        lambda: comparisons.delete(yours, compared),
        lambda: curves.delete(yours, drawn),
    ):
        with pytest.raises(HistoryError, match="There is no"):
            call()
    assert len(mine.rows(number)) == 1


def test_a_shared_evaluation_is_read_by_all_and_changed_by_none(path):
    number = begin(History(path, SHARED))
    for owner in ("", "me"):
        history = History(path, owner)
        assert [one.id for one in history.evaluations()] == [number]
        with pytest.raises(HistoryError, match="stays as it is"):
            history.delete(number)


def test_a_comparison_keeps_every_run_and_shows_the_last_of_each_candidate(path):
    history = History(path)
    number = compare(history, "größer 🦽")
    assert comparisons.one(history, number).text == "größer 🦽"
    first, second = comparisons.runs(history, number)
    assert (first.text, second) == ("again", None)
    with history.open() as database:
        assert database.execute("SELECT count(*) FROM comparison_runs").fetchone() == (2,)
    comparisons.annotate(history, number, "note")
    assert comparisons.found(history)[0].note == "note"
    comparisons.delete(history, number)
    assert comparisons.found(history) == []


def test_a_set_comes_back_whole_and_goes_with_its_last_evaluation(path):
    history = History(path)
    labelled = LabelledSet.of(TASK, TASK.split("test"))
    numbers = [begin(history, data_hash=labelled.hash, labelled=labelled) for _ in range(2)]
    back = history.labelled(numbers[0])
    assert back == labelled
    assert back.hash == labelled.hash
    assert back.task.split("pool") == TASK.split("pool")
    history.delete(numbers[0])
    assert history.labelled(numbers[1]).texts == labelled.texts
    history.delete(numbers[1])
    with history.open() as database:
        assert database.execute("SELECT count(*) FROM sets").fetchone() == (0,)
    assert LabelledSet.of(TASK, [Example("x", "a", "en", "test")]).hash != labelled.hash


def test_what_is_handed_out_is_ones_own_and_another_machine_takes_it_in_whole(path, tmp_path):
    mine, yours = History(path, "me"), History(path, "you")
    labelled = LabelledSet.of(TASK, TASK.split("test")[:2])
    number = begin(mine, data_hash=labelled.hash, labelled=labelled)
    mine.add(number, row())
    begin(yours, data_hash="secret")
    compare(mine), curve(mine)
    hand_out(mine, tmp_path / "out.sqlite")
    other = History(tmp_path / "other.sqlite")
    (taken,) = take_in(other, tmp_path / "out.sqlite", "laptop.sqlite")
    assert other.evaluation(taken).origin == "laptop.sqlite"
    assert other.labelled(taken) == labelled
    assert [one.run for one in other.rows(taken)] == [row().run]
    assert (len(comparisons.found(other)), len(curves.found(other)), len(other.evaluations())) == (1, 1, 1)
    assert take_in(other, tmp_path / "out.sqlite", "laptop.sqlite") == []
    assert (len(comparisons.found(other)), len(curves.found(other))) == (1, 1)


def test_a_file_with_triggers_or_no_database_is_refused_and_the_file_stays_as_it_was(path, tmp_path):
    bad = tmp_path / "bad.sqlite"
    History(bad)
    with sqlite3.connect(bad) as database:
        database.execute("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END")
    for name, content in (("bad.sqlite", None), ("text.sqlite", b"hello"), ("cut.sqlite", bad.read_bytes()[:3000])):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        before = file.read_bytes()
        with pytest.raises(HistoryError):
            take_in(History(path), file)
        assert file.read_bytes() == before


def test_a_database_of_the_first_schema_keeps_its_evaluations(path):
    with sqlite3.connect(path) as database:
        MIGRATIONS[0](database)
        database.execute("PRAGMA user_version = 1")
        values = (now(), "t", "T", "[]", "h", "[]", "{}", 0, "m", "{}")
        names = "created, task_id, task_name, labels, data_hash, candidates, settings, left_out, machine, versions"
        database.execute(f"INSERT INTO evaluations ({names}) VALUES (?,?,?,?,?,?,?,?,?,?)", values)
    (found,) = History(path).evaluations()
    assert (found.task_name, found.left_out_why) == ("T", {})
    with pytest.raises(HistoryError, match="were not kept"):
        History(path).labelled(found.id)


def test_processes_that_start_at_once_migrate_once(path):
    errors = []

    def start():
        try:
            History(path)
        except HistoryError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert History(path).evaluations() == []


def test_a_backup_taken_while_others_write_is_whole(path, tmp_path):
    history = History(path)
    number = begin(history)
    stop = threading.Event()

    def write():
        place = 0
        while not stop.is_set():
            history.add(number, row(place))
            place += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(history.rows(number)) < 5:
            pass
        history.back_up(tmp_path / "copy.sqlite")
    finally:
        stop.set()
        writer.join()
    with sqlite3.connect(tmp_path / "copy.sqlite") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM runs").fetchone()[0] >= 5


def test_a_finished_comparison_is_replayed_through_the_same_fold(path):
    history = History(path)
    run = Run(
        "c",
        text="Positive",
        label="a",
        probabilities={"a": 0.9, "b": 0.1},
        timing=Timing(load_s=1.0, ttft_s=0.1, e2e_s=0.5, output_tokens=5),
        memory=Memory(weights_bytes=10, device="cpu"),
        source={"timing": Source.CLIENT},
        notes=("a note",),
        energy=Energy(0.1, 0.2, 5.0, ("CPU 0",)),
        stages=(Stage("d", Timing(e2e_s=0.2), "cpu", Energy(0.1, 0.2, 5.0, ("CPU 0",))),),
    )
    broken = Run("d", error=RunError("endpoint", "It broke.", "Retry."))
    number = comparisons.begin(history, "page", "t", "T", {"a": "A"}, "text", "en", ["c", "d", "e"], {})
    comparisons.add(history, number, 0, run)
    comparisons.add(history, number, 1, broken)
    first, second, third = views(history, number)
    assert (first.run, first.status, first.text) == (run, Status.DONE, "Positive")
    assert (second.run, second.status) == (broken, Status.FAILED)
    assert third == View("e")


def test_a_locked_or_full_history_does_not_break_a_comparison(path, monkeypatch):
    monkeypatch.setattr("llmops.history.database._BUSY_S", 0.1)
    history = History(path)
    pool = make_pool(10**9, lambda kind: ScriptedEngine())
    recorded = []
    for locked in (True, False):
        made = Comparison(pool, SCRIPTED, "x", ["one:1:0", "two:1:0"], RunSettings("en"))
        recorder = Recorder(path, "", "api", made)
        blocker = sqlite3.connect(path)
        if locked:
            blocker.execute("BEGIN IMMEDIATE")
        runs = run_all(made, recorder.take)
        assert [run.text for run in runs] == ["one", "two"]
        recorded.append(recorder.settle())
        blocker.close()
    assert "not in the history" in recorded[0]
    assert "Another process is writing" in recorded[0]
    assert recorded[1] == ""
    (found,) = comparisons.found(history)
    assert [run.text for run in comparisons.runs(history, found.id)] == ["one", "two"]
    full = Recorder(path / "no-folder" / "h.sqlite", "", "api", made)
    full.take(0, runs[0])
    assert "not in the history" in full.settle()
