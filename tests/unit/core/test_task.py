"""A task as data: messages, answer words, languages."""

import pytest

from llmops.core.errors import InputError
from llmops.core.task import Label, Prompt, Task
from llmops.data.builtin import load_builtin

MEDICAL = load_builtin("medical")


def test_braces_in_a_text_are_just_text():
    text = "{instruction} {text} {0} {{x}}"
    assert MEDICAL.messages(text, "en")[1]["content"].endswith(text)


def test_an_unknown_task_or_language_says_what_there_is():
    with pytest.raises(InputError) as caught:
        load_builtin("nothing")
    assert "medical, support" in caught.value.remedy
    with pytest.raises(InputError) as caught:
        MEDICAL.messages("x", "fr")
    assert "de" in caught.value.remedy


@pytest.mark.parametrize("path", ["..", "../medical", "/etc", ""])
def test_a_task_id_is_no_path(path):
    with pytest.raises(InputError):
        load_builtin(path)


def test_the_language_of_every_held_out_sentence_is_told_from_its_words():
    unseen = MEDICAL.with_examples(MEDICAL.split("pool"))
    for example in MEDICAL.split("test"):
        assert unseen.language_of(example.text) == example.language, example.text


def test_a_text_without_known_words_is_taken_for_the_first_language():
    assert MEDICAL.language_of("🦽 12345") == MEDICAL.languages[0]


def test_a_label_without_a_word_in_a_language_uses_another_languages():
    task = Task("t", "T", (Label("a", {}, {}, {"en": "Yes"}),), {"en": Prompt("?"), "de": Prompt("?")})
    assert task.answers("de") == {"a": "Yes"}
