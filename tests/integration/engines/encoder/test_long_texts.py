"""Texts longer than an encoder reads: cut, in windows, refused; learnt from whole; counted from the files alone."""

import numpy as np
import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import ContextTooLong
from llmops.core.request import Job, Request
from llmops.core.settings import load_settings
from llmops.core.task import Example
from llmops.data.builtin import load_builtin
from llmops.engines.encoder import body, files
from llmops.engines.encoder.engine import make
from llmops.engines.encoder.long_texts import embed_readings, read_whole

SUPPORT = load_builtin("support")
IDLE = "The parcel stands on the table beside the window and nobody has looked at it yet. " * 20
TOLD_LATE = IDLE + "I was charged twice, please refund the second invoice. " * 70


@pytest.fixture(scope="module")
def encoder():
    loaded = make(load_settings()).load(parse_candidate("embedded/encoder@fp32?method=few-shot"), SUPPORT, Job())
    yield loaded
    loaded.close()


def run(encoder, text, long_texts):
    return list(encoder.run(Request(SUPPORT, text, "en", long_texts=long_texts)))[-1].run


def test_what_stands_beyond_the_limit_counts_in_windows_and_not_when_cut(encoder):
    cut, windows = run(encoder, TOLD_LATE, "cut"), run(encoder, TOLD_LATE, "windows")
    assert cut.probabilities == pytest.approx(run(encoder, IDLE, "cut").probabilities, abs=1e-5)
    assert windows.label == "billing"
    assert windows.probabilities["billing"] > cut.probabilities["billing"]
    assert windows.timing.prompt_tokens > cut.timing.prompt_tokens
    assert "windows" in windows.notes[0] and "cut" in cut.notes[0]


@pytest.mark.parametrize("way", ["refuse", "leave_out"])
def test_a_text_that_may_be_neither_cut_nor_split_is_refused(encoder, way):
    with pytest.raises(ContextTooLong, match="this encoder reads 256"):
        run(encoder, TOLD_LATE, way)


def test_short_and_long_texts_of_a_batch_answer_as_they_do_alone(encoder):
    texts = ["Where is my parcel?", TOLD_LATE, "The app crashes.", IDLE]
    together = encoder.run_batch([Request(SUPPORT, text, "en", long_texts="windows") for text in texts])
    for text, made in zip(texts, together, strict=True):
        assert made.probabilities == pytest.approx(run(encoder, text, "windows").probabilities, abs=1e-4)


def test_a_split_text_has_the_direction_of_its_windows_mean_and_their_length(encoder):
    embedder = body.TorchBody(body.load_body(files.embedded_folder(), "embedded/encoder"))
    (reading,) = read_whole(embedder, [TOLD_LATE])
    each = np.concatenate([embedder.embed([part]) for part in reading.parts])
    (joined,) = embed_readings(embedder, [reading])
    assert len(reading.parts) > 2
    assert np.linalg.norm(joined) == pytest.approx(np.linalg.norm(each, axis=1).mean(), rel=1e-4)
    assert joined / np.linalg.norm(joined) == pytest.approx(
        each.mean(axis=0) / np.linalg.norm(each.mean(axis=0)), abs=1e-5
    )


@pytest.mark.parametrize("method", ["few-shot", "setfit"])
def test_training_learns_from_what_stands_late_in_its_examples(method):
    """Beginnings of all examples are the same: cut, there would be nothing to learn."""
    topics = {"billing": "The invoice charges me twice, refund it. ", "technical": "The app crashes at every start. "}
    pool = tuple(
        Example(IDLE + f"Case {number}. " + topic * 20, label, "en", "pool")
        for label, topic in topics.items()
        for number in range(2)
    )
    task = SUPPORT.with_examples(pool)
    task = type(task)(**{**vars(task), "labels": tuple(label for label in SUPPORT.labels if label.id in topics)})
    loaded = make(load_settings()).load(parse_candidate(f"embedded/encoder@fp32?method={method}&k=2"), task, Job())
    try:
        assert any("4 of its examples are longer" in note for note in loaded.notes)
        for label, topic in topics.items():
            request = Request(task, IDLE + topic * 20, "en", long_texts="windows")
            assert list(loaded.run(request))[-1].run.label == label
    finally:
        loaded.close()


def test_lengths_and_limit_are_told_from_the_files_as_the_loaded_model_has_them():
    embedder = body.TorchBody(body.load_body(files.embedded_folder(), "embedded/encoder"))
    texts = ["Where is my parcel?", TOLD_LATE, "größer 🙂"]
    lengths = make(load_settings()).text_lengths(
        parse_candidate("embedded/encoder"), SUPPORT, [Example(text, "billing", "en") for text in texts], 96
    )
    assert lengths.limit == embedder.max_tokens
    assert list(lengths.tokens) == [len(ids) for ids in embedder.tokenizer.ids(texts)]
