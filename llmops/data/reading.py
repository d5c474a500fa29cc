"""A user's file (CSV, XLSX, JSONL) as examples and as a task. Two steps: read a table, then map its columns.

What is wrong is said with row and column, and nothing is half loaded. Cells are taken as text: a formula is never
computed, markup never interpreted. Rows are counted as in the file, the header being row 1.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Label, Prompt, Task

_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 100
_MOST_EMPTY = 1_000  # empty rows one after the other, after which a sheet is over
_MOST_CELL = 1_000_000
_MOST_RATIO = 200  # unpacked to packed bytes of a spreadsheet; a zip bomb has thousands
_MOST_UNPACKED = 200_000_000
_SPLITS = {"pool": "pool", "train": "pool", "training": "pool", "test": "test", "eval": "test", "validation": "test"}
_GUESSES = {
    "text": ("text", "sentence", "satz", "message", "input", "content", "body"),
    "label": ("label", "class", "klasse", "category", "target", "verdict"),
    "language": ("language", "lang", "sprache"),
    "split": ("split", "set", "fold"),
}


@dataclass(frozen=True)
class Table:
    """Columns and rows of text. numbers: each row's place in the file; notes: what was decided while reading."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnMap:
    """Which column is what; None where the file has no such column."""

    text: str | None
    label: str | None
    language: str | None = None
    split: str | None = None


def read_table(path: Path, limits: Settings) -> Table:
    """Read a file by its ending. Raises TaskFileError."""
    size = path.stat().st_size
    if size == 0:
        raise TaskFileError("The file is empty.", "Upload a file with a header and rows.")
    if size > limits.max_upload_bytes:
        raise TaskFileError(
            f"The file has {size / 1e6:.1f} MB; at most {limits.max_upload_bytes / 1e6:.0f} MB are read.", "Split it."
        )
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".txt": _read_csv, ".xlsx": _read_xlsx, ".jsonl": _read_jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TaskFileError(f"“{path.suffix}” files are not read.", "Upload CSV, XLSX or JSONL.")
    table = reader(path)
    if not table.rows:
        raise TaskFileError("The file has a header but no rows.", "Add rows with text and label.")
    if len(table.rows) > limits.max_rows:
        raise TaskFileError(
            f"The file has {len(table.rows):,} rows; at most {limits.max_rows:,} are read.", "Split it."
        )
    return table


def guess_columns(columns: Sequence[str]) -> ColumnMap:
    """The likely mapping by the columns' names; the first two columns where no name tells."""
    found = {
        what: next((column for column in columns if column.strip().casefold() in names), None)
        for what, names in _GUESSES.items()
    }
    rest = [column for column in columns if column not in found.values()]
    text = found["text"] or (rest.pop(0) if rest else None)
    label = found["label"] or (rest.pop(0) if rest else None)
    return ColumnMap(text, label, found["language"], found["split"])


def to_examples(
    table: Table, mapping: ColumnMap, default_language: str, labels: Sequence[str] | None = None, seed: int = 0
) -> tuple[Example, ...]:
    """Examples in the file's order. labels: the only ones allowed, if given.

    Without a split column, half of each label and language goes to the pool, the rest to the test split (seeded).
    Raises TaskFileError.
    """
    at = places_of(table, mapping)
    made: list[Example] = []
    first_row: dict[str, int] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):
        text, label = row[at["text"]].strip(), row[at["label"]].strip()
        if not text:
            raise _wrong(number, mapping.text, "the text is empty", "Fill it in, or delete the row.")
        if not label:
            raise _wrong(number, mapping.label, "the label is missing", "Fill it in, or delete the row.")
        if labels is not None and label not in labels:
            raise _wrong(number, mapping.label, f"“{label}” is no label of the task", f"Use: {', '.join(labels)}.")
        language = row[at["language"]].strip().lower() if "language" in at else default_language
        if text in first_row:
            raise _wrong(number, mapping.text, f"the same text stands in row {first_row[text]}", "Keep one of them.")
        first_row[text] = number
        made.append(Example(text, label, language or default_language, _split_of(row, at, number, mapping)))
    found = sorted({example.label for example in made})
    if len(found) < 2:
        raise TaskFileError(f"There is one label only (“{found[0]}”).", "A task needs two or more.")
    if len(found) > max(50, len(made) // 2):
        raise _wrong(table.numbers[0], mapping.label, f"{len(found)} different labels", "Is it the right column?")
    return tuple(made) if "split" in at else _halves(made, seed)


def task_from_examples(name: str, examples: Sequence[Example]) -> Task:
    """A task with the labels and languages found; answer words are the labels. All of it can be edited afterwards."""
    labels = list(dict.fromkeys(example.label for example in examples))
    languages = list(dict.fromkeys(example.language for example in examples))
    words = {code: _spoken(labels, code) for code in languages}
    return Task(
        id="own",
        name=name[:60],
        source="uploaded",
        labels=tuple(
            Label(
                label, dict.fromkeys(languages, label), dict.fromkeys(languages, label), dict.fromkeys(languages, label)
            )
            for label in labels
        ),
        prompts={code: Prompt(words[code]) for code in languages},
        examples=tuple(examples),
    )


def _spoken(labels: Sequence[str], language: str) -> str:
    names = ", ".join(labels)
    if language == "de":
        return f"Ordne den Text einer Klasse zu: {names}. Antworte mit dem Namen der Klasse, Doppelpunkt, kurzer Grund."
    return f"Put the text into one class: {names}. Answer with the class name, a colon, and a short reason."


def places_of(table: Table, mapping: ColumnMap) -> dict[str, int]:
    """text, label and, where mapped, language and split → the column's place. Raises TaskFileError."""
    places = {}
    for what in ("text", "label", "language", "split"):
        column = getattr(mapping, what)
        if column is None:
            if what in ("text", "label"):
                raise TaskFileError(
                    f"No column is chosen for the {what}.", f"Choose one of: {', '.join(table.columns)}."
                )
            continue
        if column not in table.columns:
            raise TaskFileError(f"The file has no column “{column}”.", f"It has: {', '.join(table.columns)}.")
        places[what] = table.columns.index(column)
    if len(set(places.values())) < len(places):
        raise TaskFileError("One column is chosen twice.", "Choose a different column for each.")
    return places


def _split_of(row: Sequence[str], at: dict[str, int], number: int, mapping: ColumnMap) -> str:
    if "split" not in at:
        return "pool"
    value = row[at["split"]].strip()
    split = _SPLITS.get(value.casefold())
    if split is None:
        raise _wrong(number, mapping.split, f"“{value}” is no split", "Write pool or test.")
    return split


def _halves(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    rng = Random(seed)
    groups: dict[tuple[str, str], list[int]] = {}
    for index, example in enumerate(examples):
        groups.setdefault((example.label, example.language), []).append(index)
    test: set[int] = set()
    for indices in groups.values():
        rng.shuffle(indices)
        test |= set(indices[: len(indices) // 2])
    return tuple(
        Example(one.text, one.label, one.language, "test" if index in test else "pool")
        for index, one in enumerate(examples)
    )


def _wrong(row: int, column: str | None, what: str, remedy: str) -> TaskFileError:
    return TaskFileError(f"Row {row}, column “{column}”: {what}.", remedy)


def _table(rows: Iterable[tuple[int, Sequence[str]]], notes: tuple[str, ...]) -> Table:
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
    _check_width(len(columns))
    for place, column in enumerate(columns, 1):
        if not column:
            raise TaskFileError(f"Row {header_number}, column {place} has no name.", "Name every column.")
        if columns.count(column) > 1:
            raise TaskFileError(f"The column “{column}” stands twice in the header.", "Give each its own name.")
    made, numbers = [], []
    for number, row in filled:
        if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
            raise TaskFileError(
                f"Row {number} has {len(row)} cells, the header {len(columns)}.", "Put texts with commas in quotes."
            )
        cells = [*row, *[""] * len(columns)][: len(columns)]
        made.append(tuple(_clean(cell, number, column) for cell, column in zip(cells, columns, strict=True)))
        numbers.append(number)
    return Table(tuple(columns), tuple(made), tuple(numbers), notes)


def _check_width(columns: int) -> None:
    if columns > _MOST_COLUMNS:
        raise TaskFileError(f"There are {columns} columns; at most {_MOST_COLUMNS} are read.", "Delete some.")


def _clean(cell: str, row: int, column: str) -> str:
    if len(cell) > _MOST_CELL:
        raise _wrong(row, column, f"{len(cell):,} characters", f"At most {_MOST_CELL:,} are read.")
    return "".join(c for c in cell if c in "\n\t" or (c >= " " and c != "\x7f"))


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """UTF-8 or UTF-16 with a mark, UTF-8 without; a line that is neither is read as Windows-1252, which is said."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), ()
        except UnicodeDecodeError as error:
            raise TaskFileError("The file is no valid UTF-16.", "Save it as UTF-8.") from error
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        lines = data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    read = [_decode_line(line) for line in lines]
    other = [number for number, (_, utf8) in enumerate(read, 1) if not utf8]
    plain = sum(line.isascii() for line in lines)
    if len(other) + plain == len(lines):
        return "".join(text for text, _ in read), ("The file is not UTF-8; it was read as Windows-1252.",)
    where = f"Line {other[0]} is" if len(other) == 1 else f"{len(other):,} lines (the first: {other[0]}) are"
    note = f"{where} not UTF-8, unlike the rest; read as Windows-1252. Check the letters there."
    return "".join(text for text, _ in read), (note,)


def _decode_line(line: bytes) -> tuple[str, bool]:
    try:
        return line.decode("utf-8"), True
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace"), False


def _read_csv(path: Path) -> Table:
    text, notes = _decode(path.read_bytes())
    text = text.replace("\x00", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_MOST_CELL + 1)
    return _table(_csv_rows(text, delimiter), notes)


def _csv_rows(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for row in reader:
            number += 1
            yield number, row
    except csv.Error as error:
        raise TaskFileError(f"Row {number + 1} can't be read ({error}).", "Check its quotes.") from error


def _read_jsonl(path: Path) -> Table:
    text, notes = _decode(path.read_bytes())
    objects, columns = [], dict[str, None]()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            objects.append((number, _object(line, number)))
            columns |= dict.fromkeys(objects[-1][1])
            _check_width(len(columns))  # before rows are made as wide: a key of its own a line would be a square
    rows = [(0, list(columns)), *((number, [_as_text(one.get(key)) for key in columns]) for number, one in objects)]
    return _table(rows, notes)


def _object(line: str, number: int) -> dict[str, object]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TaskFileError(f"Line {number} is no JSON ({error}).", "Write one object a line.") from error
    if not isinstance(data, dict):
        raise TaskFileError(f"Line {number} is no JSON object.", 'Write {"text": "…", "label": "…"}.')
    return data


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_xlsx(path: Path) -> Table:
    import defusedxml
    import openpyxl

    defusedxml.defuse_stdlib()  # openpyxl reads XML with the standard library: no entities, no external files
    _check_archive(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.max_row and sheet.max_row > 1] or book.worksheets[:1]
        sheet = sheets[0]
        rows = list(_xlsx_rows(sheet))
        book.close()
    except TaskFileError:
        raise
    except Exception as error:
        raise TaskFileError(
            f"The spreadsheet can't be read ({type(error).__name__}).", "Save it again as XLSX."
        ) from error
    more = len(book.worksheets) > 1
    return _table(rows, (f"The sheet “{sheet.title}” was read; the others were not.",) if more else ())


def _xlsx_rows(sheet: Any) -> Iterator[tuple[int, Sequence[str]]]:  # noqa: ANN401
    """Rows with something in them. A sheet may claim a million rows of 16,384 cells with one cell in the last."""
    last = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=_MOST_COLUMNS + 1), 1):
        if any(value is not None for value in row):
            last = number
            yield number, [_as_cell(value) for value in row]
        elif number - last > _MOST_EMPTY:
            return


def _as_cell(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise TaskFileError("The file is no XLSX.", "Save it again as XLSX, or as CSV.") from error
    if unpacked > min(_MOST_UNPACKED, _MOST_RATIO * path.stat().st_size):
        raise TaskFileError(f"The spreadsheet unpacks to {unpacked / 1e6:.0f} MB.", "Save it as CSV.")
