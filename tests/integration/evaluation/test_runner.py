"""Evaluation with the embedded models: figures equal scikit-learn's, broken off and resumed, failures kept apart."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from llmops.core.errors import InputError
from llmops.core.request import Connection, Generation, Job
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.core.task import Example
from llmops.data.builtin import load_builtin
from llmops.embedded import DECODER_DIR
from llmops.evaluation.heldout import POOL, PROMPT, hold_out
from llmops.evaluation.runner import CandidateEnded, CandidateProgress, EvaluationBegun, evaluate, resume
from llmops.evaluation.spec import EvaluationSpec
from llmops.evaluation.summary import summary
from llmops.history.evaluations import Evaluations
from llmops.history.store import History
from llmops.report.export import export
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.kept_encoders import encoder_store
from tests.support.pools import make_pool
from tests.support.serving import ROOT

TASK = load_builtin("medical")
DECODER, ENCODER = "embedded/decoder@bf16", "embedded/encoder@fp32?method=few-shot"
TEXTS = list(TASK.split("test"))[:6] + list(TASK.split("test"))[-6:]


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "history.sqlite")


def run(history, candidates, examples=TEXTS, stop=None, url=None, **options):
    connection = Connection(base_url=url, retries=0, timeout_s=5)
    settings = RunSettings("en", Generation(max_new_tokens=24), connection)
    stop = stop or threading.Event()
    spec = EvaluationSpec(TASK, examples, candidates, settings, **options)
    return list(evaluate(make_pool(10**9), spec, history, stop))


def test_every_text_goes_through_every_candidate_with_scikit_learns_figures_on_the_exported_rows(history, tmp_path):
    from sklearn.metrics import accuracy_score, f1_score

    updates = run(history, [ENCODER, DECODER])
    begun = updates[0]
    assert (begun.texts, begun.left_out) == (12, 0)
    assert [update.error for update in updates if isinstance(update, CandidateEnded)] == [None, None]
    rows = history.evaluations.rows(begun.evaluation_id)
    assert len(rows) == 24
    assert {(row.language, row.run.settings["max_new_tokens"]) for row in rows} == {("de", 24), ("en", 24)}
    data = summary(history, begun.evaluation_id)
    assert [metrics["candidate"] for metrics in data["metrics"]] == [ENCODER, DECODER]
    for metrics in data["metrics"]:
        mine = [row for row in rows if row.candidate == metrics["candidate"]]
        true, said = [row.y_true for row in mine], [row.y_hat or "?" for row in mine]
        assert metrics["accuracy"] == accuracy_score(true, said)
        assert metrics["macro_f1"] == pytest.approx(f1_score(true, said, labels=list(TASK.label_ids), average="macro"))
        assert metrics["weights_bytes"] > 0
    export(history, begun.evaluation_id, tmp_path / "e.csv")
    with (tmp_path / "e.csv").open(encoding="utf-8-sig", newline="") as file:
        exported = list(csv.DictReader(file))
    for metrics in data["metrics"]:
        mine = [line for line in exported if line["candidate"] == metrics["candidate"]]
        true, said = [line["y_true"] for line in mine], [line["y_hat"] for line in mine]
        assert (len(mine), metrics["accuracy"]) == (12, accuracy_score(true, said))
        assert metrics["macro_f1"] == pytest.approx(f1_score(true, said, labels=list(TASK.label_ids), average="macro"))
    assert len(data["pairs"]) == 1
    progress = [
        update
        for update in updates
        if isinstance(update, CandidateProgress) and update.candidate == DECODER and update.seconds_left is not None
    ]
    assert [update.done for update in progress] == list(range(1, 13))


def test_texts_that_are_examples_to_learn_from_are_left_out_and_counted(history):
    pool = [
        Example(example.text.upper() + " ", example.label, example.language, "test")
        for example in TASK.split("pool")[:5]
    ]
    found = hold_out(TASK, [*TEXTS, *pool], [])
    assert (list(found.texts), found.why) == (TEXTS, {POOL: 5})
    begun = run(history, ["embedded/encoder@fp32?method=zero-shot"], [*TEXTS, *pool])[0]
    assert (begun.texts, begun.left_out) == (12, 5)
    assert history.evaluations.get(begun.evaluation_id).left_out_why == {POOL: 5}


def test_texts_that_stand_in_the_prompt_are_left_out():
    first = TASK.split("test", "en")[0]
    prompt = replace(TASK.prompts["en"], system="{instruction} For example: " + first.text.upper())
    found = hold_out(replace(TASK, prompts={**TASK.prompts, "en": prompt}), TASK.split("test"), [])
    assert found.why == {PROMPT: 1}
    assert first not in found.texts


def test_what_a_kept_encoder_was_trained_on_does_not_count_and_the_run_says_how_many(history, data_dir):
    from llmops.engines.encoder.training import Trained, TrainingSettings, pick_examples, train_named
    from llmops.engines.encoder.training_record import training_record

    own = TASK.with_examples(tuple(replace(example, split="pool") for example in TEXTS))
    asked = TrainingSettings("embedded/encoder", "few-shot", 2, 0)
    *_, trained = train_named(own, asked, load_settings(), Job())
    assert isinstance(trained, Trained)
    meta = training_record(own, asked, trained)
    encoder_store().save("mine-too", trained.model, trained.head, meta)
    learnt = {example.text for example in pick_examples(own, 2, 0)}
    assert len(learnt) == 4
    begun = run(history, ["trained/mine-too@fp32"])[0]
    assert (begun.texts, begun.why) == (8, {"trained/mine-too was trained on them": 4})
    assert not learnt & {row.text for row in history.evaluations.rows(begun.evaluation_id)}
    encoder_store().delete("mine-too")


def test_stopped_and_resumed_repeats_nothing_and_loses_nothing(history):
    stop = threading.Event()
    settings = RunSettings("en", Generation(max_new_tokens=24))
    updates = []
    for update in evaluate(make_pool(10**9), EvaluationSpec(TASK, TEXTS, [DECODER], settings), history, stop):
        updates.append(update)
        if isinstance(update, CandidateProgress) and update.done == 4:
            stop.set()
    number = updates[0].evaluation_id
    assert updates[-1].error.kind == "stopped"
    before = {row.place: row.created for row in history.evaluations.rows(number)}
    assert 4 <= len(before) < 12
    again = list(resume(make_pool(10**9), history, number, Job()))
    assert again[0].evaluation_id == number
    after = history.evaluations.rows(number)
    assert sorted(row.place for row in after) == list(range(12))
    assert all(row.created == before[row.place] for row in after if row.place in before)
    assert {row.run.settings["max_new_tokens"] for row in after} == {24}


def test_killed_half_way_and_resumed_no_text_is_twice_and_none_is_lost(tmp_path):
    environment = {**os.environ, "LLMOPS_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "llmops", "evaluate", "--candidate", DECODER, "--candidate", ENCODER, "--json"]
    first = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = tmp_path / "history.sqlite"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (
            path.exists()
            and (found := History(path).evaluations.newest())
            and len(History(path).evaluations.rows(found[0].id)) >= 10
        ):
            break
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait(20)
    kept = {(row.candidate, row.place): row.created for row in History(path).evaluations.rows(1)}
    assert 10 <= len(kept) < 168
    done = subprocess.run(
        [*command[:4], "--resume", "1", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = History(path).evaluations.rows(1)
    assert sorted((row.candidate, row.place) for row in rows) == sorted(
        (c, n) for c in (DECODER, ENCODER) for n in range(84)
    )
    assert all(row.created == kept[row.candidate, row.place] for row in rows if (row.candidate, row.place) in kept)
    data = json.loads(done.stdout)
    assert [metrics["texts"] for metrics in data["metrics"]] == [84, 84]
    assert data["metrics"][0]["accuracy"] >= 0.85


def test_a_candidate_that_can_not_be_had_leaves_the_others_unharmed(history):
    updates = run(history, ["nobody/none@bf16", "embedded/decoder@fp8", "embedded/encoder@fp32?method=zero-shot"])
    ended = {update.candidate: update.error for update in updates if isinstance(update, CandidateEnded)}
    assert ended["nobody/none@bf16"].kind == "not-found"
    assert ended["embedded/decoder@fp8"].kind == "input"
    assert ended["embedded/encoder@fp32?method=zero-shot"] is None
    assert len(history.evaluations.rows(updates[0].evaluation_id)) == 12


def test_a_fake_endpoint_that_goes_down_ends_its_candidate_and_its_failures_are_not_scored(history):
    with FakeEndpoint(*["ok"] * 4, "500") as fake:
        updates = run(history, ["openai/m"], url=fake.url)
    ended = next(update for update in updates if isinstance(update, CandidateEnded))
    assert "in a row failed" in ended.error.message
    rows = history.evaluations.rows(updates[0].evaluation_id)
    assert len(rows) == 4
    assert not any(row.failed for row in rows)


def test_a_single_failure_is_kept_and_counts_as_wrong(history):
    with FakeEndpoint("ok", "500", "ok") as fake:
        updates = run(history, ["openai/m"], url=fake.url)
    rows = history.evaluations.rows(updates[0].evaluation_id)
    assert [row.failed for row in rows].count(True) == 1
    assert len(rows) == 12
    assert summary(history, updates[0].evaluation_id)["metrics"][0]["failed_rate"] == pytest.approx(1 / 12)


def test_a_real_server_is_evaluated_beside_a_local_model(history, served):
    updates = run(history, [DECODER, f"openai/{DECODER_DIR}"], url=served)
    rows = history.evaluations.rows(updates[0].evaluation_id)
    said = {name: [row.y_hat for row in rows if row.candidate == name] for name in (DECODER, f"openai/{DECODER_DIR}")}
    assert said[DECODER] == said[f"openai/{DECODER_DIR}"]


def test_repeats_give_a_flip_rate(history):
    begun = run(history, [DECODER], TEXTS[:3], repeats=2)[0]
    assert isinstance(begun, EvaluationBegun)
    assert summary(history, begun.evaluation_id)["metrics"][0]["flip_rate"] == 0.0


def test_a_full_disk_loses_no_result(history, monkeypatch):
    from llmops.core.errors import HistoryError

    monkeypatch.setattr("llmops.evaluation.row_writer._PAUSE_S", 0.0)
    own, calls = Evaluations.add_rows, []

    def add(self, number, rows):
        calls.append(len(rows))
        if 2 <= len(calls) <= 4:
            raise HistoryError("The disk is full.", "Free some space.")
        own(self, number, rows)

    monkeypatch.setattr(Evaluations, "add_rows", add)
    updates = run(history, ["embedded/encoder@fp32?method=zero-shot"])
    assert any("wait in memory" in update.message for update in updates if isinstance(update, CandidateProgress))
    assert next(update for update in updates if isinstance(update, CandidateEnded)).error is None
    assert sorted(row.place for row in history.evaluations.rows(updates[0].evaluation_id)) == list(range(12))


@pytest.mark.parametrize(
    ("examples", "candidates", "options", "says"),
    [
        ([], [DECODER], {}, "no text"),
        (TEXTS, [], {}, "No candidate"),
        (TEXTS, [DECODER], {"repeats": 0}, "repeats"),
        ([Example("x", "maybe", "en", "test")], [DECODER], {}, "maybe"),
    ],
)
def test_what_can_not_be_evaluated_is_refused_before_it_begins(history, examples, candidates, options, says):
    with pytest.raises(InputError, match=says):
        run(history, candidates, examples, **options)
    assert history.evaluations.newest() == []


LONG = Example("Der Befund ist unverändert und wird weiter beobachtet, wie besprochen. " * 60, "negative", "de", "test")


@pytest.mark.parametrize(
    ("way", "texts", "failed"), [("windows", 5, 0), ("cut", 5, 0), ("refuse", 5, 1), ("leave_out", 4, 0)]
)
def test_texts_longer_than_a_candidate_reads_are_counted_first_and_then_go_the_way_that_was_chosen(
    history, way, texts, failed
):
    settings = RunSettings("en", Generation(max_new_tokens=24), long_texts=way)
    spec = EvaluationSpec(TASK, [*TEXTS[:4], LONG], [ENCODER], settings)
    begun, *_ = list(evaluate(make_pool(10**9), spec, history, threading.Event()))
    assert begun.texts == texts
    (sentence,) = begun.long
    assert "reads 256 tokens: 1 of 5 texts are longer" in sentence
    rows = history.evaluations.rows(begun.evaluation_id)
    assert (len(rows), sum(row.failed for row in rows)) == (texts, failed)
    kept = history.evaluations.get(begun.evaluation_id)
    assert kept.settings["long_texts"] == way and kept.settings["too_long"][ENCODER]["texts"] == 1
    assert kept.left_out_why == ({"longer than a candidate reads": 1} if way == "leave_out" else {})


def test_where_every_text_is_too_long_and_left_out_nothing_begins(history):
    settings = RunSettings("en", Generation(max_new_tokens=24), long_texts="leave_out")
    spec = EvaluationSpec(TASK, [LONG], [ENCODER], settings)
    with pytest.raises(InputError, match="Every text is longer"):
        list(evaluate(make_pool(10**9), spec, history, threading.Event()))
