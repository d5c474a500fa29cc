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
from llmops.history.curves import CurvePoint
from llmops.history.database import SHARED, now
from llmops.history.exchange import hand_out, take_in
from llmops.history.migrations import MIGRATIONS
from llmops.history.sets import LabelledSet
from llmops.history.store import History
from tests.support.history_rows import begin, compare, draw, row
from tests.support.pools import make_pool
from tests.support.scripted import TASK as SCRIPTED
from tests.support.scripted import ScriptedEngine

TASK = load_builtin("medical")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite"


def compared_twice(history, text="t"):
    number = compare(history, text)
    history.comparisons.add_run(number, 0, Run("c", text="first"))
    history.comparisons.add_run(number, 0, Run("c", text="again"))
    return number


def curve(history):
    return draw(history, [CurvePoint(1, 0, 0.5, 0.4, 0.1)], {"d": 0.7})


def test_nobody_sees_or_changes_what_is_anothers(path):
    mine, yours = History(path, "me"), History(path, "you")
    number, compared, drawn = begin(mine), compared_twice(mine), curve(mine)
    mine.evaluations.add_rows(number, [row()])
    assert [evaluation.id for evaluation in mine.evaluations.newest()] == [number]
    assert (
        yours.evaluations.newest(),
        yours.evaluations.rows(number),
        yours.comparisons.newest(),
        yours.curves.newest(),
    ) == ([], [], [], [])
    for call in (
        lambda: yours.evaluations.get(number),
        lambda: yours.evaluations.delete(number),
        lambda: yours.evaluations.annotate(number, "x"),
        lambda: yours.comparisons.runs(compared),
        lambda: yours.comparisons.delete(compared),
        lambda: yours.curves.delete(drawn),
    ):
        with pytest.raises(HistoryError, match="There is no"):
            call()
    assert len(mine.evaluations.rows(number)) == 1


def test_a_shared_evaluation_is_read_by_all_and_changed_by_none(path):
    number = begin(History(path, SHARED))
    for owner in ("", "me"):
        history = History(path, owner)
        assert [evaluation.id for evaluation in history.evaluations.newest()] == [number]
        with pytest.raises(HistoryError, match="stays as it is"):
            history.evaluations.delete(number)


def test_a_comparison_keeps_every_run_and_shows_the_last_of_each_candidate(path):
    history = History(path)
    number = compared_twice(history, "größer 🦽")
    assert history.comparisons.get(number).text == "größer 🦽"
    first, second = history.comparisons.runs(number)
    assert (first.text, second) == ("again", None)
    with history.open() as database:
        assert database.execute("SELECT count(*) FROM comparison_runs").fetchone() == (2,)
    history.comparisons.annotate(number, "note")
    assert history.comparisons.newest()[0].note == "note"
    history.comparisons.delete(number)
    assert history.comparisons.newest() == []


def test_a_set_comes_back_whole_and_goes_with_its_last_evaluation(path):
    history = History(path)
    labelled = LabelledSet.of(TASK, TASK.split("test"))
    numbers = [begin(history, data_hash=labelled.hash, labelled=labelled) for _ in range(2)]
    back = history.evaluations.labelled(numbers[0])
    assert back == labelled
    assert back.hash == labelled.hash
    assert back.task.split("pool") == TASK.split("pool")
    history.evaluations.delete(numbers[0])
    assert history.evaluations.labelled(numbers[1]).texts == labelled.texts
    history.evaluations.delete(numbers[1])
    with history.open() as database:
        assert database.execute("SELECT count(*) FROM sets").fetchone() == (0,)
    assert LabelledSet.of(TASK, [Example("x", "a", "en", "test")]).hash != labelled.hash


def test_what_is_handed_out_is_ones_own_and_another_machine_takes_it_in_whole(path, tmp_path):
    mine, yours = History(path, "me"), History(path, "you")
    labelled = LabelledSet.of(TASK, TASK.split("test")[:2])
    number = begin(mine, data_hash=labelled.hash, labelled=labelled)
    mine.evaluations.add_rows(number, [row()])
    begin(yours, data_hash="secret")
    compared_twice(mine), curve(mine)
    hand_out(mine, tmp_path / "out.sqlite")
    other = History(tmp_path / "other.sqlite")
    (taken,) = take_in(other, tmp_path / "out.sqlite", "laptop.sqlite")
    assert other.evaluations.get(taken).origin == "laptop.sqlite"
    assert other.evaluations.labelled(taken) == labelled
    assert [answer.run for answer in other.evaluations.rows(taken)] == [row().run]
    assert (
        len(other.comparisons.newest()),
        len(other.curves.newest()),
        len(other.evaluations.newest()),
    ) == (1, 1, 1)
    assert take_in(other, tmp_path / "out.sqlite", "laptop.sqlite") == []
    assert (len(other.comparisons.newest()), len(other.curves.newest())) == (1, 1)


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
    (found,) = History(path).evaluations.newest()
    assert (found.task_name, found.left_out_why) == ("T", {})
    with pytest.raises(HistoryError, match="were not kept"):
        History(path).evaluations.labelled(found.id)


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
    assert History(path).evaluations.newest() == []


def test_a_backup_taken_while_others_write_is_whole(path, tmp_path):
    history = History(path)
    number = begin(history)
    stop = threading.Event()

    def write():
        place = 0
        while not stop.is_set():
            history.evaluations.add_rows(number, [row(place)])
            place += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(history.evaluations.rows(number)) < 5:
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
    number = compare(history, candidates=("c", "d", "e"))
    history.comparisons.add_run(number, 0, run)
    history.comparisons.add_run(number, 1, broken)
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
    (found,) = history.comparisons.newest()
    assert [run.text for run in history.comparisons.runs(found.id)] == ["one", "two"]
    full = Recorder(path / "no-folder" / "h.sqlite", "", "api", made)
    full.take(0, runs[0])
    assert "not in the history" in full.settle()


def test_what_is_shared_of_any_kind_is_changed_by_none(path):
    shared = History(path, SHARED)
    numbers = {"evaluation": begin(shared), "comparison": compare(shared), "curve": curve(shared)}
    for kind, repository in History(path, "me").kinds.items():
        assert repository.get(numbers[kind]).id == numbers[kind]
        for change in (
            lambda r=repository, k=kind: r.delete(numbers[k]),
            lambda r=repository, k=kind: r.annotate(numbers[k], "x"),
        ):
            with pytest.raises(HistoryError, match="stays as it is"):
                change()
        assert repository.delete_before("9999") == 0


def test_a_run_that_was_written_wrongly_is_said_and_not_taken_in(path, tmp_path):
    other = History(tmp_path / "other.sqlite")
    other.evaluations.add_rows(begin(other), [row()])
    with other.open() as database:
        database.execute("UPDATE runs SET run = '[]'")
    with pytest.raises(HistoryError, match="can't be read"):
        other.evaluations.rows(1)
    with pytest.raises(HistoryError, match="can't be read"):
        take_in(History(path), other.path)
    assert History(path).evaluations.newest() == []
