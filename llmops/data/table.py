"""A table of texts: columns, rows, and each row's place in its file. Built from cells, checked as it is built.

What is wrong is said with row and column, and nothing is half loaded. Rows are counted as in the file, the header being
row 1. Reading cells out of a file is `reading`'s part, mapping columns to a task `columns`'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmops.core.errors import TaskFileError

MAX_COLUMNS = 100
MAX_CELL_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Table:
    """Columns and rows of text. numbers: each row's place in the file; notes: what was decided while reading."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...] = ()


def build_table(rows: Iterable[tuple[int, Sequence[str]]], notes: tuple[str, ...]) -> Table:
    """Header and rows; empty rows are left out. Raises TaskFileError for a header or row that does not fit."""
    filled = ((number, row) for number, row in rows if any(cell.strip() for cell in row))
    header_number, header = next(filled, (1, ()))
    columns = [column.strip() for column in header]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) < 2:
        raise TaskFileError(
            f"Row {header_number} is no header with two columns or more.", "Name text and label column."
        )
    check_width(len(columns))
    for position, column in enumerate(columns, 1):
        if not column:
            raise TaskFileError(f"Row {header_number}, column {position} has no name.", "Name every column.")
        if columns.count(column) > 1:
            raise TaskFileError(f"The column “{column}” stands twice in the header.", "Give each its own name.")
    cleaned, numbers = [], []
    for number, row in filled:
        if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
            raise TaskFileError(
                f"Row {number} has {len(row)} cells, the header {len(columns)}.", "Put texts with commas in quotes."
            )
        cells = [*row, *[""] * len(columns)][: len(columns)]
        cleaned.append(tuple(_clean(cell, number, column) for cell, column in zip(cells, columns, strict=True)))
        numbers.append(number)
    return Table(tuple(columns), tuple(cleaned), tuple(numbers), notes)


def check_width(columns: int) -> None:
    """Raise TaskFileError above MAX_COLUMNS."""
    if columns > MAX_COLUMNS:
        raise TaskFileError(f"There are {columns} columns; at most {MAX_COLUMNS} are read.", "Delete some.")


def _clean(cell: str, row: int, column: str) -> str:
    if len(cell) > MAX_CELL_CHARACTERS:
        raise row_error(row, column, f"{len(cell):,} characters", f"At most {MAX_CELL_CHARACTERS:,} are read.")
    return "".join(c for c in cell if c in "\n\t" or (c >= " " and c != "\x7f"))


def row_error(row: int, column: str | None, what: str, remedy: str) -> TaskFileError:
    """An error that names row and column."""
    return TaskFileError(f"Row {row}, column “{column}”: {what}.", remedy)
