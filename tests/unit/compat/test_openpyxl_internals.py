"""Merged cells of a sheet that is read quickly."""

import openpyxl

from llmops.compat.openpyxl_internals import merged_ranges


def test_merged_cells_are_found_where_quick_reading_still_knows_none(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["label", "text"])
    book.active.merge_cells("A2:A4")
    book.active.merge_cells("AB3:AC3")
    book.save(path)
    sheet = openpyxl.load_workbook(path, read_only=True).active
    assert merged_ranges(path, sheet) == [(2, 1, 4, 1), (3, 28, 3, 29)]
    assert not hasattr(sheet, "merged_cells"), "quick reading knows merged cells now: compat is not needed"
