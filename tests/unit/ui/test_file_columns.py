"""Which column is what: chosen as the names suggest, and none where there may be none."""

import pytest

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.ui.file_columns import chosen_column, column_choices, preview


def test_a_files_columns_are_offered_and_the_likely_ones_chosen(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("satz,klasse,note\nhello,a,x\nworld,b,y\n", encoding="utf-8")
    columns = column_choices(str(path), ("text", "label", "language"), Settings(tmp_path))
    assert columns.chosen == ("satz", "klasse", "(none)")
    assert [update["choices"][0] for update in columns.updates] == ["satz", "satz", "(none)"]
    assert len(columns.table.rows) == 2
    assert [chosen_column(name) for name in columns.chosen] == ["satz", "klasse", None]


def test_what_is_no_table_is_an_error(tmp_path):
    path = tmp_path / "texts.xlsx"
    path.write_bytes(b"nothing")
    with pytest.raises(TaskFileError):
        column_choices(str(path), ("text", "label"), Settings(tmp_path))


def test_the_first_rows_are_shown_as_they_are_in_any_language(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "".join(f"<b>No. {n}</b>,yes\n" for n in range(9)) + "x" * 500 + ",no\n")
    shown = preview(column_choices(str(path), ("text", "label"), Settings(tmp_path)).table)
    assert shown.count("<tr>") == 6
    assert '<td translate="no">&lt;b&gt;No. 4&lt;/b&gt;</td>' in shown
    assert '<th scope="col" translate="no">label</th>' in shown
