"""CSV and its kin as rows of cells: the separator by consistency over many rows, quotes where they are meant as such.

A record whose quotes don't close is read as it stands, and the rest goes on.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmops.data.problems import Problem
from llmops.data.table import MAX_CELL_CHARACTERS, RawRows, check_width

_SEPARATORS = ",;\t|"
_QUOTES = "\"'"
_SAMPLE_LINES = 300
_SAMPLE_CHARACTERS = 400_000
_MOST_LINES = 500  # of one record: further, a quote is taken as not closed
_MOST_OPEN = 20  # quotes that don't close, after which all of the file's are taken as signs of the text
_WIDEST = 2_000  # cells of a line, beyond which it is no table
_SEP_LINE = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)


@dataclass(frozen=True)
class _Dialect:
    separator: str
    quote: str | None  # None: quotes are signs like any other


def delimited_rows(text: str, notes: Sequence[str], is_tab_separated: bool) -> RawRows:
    """Rows of a text. Raises TaskFileError for lines too wide to be a table."""
    raw = RawRows((), list(notes))
    lines = text.split("\n") if "\n" in text else text.splitlines()
    lines = [line.removesuffix("\r") for line in lines]
    given = _SEP_LINE.match(lines[0]) if lines else None
    start = 1 if given else 0
    raw.first_row = start + 1
    sample = _sample(lines[start:])
    separators = given.group(1) if given else "\t" if is_tab_separated and any("\t" in line for line in sample) else ""
    if not any(separator in line for line in sample for separator in separators or _SEPARATORS):
        raw.rows = [(start + 1, sample[:1])]  # no table, whatever comes further down
        return raw
    dialect = _likeliest(sample, separators or _SEPARATORS)
    raw.rows = _records(lines, start, dialect, raw.problems)
    return raw


def _sample(lines: Sequence[str]) -> list[str]:
    """The first lines with something in them. Raises TaskFileError for one with thousands of separators."""
    sample, characters = [], 0
    for line in lines:
        if line.strip():
            for separator in _SEPARATORS:
                if line.count(separator) > _WIDEST and line.count(separator) > len(line) / 20:
                    check_width(line.count(separator) + 1)
            sample.append(line)
            characters += len(line)
            if len(sample) == _SAMPLE_LINES or characters > _SAMPLE_CHARACTERS:
                break
    return sample


def _likeliest(sample: list[str], separators: str) -> _Dialect:
    """The reading in which most rows have the same number of cells, two or more, and a column has few values."""
    choices = [_Dialect(separator, quote) for quote in ('"', "'", None) for separator in separators]
    scored = [(_consistency(sample, choice), -place, choice) for place, choice in enumerate(choices)]
    return max(scored, key=lambda each: each[:2])[2]


def _consistency(sample: list[str], dialect: _Dialect) -> tuple[float, float, float]:
    """(share of the rows with the usual width, share of cells with quotes around them, how few values a column has)."""
    rows = [row for _, row in _records(sample, 0, dialect, [])]
    widths = Counter(len(row) for row in rows)
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    if width < 2:
        return 0.0, 0.0, 0.0
    usual = [row for row in rows if len(row) == width]
    fewest = min(len({row[place] for row in usual[1:]}) for place in range(width))
    # A quote sign that still stands at a cell's beginning or end was not taken as one.
    bare = sum(len(cell) > 1 and (cell[0] in _QUOTES or cell[-1] in _QUOTES) for row in usual for cell in row)
    return round(count / len(rows), 2), -bare / (width * len(usual)), -fewest / max(1, len(usual))


def _records(
    lines: Sequence[str], start: int, dialect: _Dialect, problems: list[Problem]
) -> Iterator[tuple[int, Sequence[str]]]:
    """(line on which it begins, cells) of each record; a blank line is none."""
    csv.field_size_limit(MAX_CELL_CHARACTERS * 2)
    place, unclosed, quote = start, 0, dialect.quote
    while place < len(lines):
        line = lines[place]
        if not line.strip():
            place += 1
            continue
        if quote is None or quote not in line:
            yield place + 1, line.split(dialect.separator)
            place += 1
            continue
        row, used = _quoted(lines, place, dialect)
        if row is None or (used > 1 and _is_a_row_a_line(lines, place, used, dialect)):
            unclosed += row is None
            row, used = line.split(dialect.separator), 1
            problems.append(Problem(place + 1, "", "its quotes don't match; they are read as they stand", False))
            if unclosed > _MOST_OPEN:
                quote = None
        yield place + 1, row
        place += used


def _quoted(lines: Sequence[str], place: int, dialect: _Dialect) -> tuple[list[str] | None, int]:
    """(cells of the record that begins on a line, lines that it takes); None where its quotes don't match."""
    block = (line + "\n" for line in lines[place : place + _MOST_LINES])
    reader = csv.reader(block, delimiter=dialect.separator, quotechar=dialect.quote, strict=True)
    try:
        return next(reader), reader.line_num
    except (csv.Error, StopIteration):
        return None, 1


def _is_a_row_a_line(lines: Sequence[str], place: int, used: int, dialect: _Dialect) -> bool:
    """True where, between tabs, each line is a row by itself: then a quote that closes lines below is the text's."""
    if dialect.separator != "\t":
        return False
    widths = {len(line.split("\t")) for line in lines[place : place + used]}
    return len(widths) == 1 and widths.pop() > 1
