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
    return to_examples(table, guess_columns(table), "en", **kwargs).examples


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


def test_of_a_spreadsheet_one_sheet_is_read_and_text_that_looks_like_a_formula_is_text(tmp_path, limits):
    book = openpyxl.Workbook()
    book.active.append(["text", "label", "n"])
    book.active.append(["first", "a", 3.0])
    book.active["A2"] = "=SUM(1,2)"
    book.active["A2"].data_type = "s"
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
        ("a.csv", "," * 50_000, "columns; at most 100"),
        ("a.csv", "\n" * 50_000, "two columns"),
        ("a.pdf", "x", "not read"),
        ("a.json", "nonsense", "no JSON"),
        ("a.json", '"text"', "no list of objects"),
        ("a.jsonl", "[1, 2]\n", "No line is a JSON object. Row 1: it is no JSON object"),
        ("a.xlsx", "no zip", "no XLSX"),
        ("a.parquet", "no parquet", "Parquet file can't be read"),
        ("a.csv", "x" * 200_000, "at most 0 MB"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(write, limits, name, data, said):
    with pytest.raises(TaskFileError) as caught:
        read_table(write(name, data), limits)
    assert said in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (" ,y", "Row 4, column “text”: the text is empty"),
        ("nan,y", "Row 4, column “text”: “nan” is no text"),
        ("c,", "Row 4, column “label”: the label is missing"),
        ("c,NA", "Row 4, column “label”: the label is missing (“NA”)"),
        ("a,x", "Row 4, column “text”: the same text stands in row 2"),
        (" a ,y", "Row 4, column “text”: the same text stands in row 2, labelled “x” there"),
        ("c,y,z", "Row 4: it has 3 cells, the header 2"),
    ],
)
def test_a_wrong_row_is_listed_with_row_and_column_and_the_rest_goes_on(write, limits, row, said):
    table = read_table(write("a.csv", f"text,label\na,x\nb,y\n{row}\nd,y\n"), limits)
    found = to_examples(table, guess_columns(table), "en")
    assert [example.text for example in found.examples] == ["a", "b", "d"]
    assert any(said in line for line in found.sentences())
    assert "1 of 4 rows are left out." in found.sentences()


def test_what_is_no_task_is_refused(write, limits):
    for rows, said in (("a,x\nb,x\n", "one label only"), ("a,\nb,\n", "No row can be used. Row 2")):
        table = read_table(write("a.csv", "text,label\n" + rows), limits)
        with pytest.raises(TaskFileError) as caught:
            _examples(table)
        assert said in caught.value.message
    data = "text,label\n" + "".join(f"t{n},l{n}\n" for n in range(51))
    table = read_table(write("a.csv", data), Settings(limits.data_dir))
    with pytest.raises(TaskFileError, match="51 different labels in 51 rows"):
        _examples(table)


def test_unknown_labels_and_splits_are_listed(write, limits):
    table = read_table(write("a.csv", "text,label,split\na,x,pool\nb,z,pool\nc,y,nowhere\nd,y,test\n"), limits)
    mapping = guess_columns(table)
    said = to_examples(table, mapping, "en", labels=["x", "y"]).sentences()
    assert "Row 3, column “label”: “z” is no label of the task (x, y); left out." in said
    assert "Row 4, column “split”: “nowhere” is no split: pool or test; left out." in said


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


def test_of_too_many_rows_the_first_are_read_and_it_is_said(write, limits):
    table = read_table(write("a.csv", "text,label\n" + "".join(f"t{n},y\n" for n in range(60))), limits)
    assert len(table.rows) == 50
    assert "60 rows; the first 50 are read" in table.notes[0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("comma in each text.csv", "text;label\n" + "".join(f"Ja, gut {n};a\nNein, nie {n};b\n" for n in range(5))),
        ("pipe.txt", "text|label\n" + "".join(f"one, two; {n}|a\nthree; {n}|b\n" for n in range(5))),
        ("single.csv", "text;label\n" + "".join(f"'eins; {n}';'a'\n'zwei; {n}';'b'\n" for n in range(5))),
        ("title.csv", "Export\n\ntext,label\n" + "".join(f"x {n},a\ny {n},b\n" for n in range(5))),
        ("trailing.csv", "text,label,,\n" + "".join(f"x {n},a,,\ny {n},b,,\n" for n in range(5))),
        ("index.csv", "text,label\n" + "".join(f"{n},x {n},a\n{n},y {n},b\n" for n in range(5))),
        ("no_mark.csv", ("text,label\n" + "".join(f"x {n},a\ny {n},b\n" for n in range(5))).encode("utf-16-le")),
        ("no_mark32.csv", ("text,label\n" + "".join(f"x {n},a\ny {n},b\n" for n in range(5))).encode("utf-32-be")),
        ("sep.csv", '"sep=|"\ntext|label\n' + "".join(f"x {n}|a\ny {n}|b\n" for n in range(5))),
        ("headerless.csv", "".join(f"a longer text {n},a\nanother text {n},b\n" for n in range(5))),
        (
            "swapped.csv",
            "label,text\n"
            + "".join(f"a quite long text of number {n},a\n" * 1 for n in range(10))
            .replace("number 1,a", "number 1,b")
            .replace("number 2,a", "number 2,b"),
        ),
    ],
)
def test_siblings_of_a_kind_are_read_like_the_one(write, limits, name, data):
    table = read_table(write(name, data), limits)
    found = to_examples(table, guess_columns(table), "en")
    assert len(found.examples) == 10
    assert {example.label for example in found.examples} == {"a", "b"}
    assert not found.problems


def test_literal_quotes_between_tabs_swallow_no_row(write, limits):
    rows = ['ham\t"Hello there', "spam\tWin now", 'ham\tsaid" he', "spam\tplain", 'ham\t"whole"']
    table = read_table(write("sms.tsv", "label\ttext\n" + "\n".join(rows)), limits)
    texts = [row[1] for row in table.rows]
    assert texts == ['"Hello there', "Win now", 'said" he', "plain", "whole"] or texts[-1] == '"whole"'
    assert len(texts) == 5


def test_a_quote_that_never_closes_costs_no_other_row(write, limits):
    table = read_table(write("a.csv", 'text,label\n"open,a\n' + "".join(f"t{n},b\n" for n in range(9))), limits)
    assert table.rows[0] == ('"open', "a")
    assert len(table.rows) == 10
    assert "quotes don't match" in str(table.problems[0])


def test_half_a_surrogate_and_nul_never_come_out(write, limits):
    lines = [r'{"text": "a \ud800 b\u0000", "label": "x"}', r'{"text": "c", "label": "y"}', "nonsense"]
    table = read_table(write("a.jsonl", "\n".join(lines)), limits)
    assert table.rows[0][0] == "a \ufffd b"
    assert [problem.row for problem in table.problems] == [3]
    table.rows[0][0].encode()


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "mac_roman"])
def test_old_encodings_are_told_apart_by_their_letters(write, limits, encoding):
    text = "text;label\nDas Hilfsmittel für Frau Müller ist nötig, größer als üblich.;ja\nÜbel, Öl und Ärger;nein\n"
    table = read_table(write("a.csv", text.encode(encoding)), limits)
    assert table.rows[0][0] == "Das Hilfsmittel für Frau Müller ist nötig, größer als üblich."
    assert table.rows[1][0] == "Übel, Öl und Ärger"


@pytest.mark.parametrize("orient", ["records", "split", "columns", "index", "list"])
def test_pandas_ways_of_writing_json_are_read(write, limits, orient):
    import pandas

    frame = pandas.DataFrame({"text": [f"t {n}" for n in range(6)], "label": ["a", "b"] * 3})
    data = json.dumps(frame.to_dict("list")) if orient == "list" else frame.to_json(orient=orient)
    table = read_table(write("a.json", data), limits)
    assert set(table.columns) >= {"text", "label"}
    assert [row[table.columns.index("text")] for row in table.rows] == list(frame["text"])


def test_a_parquet_file_and_label_studios_full_export_are_read(tmp_path, write, limits):
    import pandas

    frame = pandas.DataFrame({"text": ["one", "two", None], "label": ["a", "b", "a"], "n": [1, 2, 3]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", limits).rows == (("one", "a", "1"), ("two", "b", "2"), ("", "a", "3"))
    task = {"data": {"text": "one"}, "annotations": [{"result": [{"value": {"choices": ["a"]}}]}]}
    table = read_table(write("ls.json", json.dumps([task, {**task, "data": {"text": "two"}}])), limits)
    assert table.rows == (("one", "a"), ("two", "a"))


def test_booleans_dates_and_numbers_of_a_sheet_are_as_people_see_them(tmp_path, limits):
    from datetime import datetime

    book = openpyxl.Workbook()
    book.active.append(["text", "label", "when", "n"])
    book.active.append(["a", True, datetime(2026, 5, 1), 2.5])
    book.active.append(["b", False, datetime(2026, 5, 1, 8, 30), 2.0])
    book.save(tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx", limits).rows == (
        ("a", "TRUE", "2026-05-01", "2.5"),
        ("b", "FALSE", "2026-05-01 08:30:00", "2"),
    )


def test_millions_of_separators_or_blank_lines_are_refused_after_the_first_lines(tmp_path, monkeypatch):
    """What is counted is what csv is asked to parse, not seconds."""
    from llmops.data import delimited

    parsed = []
    real = delimited.csv.reader
    monkeypatch.setattr(delimited.csv, "reader", lambda *a, **k: parsed.append(1) or real(*a, **k))
    wide = Settings(tmp_path, max_upload_bytes=10_000_000)
    for data in (b"," * 5_000_000, b"\n" * 5_000_000, b'",' * 2_000_000):
        path = tmp_path / "big.csv"
        path.write_bytes(data)
        with pytest.raises(TaskFileError):
            read_table(path, wide)
    assert len(parsed) < 5_000
