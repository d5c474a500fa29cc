"""A table of texts: columns, rows, and each row's place in its file. What can't be read of it is listed.

Rows are counted as in the file. Reading cells out of a file is `reading`'s part, mapping columns to a task `columns`'.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from llmops.core.errors import TaskFileError
from llmops.data.column_names import USUAL_NAMES
from llmops.data.problems import Problem

MAX_COLUMNS = 100
MAX_CELL_CHARACTERS = 1_000_000
_HEADER_ROWS = 20  # among which the header is looked for
_JUDGED_ROWS = 200


@dataclass(frozen=True)
class Table:
    """Columns and rows of text. numbers: each row's place in the file; notes: what was decided while reading.

    problems: rows that could not be read. sheets: a workbook's names; sheet: the one that was read. encoding: see
    encodings.Decoded. unread: rows that are there beside, too many to be read.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    encoding: str = ""
    unread: int = 0


@dataclass
class RawRows:
    """Cells as they were read, with each row's number, and what was said and wrong meanwhile."""

    rows: Iterable[tuple[int, Sequence[str]]]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    first_row: int = 1  # below what the format itself puts first
    names_known: bool = False  # the first row names the columns for certain


def build_table(raw: RawRows, max_rows: int | None) -> Table:
    """Header and rows, the first max_rows or all; empty ones are left out.

    Raises TaskFileError where there is no table of two columns.
    """
    filled = ((number, list(row)) for number, row in raw.rows if any(cell.strip() for cell in row))
    head = list(islice(filled, _HEADER_ROWS + _JUDGED_ROWS))
    columns, head = _header(head, raw)
    check_width(len(columns))
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    unread = 0
    for number, row in chain(head, filled):
        if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
            what = f"it has {len(row)} cells, the header {len(columns)} (a text with the separator needs quotes)"
            raw.problems.append(Problem(number, "", what))
            continue
        if len(rows) == max_rows:
            unread += 1
            continue
        cells = [*row, *[""] * len(columns)][: len(columns)]
        long = next((place for place, cell in enumerate(cells) if len(cell) > MAX_CELL_CHARACTERS), None)
        if long is not None:
            what = f"{len(cells[long]):,} characters; at most {MAX_CELL_CHARACTERS:,} are read"
            raw.problems.append(Problem(number, columns[long], what))
            continue
        rows.append(tuple(clean(cell) for cell in cells))
        numbers.append(number)
    if unread:
        raw.notes.append(f"The file has {len(rows) + unread:,} rows; the first {len(rows):,} are read.")
    problems = tuple(sorted(raw.problems, key=lambda problem: problem.row))
    if not rows:
        first = f" {problems[0]}" if problems else ""
        raise TaskFileError(f"The file has a header but no rows.{first}", "Add rows with text and label.")
    return Table(tuple(columns), tuple(rows), tuple(numbers), tuple(raw.notes), problems, unread=unread)


def _header(head: list[tuple[int, list[str]]], raw: RawRows) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The columns' names, and the rows below: titles above are left out, a missing header is made up."""
    widths = Counter(_filled(row) for _, row in head)
    usual = max((width for width in widths if width > 1), key=lambda width: widths[width], default=0)
    if usual < 2:
        number = head[0][0] if head else 1
        raise TaskFileError(
            f"Row {number} is no header with two columns or more: comma, semicolon, tab and | were tried.",
            "Name text and label column.",
        )
    while not raw.names_known and len(head) > 1 and _filled(head[0][1]) < 2:
        head = head[1:]
    number, names = head[0]
    rows = head[1:]
    if raw.names_known:
        return _named(names, [row for _, row in rows], raw), rows
    if number > raw.first_row:
        raw.notes.append(f"The header is in row {number}.")
    if _is_headerless(names, [row for _, row in rows]):
        raw.notes.append("The file has no header, so its columns are numbered.")
        width = max(len(row) for _, row in head)
        return [f"column {place}" for place in range(1, width + 1)], head
    return _named(names, [row for _, row in rows], raw), rows


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_headerless(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """No usual name in the first row, and one of its cells stands as a value in a column of few values below."""
    words = {name.strip().casefold() for name in names}
    if len(rows) < 4 or words & set().union(*USUAL_NAMES.values()):
        return False
    for place, name in enumerate(names):
        values = Counter(row[place].strip().casefold() for row in rows if place < len(row))
        if name.strip() and len(values) <= len(rows) / 2 and values[name.strip().casefold()] > 1:
            return True
    return False


def _named(names: Sequence[str], rows: Sequence[Sequence[str]], raw: RawRows) -> list[str]:
    """Every column's name, once: unnamed ones are numbered, those at the end without a value dropped."""
    columns = [clean(name).strip() for name in names]
    # One cell more in each row than names: an index was written without one.
    if rows and all(len(row) == len(columns) + 1 for row in rows) and columns[-1]:
        columns = ["", *columns]
    while columns and not columns[-1] and not any(_cell(row, len(columns) - 1) for row in rows):
        columns.pop()
    unnamed = [place for place, name in enumerate(columns) if not name]
    for place in unnamed:
        columns[place] = f"column {place + 1}"
    seen: Counter[str] = Counter()
    for place, name in enumerate(columns):
        seen[name] += 1
        if seen[name] > 1:
            columns[place] = f"{name} ({seen[name]})"
            raw.notes.append(f"The column “{name}” stands twice in the header; the second is “{columns[place]}”.")
    return columns


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def check_width(columns: int) -> None:
    """Raise TaskFileError above MAX_COLUMNS."""
    if columns > MAX_COLUMNS:
        raise TaskFileError(f"There are {columns:,} columns; at most {MAX_COLUMNS} are read.", "Delete some.")


def clean(cell: str) -> str:
    """Without control characters; a half of a surrogate pair, which no database takes, becomes U+FFFD."""
    if cell.isprintable():
        return cell
    return "".join(_sign(sign) for sign in cell if sign in "\n\t" or (sign >= " " and sign != "\x7f"))


def _sign(sign: str) -> str:
    return "\ufffd" if "\ud800" <= sign <= "\udfff" else sign
