"""A user's labelled file: what is wrong is told by row and column, and the sound rows go on."""

import pytest

from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.data.builtin import load_builtin
from llmops.data.columns import ColumnMap
from llmops.data.labelled import from_objects
from tests.support.reading import read_labelled

TASK = load_builtin("medical")


def read(tmp_path, data, name="d.csv", mapping=None, **limits):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_labelled(path, TASK, Settings(tmp_path, **limits), mapping)


def test_every_wrong_row_is_named_and_the_rest_goes_on(tmp_path):
    rows = [
        "fine,positive,en",
        ",negative,en",
        "no label,,en",
        "unknown,maybe,en",
        "fine,positive,en",
        "fine,negative,en",
        "autre,negative,fr",
        "=1+1,Negative,de",
        "Die Versorgung wird nicht empfohlen.,NEGATIV,",
    ]
    found = read(tmp_path, "text,label,language\n" + "\n".join(rows))
    assert [(example.text, example.label, example.language) for example in found.examples] == [
        ("fine", "positive", "en"),
        ("=1+1", "negative", "de"),
        ("Die Versorgung wird nicht empfohlen.", "negative", "de"),
    ]
    said = found.sentences()
    assert said[0] == "6 of 9 rows are left out."
    for words in (
        "Row 3, column “text”: the text is empty; left out.",
        "Row 4, column “label”: the label is missing; left out.",
        "Row 5, column “label”: “maybe” is no label of the task (positive, negative); left out.",
        "Row 6, column “text”: the same text stands in row 2; left out.",
        "Row 7, column “text”: the same text stands in row 2, labelled “positive” there; left out.",
        "Row 8, column “language”: “fr” is no language of the task (en, de); left out.",
    ):
        assert words in said


def test_columns_are_mapped_and_one_class_is_said(tmp_path):
    mapping = ColumnMap("gutachten", "ergebnis")
    found = read(tmp_path, "nr;gutachten;ergebnis\n1;Ja bitte;positive\n2;Ja, gern;Positiv\n", mapping=mapping)
    assert [example.label for example in found.examples] == ["positive", "positive"]
    assert any("one label" in line for line in found.sentences())


def test_mixed_encodings_are_read_line_by_line_and_said(tmp_path):
    mixed = "text,label\nfür ihn,positive\n".encode() + "gegen größere,negative\n".encode("cp1252")
    found = read(tmp_path, mixed)
    assert [example.text for example in found.examples] == ["für ihn", "gegen größere"]
    assert "Line 3 is not UTF-8" in found.sentences()[0]
    old = read(tmp_path, "text,label\nfür,positive\ngrößer,negative\n".encode("cp1252"))
    assert [example.text for example in old.examples] == ["für", "größer"]
    assert "read as Windows-1252" in old.sentences()[0]


def test_a_file_that_is_too_big_or_has_no_sound_row_is_refused_with_its_first_reason(tmp_path):
    with pytest.raises(TaskFileError, match=r"50\.0 MB; at most 5 MB"):
        read(tmp_path, b"text,label\n" + b"x" * 50_000_000)
    with pytest.raises(TaskFileError, match=r"No row can be used\. Row 2, column “label”"):
        read(tmp_path, "text,label\nx,maybe\n")


def test_many_problems_are_counted_and_the_first_shown(tmp_path):
    found = read(tmp_path, "text,label\nfine,positive\nalso,negative\n" + "".join(f"t{n},maybe\n" for n in range(1000)))
    said = found.sentences()
    assert said[0] == "1,000 of 1,002 rows are left out."
    assert said[-1] == "And 980 more."
    assert len(said) == 22


def test_rows_of_a_program_are_checked_the_same_way():
    found = from_objects([{"text": "a", "label": "positive"}, {"text": "b"}, {"label": "negative"}], TASK)
    assert [example.text for example in found.examples] == ["a"]
    assert "Row 2, column “label”: the label is missing; left out." in found.sentences()
    for bad in ([], "x", [1], {"text": "a"}):
        with pytest.raises(InputError, match="list of objects"):
            from_objects(bad, TASK)
