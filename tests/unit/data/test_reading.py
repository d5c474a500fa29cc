"""Users' files: what is read, and what is said of what is wrong."""

import json
import zipfile

import openpyxl
import pytest

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.data.columns import ColumnMap, guess_columns
from llmops.data.own_task import task_from_examples, to_examples
from llmops.data.reading import read_table

GOOD = "text,label\nThe aid is needed.,yes\nIt is not needed.,no\n"


@pytest.fixture
def limits(tmp_path):
    return Settings(tmp_path, max_upload_bytes=100_000, max_rows=50)


@pytest.fixture
def write(tmp_path):
    def _write(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return _write


def _examples(table, **kwargs):
    return to_examples(table, guess_columns(table.columns), "en", **kwargs)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", GOOD),
        ("a.csv", GOOD.replace(",", ";")),
        ("a.tsv", GOOD.replace(",", "\t")),
        ("a.csv", "\ufeff" + GOOD),
        ("a.csv", GOOD.encode("utf-16")),
        ("a.csv", GOOD.replace("\n", "\r\n")),
        ("a.jsonl", '{"text": "The aid is needed.", "label": "yes"}\n\n{"text": "It is not needed.", "label": "no"}\n'),
    ],
)
def test_the_same_rows_come_out_of_every_form(write, limits, name, data):
    examples = _examples(read_table(write(name, data), limits))
    assert [(e.text, e.label) for e in examples] == [("The aid is needed.", "yes"), ("It is not needed.", "no")]


def test_a_windows_file_is_read_and_said_to_be_one(write, limits):
    table = read_table(write("a.csv", "text;label\nHilfsmittel für Öl;ja\nÜbel;nein\n".encode("cp1252")), limits)
    assert table.rows[0][0] == "Hilfsmittel für Öl"
    assert "Windows-1252" in table.notes[0]


def test_quotes_line_breaks_and_formulas_are_text(write, limits):
    table = read_table(write("a.csv", 'text,label\n"one, ""two""\nthree",a\n=1+1,b\n'), limits)
    assert table.rows[0][0] == 'one, "two"\nthree'
    assert table.rows[1][0] == "=1+1"


def test_a_spreadsheet_is_read_with_formulas_as_text(tmp_path, limits):
    book = openpyxl.Workbook()
    book.active.append(["text", "label", "n"])
    book.active.append(["=SUM(1,2)", "a", 3.0])
    book.active.append(["second", "b", 4])
    book.create_sheet("other")
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx", limits)
    assert table.rows == (("=SUM(1,2)", "a", "3"), ("second", "b", "4"))
    assert "others" in table.notes[0]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", "", "empty"),
        ("a.csv", "text,label\n", "no rows"),
        ("a.csv", "text\nonly\n", "two columns"),
        ("a.csv", "text,text\na,b\n", "“text” stands twice"),
        ("a.csv", "text,,label\na,b,c\n", "column 2 has no name"),
        ("a.csv", "text,label\na,b,c\n", "Row 2 has 3 cells"),
        ("a.csv", 'text,label\n"open,b\n', "Row 2 can't be read"),
        ("a.pdf", "x", "not read"),
        ("a.jsonl", '{"text": 1}\nnonsense\n', "Line 2 is no JSON"),
        ("a.jsonl", "[1, 2]\n", "Line 1 is no JSON object"),
        ("a.xlsx", "no zip", "no XLSX"),
        ("a.csv", "text,label\n" + "x,y\n" * 60, "60 rows; at most 50"),
        ("a.csv", "x" * 200_000, "at most 0 MB"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(write, limits, name, data, said):
    with pytest.raises(TaskFileError) as caught:
        read_table(write(name, data), limits)
    assert said in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,x\n ,y\n", "Row 3, column “text”: the text is empty"),
        ("a,x\nb,\n", "Row 3, column “label”: the label is missing"),
        ("a,x\na,y\n", "Row 3, column “text”: the same text stands in row 2"),
        ("a,x\nb,x\n", "one label only"),
    ],
)
def test_a_wrong_row_is_named_with_row_and_column(write, limits, rows, said):
    table = read_table(write("a.csv", "text,label\n" + rows), limits)
    with pytest.raises(TaskFileError) as caught:
        _examples(table)
    assert said in caught.value.message


def test_unknown_labels_and_splits_are_named(write, limits):
    table = read_table(write("a.csv", "text,label,split\na,x,pool\nb,z,nowhere\n"), limits)
    with pytest.raises(TaskFileError, match="“z” is no label"):
        _examples(table, labels=["x", "y"])
    with pytest.raises(TaskFileError, match="“nowhere” is no split"):
        _examples(table)


def test_columns_must_be_chosen_and_be_different(write, limits):
    table = read_table(write("a.csv", GOOD), limits)
    for mapping in (ColumnMap(None, "label"), ColumnMap("text", "text"), ColumnMap("text", "nothing")):
        with pytest.raises(TaskFileError):
            to_examples(table, mapping, "en")


def test_a_file_without_splits_is_halved_by_label_the_same_way_each_time(write, limits):
    rows = "".join(f"text {i},{'a' if i % 2 else 'b'}\n" for i in range(40))
    table = read_table(write("a.csv", "text,label\n" + rows), limits)
    examples = _examples(table)
    assert examples == _examples(table)
    for label in "ab":
        splits = [e.split for e in examples if e.label == label]
        assert splits.count("pool") == splits.count("test") == 10


def test_a_zip_bomb_is_refused(tmp_path, limits):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    with pytest.raises(TaskFileError, match="unpacks to"):
        read_table(path, limits)


def test_external_entities_are_refused(tmp_path, limits):
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    book.active.append(["a", "b"])
    book.save(tmp_path / "good.xlsx")
    evil = tmp_path / "a.xlsx"
    with zipfile.ZipFile(tmp_path / "good.xlsx") as source, zipfile.ZipFile(evil, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("workbook.xml"):
                data = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + data
            target.writestr(name, data)
    with pytest.raises(TaskFileError):
        read_table(evil, limits)


def test_a_task_of_ones_own_has_the_files_labels_and_languages(write, limits):
    lines = [
        json.dumps({"text": f"t{i}", "label": f"l{i % 3}", "language": "de" if i % 2 else "en"}) for i in range(12)
    ]
    table = read_table(write("a.jsonl", "\n".join(lines)), limits)
    task = task_from_examples("mine", _examples(table))
    assert task.label_ids == ("l0", "l1", "l2")
    assert set(task.languages) == {"de", "en"}
    assert "l1" in task.messages("x", "de")[0]["content"]
