"""Words of label and language columns: what counts as one, what as missing, what as a language."""

import pytest

from llmops.data import words


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Positive", "positive "),
        ("gewährt", "gewa\u0308hrt"),
        ("positive", "positive\u200b"),
        ("very\u00a0good", "very good"),
        ("Straße", "STRASSE"),
        ("\ufeffyes", "yes"),
        ("two  words", "two words"),
        ("soft\u00adware", "software"),
    ],
)
def test_spellings_of_one_word_have_one_key(left, right):
    assert words.key(left) == words.key(right)


@pytest.mark.parametrize(("left", "right"), [("1", "1.0"), ("a b", "ab"), ("mass", "maß "), ("no", "nö")])
def test_other_words_stay_apart_unless_case_folding_joins_them(left, right):
    assert (words.key(left) == words.key(right)) is (left.casefold() == right.strip().casefold())


@pytest.mark.parametrize("word", ["", "  ", "NaN", "n/a", "#N/A", "NA", "null", "<NA>", "\u200b"])
def test_nothing_is_missing_however_it_is_written(word):
    assert words.is_missing(word)


@pytest.mark.parametrize("word", ["none", "-", "0", "nein", "no", "Nancy"])
def test_words_that_may_be_labels_are_not_missing(word):
    assert not words.is_missing(word)


def test_a_text_may_be_the_word_na():
    assert not words.is_no_text("Na?")
    assert not words.is_no_text("na")
    assert words.is_no_text("NaN")
    assert words.is_no_text("\u200b ")


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("Deutsch", "de"),
        ("de-DE", "de"),
        ("de_AT", "de"),
        ("German", "de"),
        ("DE", "de"),
        ("deu", "de"),
        ("en-US", "en"),
        ("Englisch", "en"),
        ("fr-CA", "fr"),
        ("fr", "fr"),
        ("Klingon", "klingon"),
        ("", ""),
    ],
)
def test_languages_by_name_and_locale(word, code):
    assert words.language_code(word) == code


def test_the_commonest_spelling_stands_for_all_and_it_is_said():
    names, notes = words.joined(["Yes", "yes", "yes ", "no", "yes"])
    assert names == {"yes": "yes", "no": "no"}
    assert notes == ["“yes” stands for 3 spellings, which differ in case, spaces or encoding only."]
