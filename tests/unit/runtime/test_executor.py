"""One request on a leased model: what the complete run holds, whoever asked."""

import logging
import threading

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import Stopped
from llmops.core.request import Connection, Generation, Job, Request
from llmops.core.run import Timing
from llmops.core.run_settings import RunSettings
from llmops.core.task import Example
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.runner import evaluate
from llmops.evaluation.spec import EvaluationSpec
from llmops.history.store import History
from llmops.runtime.executor import execute
from tests.support.pools import make_pool
from tests.support.scripted import TASK, Boom, ScriptedEngine

TEXTS = [Example(text, "a", "en", "test") for text in ("first", "second")]
SECRET = "sk-this-is-a-secret"


def run(engine, text="two:2:1@bf16", settings=None, **request):
    pool = make_pool(1000, lambda kind: engine)
    with pool.exclusive(parse_candidate(text), TASK, Job()) as lease:
        asked = Request(TASK, "x", "en", **request)
        return execute(lease, asked, settings or RunSettings("en"))


def test_a_run_knows_its_candidate_loading_warmth_and_settings():
    done = run(ScriptedEngine(load_s=0.05), generation=Generation(max_new_tokens=7, seed=3))
    assert done.candidate == "two:2:1@bf16"
    assert done.timing.load_s == 0.05
    assert done.timing.queue_s is not None
    assert not done.warm
    assert (done.settings["max_new_tokens"], done.settings["seed"], done.settings["language"]) == (7, 3, "en")


def test_a_failure_is_the_runs_own_with_what_was_written_and_what_was_waited():
    done = run(ScriptedEngine(errors={"two": Boom("It broke.", "Mend it.")}))
    assert (done.error.kind, done.error.remedy) == ("boom", "Mend it.")
    assert done.text == "0 1 "
    assert done.timing.queue_s is not None


def test_a_stop_before_the_run_asks_nothing_of_the_model():
    engine, stop = ScriptedEngine(), threading.Event()
    stop.set()
    done = run(engine, stop=stop)
    assert done.stopped
    assert done.error.kind == Stopped.kind
    assert done.text == ""


def test_an_unforeseen_exception_leaves_its_traceback_in_the_log_and_no_secret(caplog):
    engine = ScriptedEngine(errors={"two": ZeroDivisionError(f"with {SECRET}")})
    with caplog.at_level(logging.ERROR):
        done = run(engine, connection=Connection(openai_key=SECRET))
    assert done.error.kind == "unexpected"
    assert "ZeroDivisionError" in done.error.message
    assert "Traceback" in caplog.text
    assert "scripted.py" in caplog.text
    assert SECRET not in caplog.text + done.error.message


def test_an_answer_that_was_cut_off_says_so_in_an_evaluation_too(tmp_path):
    history = History(tmp_path / "history.sqlite")
    engine = ScriptedEngine(finish="length")
    spec = EvaluationSpec(TASK, TEXTS, ["two:2:1@bf16"], RunSettings("en"), mode=AnswerMode(batched=False))
    list(evaluate(make_pool(1000, lambda kind: engine), spec, history, threading.Event()))
    rows = history.evaluations.rows(1)
    assert rows
    assert all("cut off" in " ".join(row.run.notes) for row in rows)


def test_the_wait_for_the_device_is_in_an_evaluation_rows_queue_time(tmp_path):
    history = History(tmp_path / "history.sqlite")
    pool = make_pool(1000, lambda kind: ScriptedEngine())
    spec = EvaluationSpec(TASK, TEXTS[:1], ["two:2:1@bf16"], RunSettings("en"), mode=AnswerMode(batched=False))
    taken, done = threading.Event(), threading.Event()

    def hold():
        with pool.queues.turn("cpu", Job()):
            taken.set()
            done.wait(0.4)

    threading.Thread(target=hold).start()
    taken.wait(10)
    list(evaluate(pool, spec, history, threading.Event()))
    (row,) = history.evaluations.rows(1)
    assert row.run.timing.queue_s > 0.1


@pytest.mark.parametrize("load_s", [0.0, 0.03])
def test_what_a_borrowed_gpu_tells_of_loading_and_queue_is_kept(load_s):
    engine = ScriptedEngine(timing=Timing(load_s=load_s, queue_s=2.0))
    done = run(engine)
    assert done.timing.load_s == load_s
    assert done.timing.queue_s >= 2.0
