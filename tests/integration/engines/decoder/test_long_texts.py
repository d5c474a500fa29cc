"""Texts too long for a decoder's context, read in windows; counted from the tokenizer's files alone."""

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import ContextTooLong
from llmops.core.events import Token
from llmops.core.long_texts import windows_of
from llmops.core.settings import load_settings
from llmops.core.task import Example
from llmops.engines.decoder import prompt
from llmops.engines.decoder.engine import make
from tests.support.decoder_runs import TASK, finished_run, load_model, request

SENTENCES = "The patient was seen on Monday and walks with two crutches. " * 150
LONG = SENTENCES + "The wheelchair is recommended because the strength of the arms suffices. " * 100


@pytest.fixture(scope="module")
def decoder():
    loaded = load_model("embedded/decoder")
    loaded.warm_up()
    yield loaded
    loaded.close()


def parts_of(decoder, asked):
    room = prompt.room_of(asked, decoder._context)
    return windows_of(asked.text, lambda texts: prompt.lengths(asked, texts, decoder._tokenizer), room)


def test_probabilities_are_the_mean_of_the_windows_and_nothing_is_written(decoder):
    asked = request(LONG, long_texts="windows")
    events = list(decoder.run(asked))
    made, parts = events[-1].run, parts_of(decoder, asked)
    assert len(parts) > 1
    each = [finished_run(decoder, request(part)).probabilities for part in parts]
    for label in TASK.label_ids:
        assert made.probabilities[label] == pytest.approx(sum(one[label] for one in each) / len(each), abs=1e-3)
    assert made.label == max(made.probabilities, key=made.probabilities.get)
    assert not made.text and not any(isinstance(event, Token) for event in events)
    assert made.timing.e2e_s > 0 and made.timing.prompt_tokens > decoder._context
    assert any(f"read in {len(parts)} windows" in note for note in made.notes)


def test_a_text_that_fits_is_answered_with_its_explanation_as_ever(decoder):
    assert finished_run(decoder, request(long_texts="windows")).text == finished_run(decoder, request()).text != ""


def test_long_and_short_texts_of_a_batch_are_answered_as_alone(decoder):
    asked = [request(text, long_texts="windows") for text in ("The chair is needed.", LONG, "Not needed.")]
    for one, made in zip(asked, decoder.run_batch(asked), strict=True):
        alone = finished_run(decoder, one)
        assert (made.label, made.text) == (alone.label, alone.text)
        assert made.probabilities == pytest.approx(alone.probabilities, abs=1e-3)


def test_what_may_not_be_split_is_refused_beside_others(decoder):
    refused, made = decoder.run_batch([request(LONG), request()])
    assert isinstance(refused, ContextTooLong) and "in windows" in refused.remedy
    assert made.label


def test_lengths_are_told_without_the_weights_and_decide_as_a_run_does(decoder):
    word = "chair "
    fits = (decoder._context - 24 - prompt.lengths(request(""), ["x"], decoder._tokenizer)[0]) * 2 // 3
    texts = [word * count for count in (1, fits, fits * 2, fits * 4)]
    lengths = make(load_settings()).text_lengths(
        parse_candidate("embedded/decoder"), TASK, [Example(text, "positive", "en") for text in texts], 24
    )
    exact = prompt.lengths(request(), texts, decoder._tokenizer)
    assert [tokens > lengths.limit for tokens in lengths.tokens] == [tokens > lengths.limit for tokens in exact]
    assert lengths.limit == decoder._context - 24
    assert all(abs(told - real) <= 8 for told, real in zip(lengths.tokens, exact, strict=True))
