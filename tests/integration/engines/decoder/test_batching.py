"""Many texts at once give what each gives alone: verdict, probabilities, explanation; and fail one by one."""

import threading
from dataclasses import replace

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import ContextTooLong, InputError, LlmopsError, Stopped
from llmops.core.events import Finished
from llmops.core.request import Generation, Job, Request
from llmops.core.run_settings import RunSettings
from llmops.core.settings import load_settings
from llmops.core.task import Example
from llmops.data.builtin import load_builtin
from llmops.engines.decoder import batching
from llmops.engines.decoder import engine as decoder
from llmops.engines.encoder import engine as encoder
from llmops.evaluation.batch_sizes import AnswerMode, ran_alone
from llmops.evaluation.runner import CandidateEnded, evaluate
from llmops.evaluation.spec import EvaluationSpec
from llmops.evaluation.summary import summary
from llmops.history.store import History
from tests.support import models
from tests.support.pools import make_pool

TASK = load_builtin("medical")
TEXTS = list(TASK.split("test"))[:18] + list(TASK.split("test"))[-4:]  # more of one language than are read at a time
LONG = Example("word " * 4000, "positive", "en", "test")


def load(engine, text):
    return engine.make(load_settings()).load(parse_candidate(text), TASK, Job())


def requests(texts=TEXTS, tokens=32, **more):
    return [
        Request(TASK, example.text, example.language, Generation(max_new_tokens=tokens), **more) for example in texts
    ]


def alone(model, asked):
    return [next(event.run for event in model.run(request) if isinstance(event, Finished)) for request in asked]


def same_shares(shares, other, tolerance):
    return shares.keys() == other.keys() and all(other[k] == pytest.approx(v, abs=tolerance) for k, v in shares.items())


@pytest.fixture(scope="module")
def model():
    loaded = load(decoder, "embedded/decoder@fp32")
    loaded.warm_up()
    yield loaded
    loaded.close()


def test_a_batch_of_a_decoder_answers_word_for_word_as_each_text_alone(model):
    assert model.can_batch
    expected, found = alone(model, requests()), model.run_batch(requests())
    assert [run.text for run in found] == [run.text for run in expected]
    assert [run.label for run in found] == [run.label for run in expected]
    assert [run.finish for run in found] == [run.finish for run in expected]
    assert [run.timing.output_tokens for run in found] == [run.timing.output_tokens for run in expected]
    assert all(same_shares(a.probabilities, b.probabilities, 1e-4) for a, b in zip(expected, found, strict=True))
    assert {run.timing.e2e_s for run in found} == {None}


def test_a_verdict_alone_is_the_one_of_the_whole_answer(model):
    expected = alone(model, requests())
    for found in (model.run_batch(requests(verdict_only=True)), alone(model, requests(verdict_only=True))):
        assert [run.label for run in found] == [run.label for run in expected]
        assert all(same_shares(a.probabilities, b.probabilities, 1e-4) for a, b in zip(expected, found, strict=True))
        assert any(run.finish == "verdict" for run in found)


def test_answers_that_prove_no_verdict_are_written_out(tmp_path):
    noise = load(decoder, str(models.llama(tmp_path / "noise", ends=True)))
    expected = alone(noise, requests(TEXTS[:6], tokens=20))
    found = noise.run_batch(requests(TEXTS[:6], tokens=20, verdict_only=True))
    assert [run.label for run in found] == [run.label for run in expected]
    assert {run.finish for run in found} <= {"stop", "length"}
    assert all(run.timing.output_tokens > 1 for run in found)
    noise.close()


def test_sliding_windows_are_not_batched(tmp_path):
    gemma = load(decoder, str(models.gemma(tmp_path / "gemma")))
    assert not gemma.can_batch
    gemma.close()


def test_one_bad_text_has_its_own_error_and_a_broken_batch_is_taken_apart(model, monkeypatch):
    found = model.run_batch(requests([*TEXTS[:3], LONG, *TEXTS[3:5]]))
    assert [isinstance(outcome, ContextTooLong) for outcome in found] == [False, False, False, True, False, False]
    own, tried = batching.answer_batch, []

    def breaks(loaded, plain, prefixes, batch, stopping):
        tried.append(len(batch.prompts))
        if len(batch.prompts) > 2:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        if len(batch.prompts) == 1 and tried.count(1) == 1:
            raise RuntimeError("something else")
        return own(loaded, plain, prefixes, batch, stopping)

    monkeypatch.setattr(batching, "answer_batch", breaks)
    found = model.run_batch(requests(TEXTS[:5]))
    assert sum(isinstance(outcome, LlmopsError) for outcome in found) == 1
    assert 5 in tried and max(tried[1:]) <= 3


def test_stop_ends_a_batch_without_a_result(model):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        model.run_batch(requests(TEXTS[:3], stop=stop))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_batch_of_an_encoder_labels_as_each_text_alone(precision):
    few = load(encoder, f"embedded/encoder@{precision}?method=few-shot&k=8")
    texts = [*TEXTS, LONG]
    found, expected = few.run_batch(requests(texts)), alone(few, requests(TEXTS))
    assert isinstance(found[-1], ContextTooLong)
    tolerance = 1e-4 if precision == "fp32" else 0.05  # int8 rounds by what else is in the batch
    assert all(same_shares(a.probabilities, b.probabilities, tolerance) for a, b in zip(expected, found, strict=False))
    if precision == "fp32":
        assert [run.label for run in found[:-1]] == [run.label for run in expected]
    (cut,) = few.run_batch(requests([LONG], long_texts="cut"))
    assert cut.notes and cut.label == alone(few, requests([LONG], long_texts="cut"))[0].label
    few.close()


def test_an_evaluation_says_which_rows_ran_alone_and_tells_throughput_apart(tmp_path):
    history = History(tmp_path / "history.sqlite")
    options = RunSettings("en", Generation(max_new_tokens=24))
    name = "embedded/decoder@fp32"
    for mode in (AnswerMode(), AnswerMode(batched=False), AnswerMode(verdict_only=True)):
        spec = EvaluationSpec(TASK, TEXTS, [name], options, mode=mode)
        updates = list(evaluate(make_pool(10**9), spec, history, threading.Event()))
        assert [update.error for update in updates if isinstance(update, CandidateEnded)] == [None]
    batched, single, verdicts = (sorted(history.evaluations.rows(n), key=lambda row: row.place) for n in (1, 2, 3))
    assert [row.y_hat for row in batched] == [row.y_hat for row in single] == [row.y_hat for row in verdicts]
    assert [row.run.text for row in batched] == [row.run.text for row in single]
    assert sum(ran_alone(row.run) for row in batched) == 5
    assert all((row.run.timing.e2e_s is not None) == ran_alone(row.run) for row in batched)
    (figures,) = summary(history, 1)["metrics"]
    assert figures["batched_texts"] == len(TEXTS) - 5
    assert figures["batched_texts_per_s"] > 0
    assert summary(history, 2)["metrics"][0]["batched_texts"] == 0
    assert history.evaluations.get(3).settings["verdict_only"]
    with pytest.raises(InputError, match="without sampling"):
        hot = replace(options, generation=Generation(temperature=0.7))
        spec = EvaluationSpec(TASK, TEXTS, [name], hot, mode=AnswerMode(verdict_only=True))
        list(evaluate(make_pool(10**9), spec, history, threading.Event()))
