"""The embedded decoder's training text: nothing held out is in it, the same seed gives it again, labels are true."""

import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

import llmops.scripts.decoder
from llmops.core.verdict import read_verdict
from llmops.data.builtin import load_builtin
from llmops.scripts.decoder.expand import expand
from llmops.scripts.decoder.samples import TOO_NEAR, as_sample, draw_text, samples, too_near
from tests.support.similarity import near, words

TEXT = Path(llmops.scripts.decoder.__file__).parent / "text"
HELD_OUT = {
    language: [
        example.text
        for task in (load_builtin("medical"), load_builtin("support"))
        for example in task.split("test")
        if example.language == language
    ]
    for language in ("de", "en")
}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _nearest(text: str, language: str) -> str | None:
    return next((held_out for held_out in HELD_OUT[language] if near(text, held_out)), None)


@pytest.mark.parametrize("path", sorted(TEXT.glob("*.toml")), ids=lambda path: path.stem)
def test_no_hand_written_line_is_a_held_out_sentence_or_close_to_one(path):
    rng = Random(0)
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    for template in _strings(data):
        for _ in range(3):
            line = expand(template, rng, lambda name: name)
            for language in ("de", "en"):
                assert _nearest(line, language) is None, (line, _nearest(line, language))


@pytest.fixture(scope="module")
def drawn():
    rng = Random(7)
    return [draw_text(rng) for _ in range(12_000)]


@pytest.mark.slow
def test_nothing_generated_is_a_held_out_sentence_or_a_paraphrase_of_one(drawn):
    for text, language in dict.fromkeys((draft.text, draft.language) for draft in drawn):
        assert _nearest(text, language) is None, (text, _nearest(text, language))


@pytest.mark.slow
def test_no_sample_as_it_is_trained_on_holds_a_held_out_sentence():
    held_out = [" ".join(words(text)) for texts in HELD_OUT.values() for text in texts]
    for bare in (False, True):
        for sample in islice(samples(7, bare), 3000):
            whole = " ".join(words(f"{sample.system} {sample.user} {sample.answer}"))
            assert not any(text in whole for text in held_out)


def test_the_filter_sees_a_held_out_sentence_and_a_slip_in_it():
    for language, texts in HELD_OUT.items():
        for text in texts:
            assert too_near(text, language)
            assert too_near(text[:-3].lower(), language)
            assert near(text, text.rsplit(" ", 1)[0])
    assert 0 < TOO_NEAR < 1
    assert not too_near("Something else entirely.", "en")


def test_the_same_seed_gives_the_same_text_and_another_gives_another():
    first, again, other = (list(islice(samples(seed), 200)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.slow
def test_every_answer_reads_as_its_label_in_its_language_and_gives_a_reason(drawn):
    rng = Random(5)
    for draft in drawn[:3000]:
        sample = as_sample(draft, rng)
        task = load_builtin(draft.task_id)
        assert read_verdict(sample.answer, task, draft.language) == draft.label
        word, reason = sample.answer.split(": ", 1)
        assert word == task.answers(draft.language)[draft.label]
        assert len(reason) > 10


@pytest.mark.slow
def test_labels_and_languages_are_in_balance(drawn):
    for language in ("de", "en"):
        labels = [draft.label for draft in drawn if draft.task_id == "medical" and draft.language == language]
        assert 0.4 < labels.count("positive") / len(labels) < 0.6
        assert len(labels) > 0.3 * len(drawn)
    assert {draft.label for draft in drawn if draft.task_id == "support"} == set(load_builtin("support").label_ids)
