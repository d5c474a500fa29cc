"""Files, candidate texts, answers and links that nobody would write: read, or refused in words; never anything else."""

import csv
import io
import json
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.catalog.models import model_kinds
from llmops.core.candidate import DEFAULT_PRECISION, METHODS, PRECISIONS, Candidate, Kind, cascade, parse_candidate
from llmops.core.errors import InputError, LlmopsError, TaskFileError
from llmops.core.settings import Settings
from llmops.core.verdict import read_verdict
from llmops.data.builtin import load_builtin
from llmops.data.columns import guess_columns
from llmops.data.own_task import to_examples
from llmops.data.reading import read_table
from llmops.planning import links
from tests.support.kept_encoders import encoder_store

# Bounded in number and the same every time; the fixture's folder is used again for each example.
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TASK = load_builtin("medical")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CELLS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
MODELS = st.from_regex(r"[A-Za-z0-9][\w.-]{0,12}/[A-Za-z0-9][\w.-]{0,12}", fullmatch=True)


def read(folder, suffix, data):
    """A table as it must be, or None where the file was refused in words."""
    path = folder / f"file{suffix}"
    path.write_bytes(data)
    try:
        table = read_table(path, Settings(folder, max_rows=200))
        assert len(table.rows) == len(table.numbers) <= 200
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(isinstance(cell, str) and "\x00" not in cell for row in table.rows for cell in row)
        to_examples(table, guess_columns(table), "en")
    except TaskFileError as error:
        assert error.message
        assert error.remedy
        return None
    return table


@FUZZ
@given(data=st.binary(min_size=1, max_size=400), suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".xlsx", ".exe"]))
def test_any_bytes_are_read_or_refused(tmp_path, data, suffix):
    read(tmp_path, suffix, data)


@FUZZ
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8), delimiter=st.sampled_from(",;\t")
)
def test_any_csv_is_read_or_refused(tmp_path, rows, delimiter):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    read(tmp_path, ".csv", file.getvalue().encode() or b" ")


@FUZZ
@given(rows=st.lists(st.dictionaries(CELLS, JSON, max_size=4) | JSON, min_size=1, max_size=8))
def test_any_json_lines_are_read_or_refused(tmp_path, rows):
    read(tmp_path, ".jsonl", "\n".join(json.dumps(row) for row in rows).encode())


@pytest.fixture(scope="module")
def workbook():
    """A small XLSX's bytes."""
    import openpyxl

    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["text", "label"], ["a b c", "positive"], ["d e f", "negative"]):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@FUZZ
@given(
    name=st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/styles.xml"]),
    at=st.floats(0, 1),
    junk=st.binary(max_size=30),
    cut=st.integers(0, 40),
)
def test_a_damaged_spreadsheet_is_read_or_refused(tmp_path, workbook, name, at, junk, cut):
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.namelist():
            body = old.read(member)
            place = int(at * len(body))
            new.writestr(member, body[:place] + junk + body[place + cut :] if member == name else body)
    read(tmp_path, ".xlsx", file.getvalue())


def test_a_sheet_that_claims_to_be_huge_is_read_at_once(tmp_path, workbook):
    file = io.BytesIO()
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData>'
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.namelist():
            body = old.read(member)
            if member == "xl/worksheets/sheet1.xml":
                body = body.replace(b"A1:B3", b"A1:XFD1048576").replace(b"</sheetData>", far)
            new.writestr(member, body)
    assert len(read(tmp_path, ".xlsx", file.getvalue()).rows) == 2  # 17 billion cells would take days


def test_a_key_of_its_own_in_every_line_is_refused_before_a_table_is_made(tmp_path):
    lines = "\n".join(json.dumps({f"key {number}": 1}) for number in range(50_000))
    assert read(tmp_path, ".jsonl", lines.encode()) is None


@FUZZ
@given(text=st.text(max_size=120) | st.from_regex(r"(cascade\()?[\w/.@?=&,() %-]{0,60}", fullmatch=True))
def test_any_candidate_text_is_read_or_refused_and_means_the_same_written_again(text):
    try:
        candidate = parse_candidate(text, model_kinds())
    except InputError as error:
        assert error.message
        return
    assert parse_candidate(str(candidate), model_kinds()) == candidate
    assert candidate.owner == ""


def locals_(kind):
    """Candidates of a local kind, with its options."""
    options = st.just(())
    if kind == Kind.ENCODER:
        options = st.builds(
            lambda method, k: (("k", str(k)), ("method", method)), st.sampled_from(METHODS), st.integers(1, 99)
        )
    elif kind == Kind.DECODER:
        options = st.just((("kind", "decoder"),))
    precisions = st.sampled_from(PRECISIONS[kind])
    return st.builds(lambda m, p, o: Candidate(kind, m, p, o), MODELS, precisions, options)


@FUZZ
@given(first=locals_(Kind.ENCODER), second=locals_(Kind.DECODER) | locals_(Kind.ENCODER), sure=st.integers(0, 1000))
def test_every_candidate_and_cascade_survives_its_text_form(first, second, sure):
    assert set(DEFAULT_PRECISION) >= {Kind.ENCODER, Kind.DECODER}
    for candidate in (first, second):
        assert parse_candidate(str(candidate), model_kinds()) == candidate
    if first != second:
        both = cascade(first, second, sure / 1000)
        assert parse_candidate(str(both), model_kinds()) == both


@FUZZ
@given(
    answer=st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ["positive", "Negativ", "{", "}", '"label"', ":", "<think>", "</think>", "**", "or", "not", "\n", ",", "`"]
        ),
        max_size=30,
    ).map(" ".join)
    | JSON.map(json.dumps),
    language=st.sampled_from(["en", "de"]),
)
def test_any_answer_is_a_label_or_unparsed(answer, language):
    assert read_verdict(answer, TASK, language) in (None, *TASK.label_ids)


@pytest.mark.parametrize("piece", ["{", "[", '{"label":', "<think>", "**", "positive or ", "- ", "\n", "label: "])
def test_a_long_answer_is_read_in_no_time(piece):
    began_s = time.thread_time()  # of the processor: whatever else the machine does, it is the same
    read_verdict(piece * 50_000, TASK, "en")
    assert time.thread_time() - began_s < 2


@FUZZ
@given(query=st.dictionaries(st.sampled_from(["task", "lang", "c", "x"]), st.lists(st.text(max_size=40), max_size=6)))
def test_any_link_opens_the_page(query):
    link = links.read(query, 8)
    assert load_builtin(link.task_id).prompt(link.language)
    assert len(link.candidates) <= 8


@FUZZ
@given(
    entries=st.dictionaries(
        st.sampled_from(["meta.json", "head.safetensors", "body/modules.json", "../out.json", "/abs.json", "a/../../b"])
        | st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20),
        st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
        max_size=4,
    )
)
def test_any_zip_is_refused_as_an_encoder_and_leaves_nothing(tmp_path, monkeypatch, entries):
    monkeypatch.setenv("LLMOPS_DATA", str(tmp_path / "data"))
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    with pytest.raises(LlmopsError):
        encoder_store().unpack(path, "mine")
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert left == [path]
