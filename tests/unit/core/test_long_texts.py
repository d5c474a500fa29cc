"""A text in windows: equal parts that fit, nothing lost, breaks at white space."""

import pytest

from llmops.core.long_texts import windows_of


def words(texts):
    return [len(text.split()) + 2 for text in texts]  # two marks, as a tokenizer adds them


def test_a_text_that_fits_stays_as_it_is():
    assert windows_of("  one two  ", words, 4) == ["  one two  "]


def test_parts_fit_hold_every_word_in_order_and_are_of_about_the_same_length():
    text = " ".join(f"word{number:03}" for number in range(500))
    parts = windows_of(text, words, 102)
    assert " ".join(parts).split() == text.split()
    assert max(words(parts)) <= 102
    assert len(parts) <= 6 and max(map(len, parts)) - min(map(len, parts)) < 70


@pytest.mark.parametrize("text", ["字" * 900, "x" * 900], ids=["no white space", "one word"])
def test_a_text_without_white_space_is_split_within_words(text):
    parts = windows_of(text, lambda texts: [len(each) for each in texts], 128)
    assert "".join(parts) == text and max(map(len, parts)) <= 128


def test_where_not_even_a_character_fits_it_ends_too():
    assert windows_of("abc", lambda texts: [len(each) + 9 for each in texts], 5) == ["a", "b", "c"]
