"""Files as people have them (tests/cases): each is read as a person would, or what is wrong is said with its place."""

from collections import Counter

import pytest

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.data.builtin import load_builtin
from llmops.data.columns import ColumnMap, guess_columns
from llmops.data.reading import read_table
from tests.support.needs import TESTS
from tests.support.reading import read_labelled, read_own_task

CASES = TESTS / "cases"
LIMITS = Settings(CASES)
BOTH = {"positive": 4, "negative": 4}
PAIR = {"positive": 2, "negative": 2}
MEDICAL = load_builtin("medical")


def own(name, mapping=None):
    return read_own_task(CASES / name, mapping, "en", LIMITS)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("anliegen.csv", {"Lieferung": 4, "Rechnung": 4, "Kündigung": 4, "Lob": 4}),
        ("array.json", BOTH),
        ("pandas_records.json", PAIR),
        ("labelstudio_min.json", PAIR),
        ("bool_lower.csv", {"WAHR": 4, "FALSCH": 4}),
        ("ints.csv", {"1": 4, "0": 4}),
        ("floats.csv", {"1.0": 4, "0.0": 4}),
        ("cp850.csv", BOTH),
        ("dup_header.csv", BOTH),
        ("formula_cached.xlsx", PAIR),
        ("header_comma.csv", BOTH),
        ("hidden_sheet.xlsx", BOTH),
        ("id_first.csv", BOTH),
        ("imbalanced.csv", {"positive": 60, "negative": 1}),
        ("label_case.csv", BOTH),
        ("langlocale.csv", BOTH),
        ("langname.csv", BOTH),
        ("lead.csv", BOTH),
        ("merged.xlsx", BOTH),
        ("nan.csv", BOTH),
        ("nbsp.csv", BOTH),
        ("nfd.csv", {"gewährt": 4, "abgelehnt für jetzt": 4}),
        ("pandas_default.csv", PAIR),
        ("pandas_default.xlsx", PAIR),
        ("quotes.csv", {"positive": 5, "negative": 4}),
        ("sep_line.csv", BOTH),
        ("text_column_only.csv", {"positive": 1, "negative": 1}),
        ("three_problems.csv", None),
        ("title_row.csv", BOTH),
        ("u2028.jsonl", BOTH),
        ("utf32.csv", BOTH),
        ("four.csv", PAIR),
        ("dates_errors.xlsx", {"2026-05-01": 1, "2026-05-02": 1}),
    ],
)
def test_every_case_becomes_a_task_with_its_labels(name, labels):
    found = own(name)
    counts = Counter(example.label for example in found.task.examples)
    assert labels is None or counts == labels
    assert all(example.text.strip() for example in found.task.examples)


def test_umlauts_of_an_old_dos_file_are_whole():
    texts = " ".join(example.text for example in own("cp850.csv").task.examples)
    assert "erfüllt" in texts
    assert "nötig" in texts
    assert "code page 850" in own("cp850.csv").read.notes[0]


def test_dates_are_dates_and_error_cells_are_named():
    said = own("dates_errors.xlsx").read.sentences()
    assert "2 of 4 rows are left out." in said
    assert "Row 4, column “label”: the cell shows the error #N/A; left out." in said


def test_formulas_without_a_value_are_named_by_row_and_column():
    with pytest.raises(TaskFileError, match=r"Row 2, column “label”: the formula has no computed value"):
        own("formula_nocache.xlsx")


def test_the_hidden_sheet_can_be_chosen():
    table = read_table(CASES / "hidden_sheet.xlsx", LIMITS, sheet="Notizen")
    assert table.sheets == ("Notizen", "Daten")
    with pytest.raises(TaskFileError, match="no sheet “Blatt”"):
        read_table(CASES / "hidden_sheet.xlsx", LIMITS, sheet="Blatt")


@pytest.mark.parametrize(
    ("name", "text", "label"),
    [
        ("id_first.csv", "Kommentar", "Bewertung"),
        ("header_comma.csv", "Text des Gutachtens, gekürzt", "Urteil"),
        ("labelstudio_min.json", "text", "sentiment"),
        ("pandas_default.csv", "text", "label"),
        ("merged.xlsx", "text", "label"),
    ],
)
def test_columns_are_found(name, text, label):
    found = guess_columns(read_table(CASES / name, LIMITS))
    assert (found.text, found.label) == (text, label)


def test_with_the_text_column_named_the_label_is_still_found():
    found = own("text_column_only.csv", ColumnMap("Kommentar", None))
    assert [example.text for example in found.task.examples] == [
        "Die Versorgung wird empfohlen.",
        "Die Versorgung wird nicht empfohlen.",
    ]


def test_german_is_german_by_any_of_its_names():
    for name in ("langlocale.csv", "langname.csv"):
        assert own(name).task.languages == ("de",)
        found = read_labelled(CASES / name, MEDICAL, LIMITS)
        assert len(found.examples) == 8
        assert {example.language for example in found.examples} == {"de"}


def test_joined_spellings_are_said():
    for name in ("label_case.csv", "nfd.csv"):
        assert any("spellings" in note for note in own(name).read.notes)


def test_a_label_with_one_text_is_warned_about():
    notes = " ".join(own("imbalanced.csv").read.notes)
    assert "“negative” (1)" in notes
    assert "60 of 61 texts are “positive”" in notes


def test_leading_signs_and_spaces_stay_and_no_row_is_warned_about():
    found = own("lead.csv")
    assert all(example.text[0] in "-=+@ " for example in found.task.examples)
    assert found.read.problems == ()


def test_three_problems_are_listed_at_once_and_the_rest_is_read():
    found = own("three_problems.csv")
    assert len(found.task.examples) == 497
    assert [problem.row for problem in found.read.problems] == [101, 201, 301]


def test_a_row_with_quotes_inside_is_read_as_it_stands():
    assert own("quotes.csv").task.examples[0].text == '"Ja" sagte der Gutachter zur Versorgung'


@pytest.mark.parametrize("name", ["bool_lower.csv", "ints.csv", "floats.csv"])
def test_words_of_a_file_are_mapped_to_a_tasks_labels(name):
    with pytest.raises(TaskFileError, match="is no label of the task"):
        read_labelled(CASES / name, MEDICAL, LIMITS)
    yes, no = own(name).task.label_ids
    found = read_labelled(CASES / name, MEDICAL, LIMITS, None, {yes: "positive", no: "negative"})
    assert Counter(example.label for example in found.examples) == BOTH
