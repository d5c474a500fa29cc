"""An uploaded file's choices: columns as they are likely meant, sheets and encodings where there are several."""

import pytest

from llmops.core.errors import InputError, LlmopsError, TaskFileError
from llmops.core.settings import Settings
from llmops.ui.uploaded_file import UploadedFile, choices, chosen_columns, preview
from tests.support.needs import TESTS

ROLES = ("text", "label", "language")
CASES = TESTS / "cases"


def offered(path, sheet=None, encoding=None, roles=ROLES):
    return choices(UploadedFile(str(path), sheet, encoding, None, None), roles, Settings(CASES))


def test_a_files_columns_are_offered_and_the_likely_ones_chosen(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("satz,klasse,note\nhello,a,x\nworld,b,y\n", encoding="utf-8")
    found = offered(path)
    assert found.columns == ("satz", "klasse", "(none)")
    sheet, encoding, sample, *columns = found.updates
    assert [update["choices"][0] for update in columns] == ["satz", "satz", "(none)"]
    assert [update["visible"] for update in (sheet, encoding, sample)] == [False] * 3
    assert len(found.table.rows) == 2
    mapping = chosen_columns(ROLES, found.columns)
    assert (mapping.text, mapping.label, mapping.language, mapping.split) == ("satz", "klasse", None, None)


def test_a_workbooks_sheets_are_offered_and_another_one_can_be_read():
    sheet, *_ = offered(CASES / "hidden_sheet.xlsx").updates
    assert sheet["visible"] and len(sheet["choices"]) > 1 and sheet["value"] in sheet["choices"]
    other = next(name for name in sheet["choices"] if name != sheet["value"])
    again = offered(CASES / "hidden_sheet.xlsx", sheet=other)
    assert again.updates[0]["value"] == other and again.table.columns != offered(CASES / "hidden_sheet.xlsx").columns


def test_an_encoding_is_offered_only_where_it_was_guessed_and_another_one_reads_other_letters(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_bytes("text;label\nŻółw idzie;tak\nKoń stoi;nie\n".encode("cp1250"))
    guessed = offered(path)
    _, encoding, *_ = guessed.updates
    assert encoding["visible"] and ("Windows-1250", "cp1250") in encoding["choices"]
    assert guessed.table.rows[0][0] != "Żółw idzie"
    chosen = offered(path, encoding="cp1250")
    assert chosen.table.rows[0][0] == "Żółw idzie"
    assert chosen.updates[1]["value"] == "cp1250"
    assert "Windows-1250" in chosen.table.notes[0]
    with pytest.raises(InputError, match="no encoding"):
        offered(path, encoding="rot13")


def test_what_is_no_table_is_an_error(tmp_path):
    path = tmp_path / "texts.xlsx"
    path.write_bytes(b"nothing")
    with pytest.raises(TaskFileError):
        offered(path, roles=("text", "label"))


def test_the_first_rows_are_shown_as_they_are_in_any_language(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "".join(f"<b>No. {n}</b>,yes\n" for n in range(9)) + "x" * 500 + ",no\n")
    shown = preview(offered(path, roles=("text", "label")).table)
    assert shown.count("<tr>") == 6
    assert '<td translate="no">&lt;b&gt;No. 4&lt;/b&gt;</td>' in shown
    assert '<th scope="col" translate="no">label</th>' in shown


def test_a_sample_is_offered_where_there_are_more_rows_than_are_read(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "".join(f"text {n},a\n" for n in range(50)) + "rare,b\n", encoding="utf-8")
    limits = Settings(tmp_path, max_rows=10)
    first = choices(UploadedFile(str(path), None, None, None, None), ROLES, limits)
    assert first.updates[2]["visible"] and "rare" not in str(first.table.rows)
    again = choices(UploadedFile(str(path), None, None, "stratified", None), ROLES, limits)
    assert len(again.table.rows) == 10 and "rare" in str(again.table.rows)
    assert again.updates[2] == {**first.updates[2], "value": "stratified"}


@pytest.mark.parametrize(
    ("settings", "message"), [({"public": True}, "not read on a public page"), ({}, "no id of a dataset")]
)
def test_a_datasets_id_is_read_on_ones_own_page_only_and_must_be_one(tmp_path, settings, message):
    file = UploadedFile(None, None, None, None, "owner/name:test" if settings else "../secret")
    with pytest.raises(LlmopsError, match=message):
        file.table(Settings(tmp_path, **settings))
