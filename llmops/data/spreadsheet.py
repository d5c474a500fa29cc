"""A sheet of an XLSX workbook as rows, as a person sees it: values of formulas, dates, merged cells filled down.

No formula is computed: what it gave when the file was saved is taken, and said where that is not there.
"""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any

from llmops.compat.openpyxl_internals import merged_ranges
from llmops.core.errors import TaskFileError
from llmops.data.problems import Problem
from llmops.data.table import MAX_COLUMNS, RawRows

_MAX_EMPTY_ROWS = 1_000  # one after the other, after which a sheet is over
_MAX_RATIO = 200  # unpacked to packed bytes of a spreadsheet; a zip bomb has thousands
_MAX_UNPACKED_BYTES = 200_000_000
_MOST_MERGED = 20_000  # cells that one merge fills


def spreadsheet_rows(path: Path, sheet: str | None) -> tuple[RawRows, tuple[str, ...], str]:
    """(rows of a sheet, names of all, its own): the first visible one with rows, unless one is named.

    Raises TaskFileError.
    """
    import defusedxml
    import openpyxl

    defusedxml.defuse_stdlib()  # openpyxl reads XML with the standard library: no entities, no external files
    _check_archive(path)
    try:
        values = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        formulas = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        chosen, names = _chosen(values, sheet)
        raw = RawRows(())
        if len(names) > 1:
            others = ", ".join(f"“{name}”" for name in names if name != chosen.title)
            raw.notes.append(f"The sheet “{chosen.title}” was read; the others were not ({others}).")
        rows = list(_rows(chosen, formulas[chosen.title], raw.problems))
        raw.rows = _filled_down(rows, merged_ranges(path, chosen))
        values.close()
        formulas.close()
    except TaskFileError:
        raise
    except Exception as error:
        raise TaskFileError(
            f"The spreadsheet can't be read ({type(error).__name__}).", "Save it again as XLSX."
        ) from error
    return raw, names, chosen.title


def _chosen(book: Any, name: str | None) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401
    names = tuple(sheet.title for sheet in book.worksheets)
    if name is not None:
        if name not in names:
            raise TaskFileError(f"There is no sheet “{name}”.", f"There are: {', '.join(names)}.")
        return book[name], names
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    filled = [sheet for sheet in visible if sheet.max_row is None or sheet.max_row > 1]
    return (filled or visible)[0], names


def _rows(sheet: Any, with_formulas: Any, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401
    """Rows with something in them. A sheet may claim a million rows of 16,384 cells with one cell in the last."""
    last = 0
    header: list[str] = []
    pairs = zip_longest(
        sheet.iter_rows(max_col=MAX_COLUMNS + 1), with_formulas.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True)
    )
    for number, (cells, formulas) in enumerate(pairs, 1):
        row = [_as_cell(cell) for cell in cells or ()]
        for place, formula in enumerate(formulas or ()):
            what = _missing(row, place, formula, cells)
            if what:
                name = header[place] if place < len(header) else f"column {place + 1}"
                problems.append(Problem(number, name, what, False))
        if any(row):
            last = number
            header = header or row
            yield number, row
        elif number - last > _MAX_EMPTY_ROWS:
            return


def _missing(row: list[str], place: int, formula: object, cells: Any) -> str:  # noqa: ANN401
    """Why a cell with something in it reads as empty; nothing of others."""
    if place < len(row) and row[place]:
        return ""
    cell = cells[place] if cells and place < len(cells) else None
    if cell is not None and cell.data_type == "e":
        return f"the cell shows the error {cell.value}"
    if isinstance(formula, str) and formula.startswith("=") and len(formula) > 1:
        return "the formula has no computed value: open the file in a spreadsheet program and save it"
    return ""


def _as_cell(cell: Any) -> str:  # noqa: ANN401
    """As it is seen: dates by day, whole numbers without a point; an error is no value."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _filled_down(
    rows: list[tuple[int, list[str]]], merges: list[tuple[int, int, int, int]]
) -> list[tuple[int, list[str]]]:
    """A merged cell's value in every cell that it covers."""
    by_number = dict(rows)
    for top, left, bottom, right in merges:
        value = (by_number.get(top, [])[left - 1 :] or [""])[0]
        if not value or (bottom - top + 1) * (right - left + 1) > _MOST_MERGED:
            continue
        for number in range(top, bottom + 1):
            row = by_number.get(number)
            if row is not None:
                for place in range(left - 1, min(right, len(row))):
                    row[place] = value
    return rows


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise TaskFileError("The file is no XLSX.", "Save it again as XLSX, or as CSV.") from error
    if unpacked > min(_MAX_UNPACKED_BYTES, _MAX_RATIO * path.stat().st_size):
        raise TaskFileError(f"The spreadsheet unpacks to {unpacked / 1e6:.0f} MB.", "Save it as CSV.")
