"""Columns beside one another: order, independence, Stop, Retry, failures. Engines are scripted."""

import threading
import time
from contextlib import closing

import pytest

from llmops.compare.comparison import Comparison, Tick, Update, run_all
from llmops.core.events import Failed, Finished, Token
from llmops.core.request import Connection
from llmops.core.run_settings import RunSettings
from tests.support.pools import make_pool
from tests.support.scripted import TASK, Boom, ScriptedEngine


def _comparison(engine, *candidates, **options):
    return Comparison(make_pool(10_000, lambda kind: engine), TASK, "text", candidates, RunSettings("en", **options))


def _drain(comparison):
    """(seconds since start, update) of all updates."""
    started = time.perf_counter()
    comparison.start()
    with closing(comparison.updates()) as updates:
        return [(time.perf_counter() - started, update) for update in updates if isinstance(update, Update)]


def test_a_slow_remote_column_does_not_pace_a_fast_one():
    seen = _drain(_comparison(ScriptedEngine(), "openai/slow:5:200", "openai/fast:20:5"))
    fast = [at for at, update in seen if update.column == 1 and isinstance(update.event, Token)]
    slow = [at for at, update in seen if update.column == 0 and isinstance(update.event, Token)]
    assert len(fast) == 20
    assert len(slow) == 5
    assert fast[-1] < slow[2]


def test_local_columns_take_their_turn_and_the_second_says_how_long_it_waited():
    engine = ScriptedEngine()
    runs = run_all(_comparison(engine, "one:3:100@bf16", "two:1:1@bf16"))
    assert runs[0].timing.queue_s < 0.2
    assert runs[1].timing.queue_s > 0.25
    assert [run.text for run in runs] == ["one", "two"]


def test_all_at_once_runs_local_columns_beside_one_another_and_says_so():
    seen = _drain(_comparison(ScriptedEngine(), "one:4:100@bf16", "two:4:100@bf16", all_at_once=True))
    stamps = [[at for at, each in seen if each.column == column and isinstance(each.event, Token)] for column in (0, 1)]
    assert stamps[0][0] < stamps[1][-1]
    assert stamps[1][0] < stamps[0][-1]
    runs = [each.event.run for _, each in seen if isinstance(each.event, Finished)]
    assert len(runs) == 2
    assert all("disturb" in run.notes[-1] for run in runs)
    assert all(run.settings["all_at_once"] for run in runs)


def test_nothing_leaves_the_machine_where_that_is_asked():
    engine = ScriptedEngine()
    comparison = _comparison(engine, "openai/out:1:1", "in:1:1@bf16", connection=Connection(local_only=True))
    out, inside = run_all(comparison)
    assert out.error.kind == "privacy"
    assert engine.loads == ["in:1:1"]
    assert inside.error is None
    assert inside.settings["local_only"]


def test_a_failing_column_leaves_the_others_unharmed():
    engine = ScriptedEngine(errors={"bad": Boom("It broke.", "Mend it."), "load worse": ValueError("sk-abcdefghijkl")})
    runs = run_all(_comparison(engine, "bad:2:1@bf16", "good:2:1@bf16", "worse:1:1@bf16", "no such@precision", ""))
    assert (runs[0].error.kind, runs[0].error.remedy, runs[0].text) == ("boom", "Mend it.", "0 1 ")
    assert runs[1].text == "good"
    assert runs[2].error.kind == "unexpected"
    assert "sk-abc" not in runs[2].error.message
    assert runs[3].error.kind == "input"
    assert runs[4].error.kind == "input"


def test_stopping_one_column_leaves_the_others_running():
    comparison = _comparison(ScriptedEngine(), "openai/long:100:50", "openai/short:5:20")
    comparison.start()
    threading.Timer(0.15, comparison.stop, (0,)).start()
    runs = {}
    for update in comparison.updates():
        if isinstance(update, Update) and isinstance(update.event, Finished):
            runs[update.column] = update.event.run
    assert runs[0].finish == "stopped"
    assert runs[1].text == "short"


@pytest.mark.parametrize("after_s", [0.05, 0.4, 1.0])
def test_stop_at_every_stage_ends_soon_and_the_next_run_works(after_s):
    engine = ScriptedEngine(load_s=0.3)
    pool = make_pool(10_000, lambda kind: engine)
    comparison = Comparison(pool, TASK, "text", ["one:30:50@bf16", "two:30:50@bf16"], RunSettings("en"))
    comparison.start()
    threading.Timer(after_s, comparison.stop).start()
    kinds = [update.event for update in comparison.updates() if isinstance(update, Update)]
    last = [event for event in kinds if isinstance(event, Finished | Failed)]
    assert len(last) == 2
    assert not any(isinstance(event, Finished) and event.run.text in ("one", "two") for event in last)
    assert sum(isinstance(event, Token) for event in kinds) < 30  # what the first one alone would have written
    again = run_all(Comparison(pool, TASK, "text", ["three:1:1@bf16"], RunSettings("en")))
    assert again[0].text == "three"


def test_a_step_that_ignores_stop_does_not_hold_the_page(monkeypatch):
    monkeypatch.setattr("llmops.compare.comparison._GRACE_S", 0.2)
    engine = ScriptedEngine(load_s=1.5, ignores_stop=True)
    comparison = _comparison(engine, "one:1:1@bf16")
    comparison.start()
    threading.Timer(0.1, comparison.stop).start()
    failed = [
        update.event
        for update in comparison.updates()
        if isinstance(update, Update) and isinstance(update.event, Failed)
    ]
    assert failed[0].error.kind == "stopped"
    assert engine.loads == ["one:1:1"]
    assert not engine.models  # it loads still


def test_retry_takes_the_options_of_now_and_drops_the_old_attempt():
    engine = ScriptedEngine(errors={"bad": Boom("no", "")})
    comparison = _comparison(engine, "bad:1:1@bf16", "good:1:1@bf16")
    run_all(comparison)
    engine.errors.clear()
    comparison._pool.close()
    comparison.retry(0, RunSettings("en", long_texts="cut"))
    events = [update for update in comparison.updates() if isinstance(update, Update)]
    assert {update.column for update in events} == {0}
    assert events[-1].event.run.text == "bad"
    assert events[-1].event.run.settings["long_texts"] == "cut"


def test_a_reader_that_leaves_stops_every_column():
    comparison = _comparison(ScriptedEngine(), "openai/long:1000:20")
    comparison.start()
    updates = comparison.updates()
    next(updates)
    updates.close()
    (worker,) = comparison._workers.values()
    worker.thread.join(10)
    assert worker.stop.is_set()
    assert not worker.thread.is_alive()


def test_a_retry_pressed_while_the_reader_is_leaving_is_not_stopped_by_it(monkeypatch):
    comparison = _comparison(ScriptedEngine(), "openai/quick:1:0")
    given_up, retried = comparison._given_up, []

    def press_retry():  # the reader has found that all has ended, and is about to leave
        if not retried:
            retried.append(comparison.retry(0, comparison.options))
        return given_up()

    monkeypatch.setattr(comparison, "_given_up", press_retry)
    comparison.start()
    first = list(comparison.updates())
    assert isinstance(first[-1].event, Finished)
    assert retried == [False]  # so whoever pressed it reads on
    second = [update.event for update in comparison.updates() if isinstance(update, Update)]
    assert isinstance(second[-1], Finished)
    assert second[-1].run.text == "quick"


def test_a_retry_while_somebody_reads_is_read_by_them():
    comparison = _comparison(ScriptedEngine(), "openai/quick:1:0", "openai/slow:20:20")
    comparison.start()
    ended, retried = [], []
    for update in comparison.updates():
        if isinstance(update, Update) and isinstance(update.event, Finished):
            ended.append(update.column)
            if not retried:
                retried.append(comparison.retry(0, comparison.options))
    assert retried == [True]
    assert ended == [0, 0, 1]


def test_ticks_come_while_nothing_happens():
    comparison = _comparison(ScriptedEngine(), "openai/slow:1:400")
    comparison.start()
    assert sum(isinstance(update, Tick) for update in comparison.updates()) >= 4


def test_keys_are_forgotten_after_the_run():
    comparison = _comparison(ScriptedEngine(), "openai/x:1:1", connection=Connection(openai_key="canary-key"))
    runs = run_all(comparison)
    assert comparison.options.connection.openai_key is None
    assert "canary" not in str(runs[0].to_json())
