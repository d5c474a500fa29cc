"""The encoder engine with the embedded encoder: three methods, two precisions, and what may be asked of them."""

import threading
from dataclasses import replace

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import ContextTooLong, InputError, ModelNotFound, ModelRefused, Stopped
from llmops.core.events import Finished, Note, Started
from llmops.core.request import Job, Request
from llmops.core.run import Source
from llmops.core.settings import load_settings
from llmops.core.task import Example, Label, Prompt, Task
from llmops.data.builtin import load_builtin
from llmops.engines.encoder import body, files, training
from llmops.engines.encoder.engine import make
from llmops.engines.encoder.head import fit_head
from llmops.engines.encoder.training_record import training_record
from tests.support import models
from tests.support.fresh_process import in_fresh_process
from tests.support.kept_encoders import encoder_store

MEDICAL, SUPPORT = load_builtin("medical"), load_builtin("support")


def load(text, task=SUPPORT, stop=None):
    candidate = parse_candidate(text)
    return make(load_settings()).load(candidate, task, Job(stop=stop or threading.Event()))


def run(model, text, task=SUPPORT, language="en", long_texts="refuse"):
    return list(model.run(Request(task, text, language, long_texts=long_texts)))[-1].run


def accuracy(model, task, language="en"):
    rows = task.split("test", language)
    return sum(run(model, example.text, task, language).label == example.label for example in rows) / len(rows)


@pytest.fixture(scope="module")
def few_shot():
    model = load("embedded/encoder@fp32?method=few-shot")
    model.warm_up()
    yield model
    model.close()


@pytest.fixture(scope="module")
def base():
    return body.load_body(files.embedded_folder(), "embedded/encoder")


def test_a_run_is_started_then_finished_with_a_probability_for_every_label(few_shot):
    events = list(few_shot.run(Request(SUPPORT, "I was charged twice.", "en")))
    assert [type(event) for event in events] == [Started, Finished]
    made = events[-1].run
    assert made.label == "billing"
    assert list(made.probabilities) == list(SUPPORT.label_ids)
    assert sum(made.probabilities.values()) == pytest.approx(1.0)
    assert made.label == max(made.probabilities, key=made.probabilities.get)
    assert made.text == ""
    assert set(made.source.values()) == {Source.CLIENT}


def test_an_encoder_has_e2e_texts_per_second_weights_and_peak_and_no_token_figures(few_shot):
    made = run(few_shot, "I was charged twice.")
    assert made.timing.e2e_s > 0
    assert made.timing.texts_per_second == pytest.approx(1 / made.timing.e2e_s)
    assert made.timing.ttft_s is made.timing.tpot_s is made.timing.output_tokens is None
    assert made.timing.prompt_tokens == 7  # four words, a full stop, and the marks for start and end
    assert made.memory.weights_bytes == few_shot.weights_bytes
    assert made.memory.peak_bytes is not None
    assert made.memory.kv_cache_bytes is None
    assert made.memory.device == "cpu"


def test_weights_are_the_sum_of_the_tensors_in_the_file(few_shot):
    from safetensors import safe_open

    with safe_open(files.embedded_folder() / "model.safetensors", "np") as file:
        stored = sum(file.get_tensor(name).nbytes for name in file.keys())  # noqa: SIM118
    assert few_shot.weights_bytes == pytest.approx(stored, rel=0.001)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_weights_are_predicted_within_2_percent(precision):
    model = load(f"embedded/encoder@{precision}?method=few-shot")
    made = run(model, "I was charged twice.")
    assert made.predicted.weights_bytes == pytest.approx(made.memory.weights_bytes, rel=0.02)
    assert made.predicted.kv_cache_bytes is None
    assert (made.predicted.peak_bytes is None) == (precision == "int8")
    model.close()


def test_the_peak_of_a_long_text_is_predicted_within_15_percent(tmp_path):
    wide = {"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12}
    folder = models.bert(tmp_path / "bert", max_position_embeddings=2048, **wide)
    tokens, measured, predicted = in_fresh_process(_peak_of_a_long_text, f"{folder}@fp32?kind=encoder")
    assert tokens == 2048
    assert measured == pytest.approx(predicted, rel=0.15)


def _peak_of_a_long_text(candidate):
    """(tokens, measured extra bytes, predicted ones)"""
    model = load(f"{candidate}&method=zero-shot")
    text = "needed " * 2500
    run(model, text, long_texts="cut")  # the first text of a length costs more: buffers of the libraries
    made = run(model, text, long_texts="cut")
    model.close()
    return made.timing.prompt_tokens, made.memory.peak_bytes, made.predicted.peak_bytes


def test_few_shot_learns_the_support_task(few_shot):
    assert accuracy(few_shot, SUPPORT) >= 0.85


def test_zero_shot_needs_no_examples_and_beats_chance():
    bare = Task(SUPPORT.id, SUPPORT.name, SUPPORT.labels, SUPPORT.prompts)
    model = load("embedded/encoder@fp32?method=zero-shot", bare)
    assert accuracy(model, SUPPORT) >= 0.6
    model.close()


def test_zero_shot_reads_german_descriptions_for_german():
    model = load("embedded/encoder@fp32?method=zero-shot", MEDICAL)
    text = MEDICAL.split("test", "de")[0].text
    assert run(model, text, MEDICAL, "de").probabilities != run(model, text, MEDICAL, "en").probabilities
    model.close()


def test_int8_is_a_quarter_of_the_bytes_and_points_the_same_way(few_shot):
    import numpy as np

    small = load("embedded/encoder@int8?method=few-shot")
    small.warm_up()
    texts = [example.text for example in SUPPORT.split("test")]
    full, few = few_shot._body.embed(texts), small._body.embed(texts)
    cosines = (full * few).sum(1) / np.linalg.norm(full, axis=1) / np.linalg.norm(few, axis=1)
    assert cosines.mean() > 0.98
    assert cosines.min() > 0.95
    assert small.weights_bytes < 0.35 * few_shot.weights_bytes
    same = sum(run(few_shot, text).label == run(small, text).label for text in texts)
    assert same >= 0.9 * len(texts)
    small.close()


def test_the_int8_copy_is_made_once_and_kept_on_disk(data_dir):
    said = []
    candidate = parse_candidate("embedded/encoder@int8?method=zero-shot")
    for _ in range(2):
        make(load_settings()).load(
            candidate, SUPPORT, Job(report=lambda message, fraction: said.append(message))
        ).close()
    assert len(list((data_dir / "openvino").glob("*/model.xml"))) >= 1
    assert sum("int8" in message for message in said) <= 1


def test_the_head_gives_the_probabilities_of_scikit_learns_own_model(base):
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    for task in (MEDICAL, SUPPORT):
        rows = task.split("pool")
        vectors = body.embed_all(body.TorchBody(base), [example.text for example in rows])
        labels = [example.label for example in rows]
        head = fit_head(vectors, labels, 0)
        theirs = LogisticRegression(max_iter=2000, random_state=0).fit(vectors, labels)
        assert tuple(theirs.classes_) == head.labels
        assert np.allclose(head.probabilities(vectors), theirs.predict_proba(vectors), atol=1e-9)


def test_setfit_moves_the_body_and_the_same_seed_gives_the_same_head():
    import numpy as np

    def trained():
        fresh = body.load_body(files.embedded_folder(), "embedded/encoder")
        before = next(fresh.parameters()).detach().clone()
        events = list(training.train(fresh, "setfit", training.pick_examples(MEDICAL, 3, 1), 1, threading.Event()))
        assert not before.equal(next(fresh.parameters()))
        return events

    first, again = trained(), trained()
    steps = [event for event in first if isinstance(event, training.TrainEvent) and event.loss is not None]
    assert [event.step for event in steps] == list(range(1, steps[0].steps + 1))
    fractions = [event.fraction for event in first if isinstance(event, training.TrainEvent)]
    assert fractions == sorted(fractions)
    assert isinstance(first[-1], training.Trained)
    assert np.allclose(first[-1].head.coef, again[-1].head.coef, atol=1e-6)


def test_stop_ends_a_fine_tuning_within_a_step_and_its_thread_is_gone(base):
    stop = threading.Event()
    fresh = body.load_body(files.embedded_folder(), "embedded/encoder")
    with pytest.raises(Stopped):
        for event in training.train(fresh, "setfit", training.pick_examples(MEDICAL, 16, 0), 0, stop):
            if isinstance(event, training.TrainEvent) and event.loss is not None:
                assert event.step <= 3
                stop.set()
    assert not [thread for thread in threading.enumerate() if thread.name == "setfit"]


def test_stop_before_and_while_loading_is_heard():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        load("embedded/encoder@fp32?method=few-shot", stop=stop)


def test_examples_are_picked_by_class_from_the_pool_in_turns_of_language():
    picked = training.pick_examples(MEDICAL, 6, 0)
    assert len(picked) == 12
    assert {example.split for example in picked} == {"pool"}
    for label in MEDICAL.label_ids:
        languages = [example.language for example in picked if example.label == label]
        assert sorted(languages) == ["de"] * 3 + ["en"] * 3
    assert picked == training.pick_examples(MEDICAL, 6, 0)
    assert picked != training.pick_examples(MEDICAL, 6, 1)


def test_a_label_without_examples_or_a_single_class_is_refused(base):
    labels = tuple(Label(name, {"en": name}, {"en": name}, {"en": name}) for name in ("a", "b"))
    lone = Task("t", "T", labels, {"en": Prompt("?")}, (Example("x", "a", "en"),))
    with pytest.raises(InputError, match="“b” has no examples"):
        training.pick_examples(lone, 2, 0)
    with pytest.raises(InputError, match="one class"):
        list(training.train(base, "few-shot", lone.examples, 0, threading.Event()))


def test_a_label_without_a_description_is_refused_for_zero_shot():
    labels = tuple(Label(name, {"en": name}, {}, {"en": name}) for name in ("a", "b"))
    with pytest.raises(InputError, match="description"):
        load("embedded/encoder@fp32?method=zero-shot", Task("t", "T", labels, {"en": Prompt("?")}))


def test_a_text_over_the_window_is_refused_with_both_numbers(few_shot):
    with pytest.raises(ContextTooLong) as caught:
        run(few_shot, "needed " * 200_000)
    assert "256" in caught.value.message
    assert "200,00" in caught.value.message


def test_a_text_over_the_window_is_cut_visibly_where_asked(few_shot):
    events = list(few_shot.run(Request(SUPPORT, "needed " * 1000, "en", long_texts="cut")))
    assert any("was cut" in event.message for event in events if isinstance(event, Note))
    assert any("was cut" in note for note in events[-1].run.notes)
    assert events[-1].run.timing.prompt_tokens == 256


@pytest.mark.parametrize(
    "text", [" ", "\x00\x1b[31m", "🙂🦽👩‍🦽", "שלום \u202e مرحبا", "<script>alert(1)</script>", "**a**|b"]
)
def test_any_text_runs(few_shot, text):
    assert run(few_shot, text).label in SUPPORT.label_ids


def test_words_that_the_vocabulary_lacks_are_counted_and_said(few_shot):
    assert any("1 of the text's 5 tokens" in note for note in run(few_shot, "the 🦽 chair").notes)
    assert not any("vocabulary" in note for note in run(few_shot, "the chair").notes)


def test_a_model_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ModelNotFound, match="not on this machine"):
        load("nobody/no-such-encoder@fp32?kind=encoder")
    with pytest.raises(ModelNotFound, match="no folder"):
        load(f"{tmp_path}/none@fp32?kind=encoder")


def test_a_folder_that_is_no_model_or_has_pickles_only_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelRefused, match=r"config\.json"):
        load(f"{tmp_path}/empty@fp32?kind=encoder")
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text("{}")
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelRefused, match="pickle"):
        load(f"{pickled}@fp32?kind=encoder")


def test_a_folder_of_ones_own_works(tmp_path):
    model = load(f"{models.bert(tmp_path / 'bert')}@fp32?kind=encoder&method=zero-shot")
    assert run(model, "anything").label in SUPPORT.label_ids
    model.close()


@pytest.mark.parametrize("method", ["few-shot", "setfit"])
def test_a_trained_encoder_is_kept_and_gives_the_same_probabilities_when_loaded_again(method, tmp_path):
    from llmops.engines.encoder import store

    name = f"kept-{method}"
    asked = training.TrainingSettings("embedded/encoder", method, 2, 0)
    *_, trained = training.train_named(MEDICAL, asked, load_settings(), Job())
    meta = store.EncoderMeta(
        "medical", method, "embedded/encoder", trained.head.labels, 2, 0, 4, has_body=method == "setfit"
    )
    folder = encoder_store().save(name, trained.model, trained.head, meta)
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".bin", ".pt", ".py")]
    text = MEDICAL.split("test", "de")[0].text
    expected = trained.head.probabilities(body.TorchBody(trained.model).embed([text]))[0]

    archive = encoder_store().pack(name, tmp_path)
    encoder_store().delete(name)
    with pytest.raises(ModelNotFound):
        load(f"trained/{name}@fp32", MEDICAL)
    encoder_store().unpack(archive, name)
    model = load(f"trained/{name}@fp32", MEDICAL)
    made = run(model, text, MEDICAL, "de")
    assert [made.probabilities[label] for label in trained.head.labels] == pytest.approx(expected.tolist(), abs=1e-5)
    assert any(method in note for note in model.notes)
    model.close()
    with pytest.raises(InputError, match="labels"):
        load(f"trained/{name}@fp32", SUPPORT)
    encoder_store().delete(name)


def test_a_training_whose_examples_are_too_long_says_so_kept_or_not():
    long = "The chair is needed because the stairs are steep. " * 60
    examples = (
        Example(long + "a", "positive", "en"),
        Example("The aid is needed.", "positive", "en"),
        Example(long + "b", "negative", "en"),
        Example("The aid is refused.", "negative", "en"),
    )
    task = MEDICAL.with_examples(examples)
    said = "2 of its examples are longer than this encoder reads: learnt from in windows, averaged."
    model = load("embedded/encoder@fp32?method=few-shot&k=2", task)
    assert said in model.notes
    model.close()
    assert not any("longer" in note for note in load("embedded/encoder@fp32?method=few-shot&k=2", MEDICAL).notes)
    settings = training.TrainingSettings("embedded/encoder", "few-shot", 2, 0)
    trained = list(training.train_named(task, settings, load_settings(), Job()))[-1]
    meta = training_record(task, settings, trained)
    assert (meta.windowed, meta.cut) == (2, 0)
    encoder_store().save("windowed", trained.model, trained.head, meta)
    assert said in load("trained/windowed", task).notes
    cut = replace(meta, windowed=0, cut=2)  # as earlier versions kept it
    encoder_store().save("cut", trained.model, trained.head, cut)
    assert any("their ends were not learnt from" in note for note in load("trained/cut", task).notes)
