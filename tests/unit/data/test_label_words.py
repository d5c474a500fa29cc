"""Words of a file that are no label of the task: found, counted, and taken for what they likely mean."""

import pytest

from llmops.core.settings import Settings
from llmops.data.builtin import load_builtin
from llmops.data.columns import guess_columns
from llmops.data.label_words import likely_labels, unknown_words
from llmops.data.labelled import label_by_word, to_labelled
from llmops.data.reading import read_table
from tests.support.needs import TESTS

CASES = TESTS / "cases"
MEDICAL, SUPPORT = load_builtin("medical"), load_builtin("support")


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [("ints.csv", "1", "0"), ("floats.csv", "1.0", "0.0"), ("bool_lower.csv", "WAHR", "FALSCH")],
)
def test_the_words_for_yes_and_no_are_the_labels_that_say_so(name, yes, no):
    table = read_table(CASES / name, Settings(CASES))
    mapping = guess_columns(table)
    unknown = unknown_words(table, mapping, label_by_word(MEDICAL))
    assert unknown == {yes: 4, no: 4}
    likely = likely_labels(unknown, MEDICAL)
    assert likely == {yes: "positive", no: "negative"}
    assert len(to_labelled(table, mapping, MEDICAL, likely).examples) == 8


def test_labels_that_are_known_are_not_asked_for():
    table = read_table(CASES / "label_case.csv", Settings(CASES))
    assert unknown_words(table, guess_columns(table), label_by_word(MEDICAL)) == {}


@pytest.mark.parametrize("words", [{"maybe": 3}, {"1": 2, "2": 2}])
def test_nothing_is_made_up_where_words_or_labels_say_neither_yes_nor_no(words):
    assert likely_labels(words, SUPPORT) == {}
    assert likely_labels(words, MEDICAL) == {}


def test_words_that_are_nearly_all_different_are_no_labels(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"Text number {n},word {n}\n" for n in range(30)))
    table = read_table(path, Settings(tmp_path))
    assert unknown_words(table, guess_columns(table), label_by_word(MEDICAL)) == {}
