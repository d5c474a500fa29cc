"""A file (CSV, XLSX, JSONL) as a table: encodings, delimiters, sheets.

Cells are taken as text: a formula is never computed, markup never interpreted.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.data.table import MAX_CELL_CHARACTERS, MAX_COLUMNS, Table, build_table, check_width

_DELIMITERS = ",;\t|"
_MAX_EMPTY_ROWS = 1_000  # one after the other, after which a sheet is over
_MAX_RATIO = 200  # unpacked to packed bytes of a spreadsheet; a zip bomb has thousands
_MAX_UNPACKED_BYTES = 200_000_000


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
    decoded = [_decode_line(line) for line in lines]
    not_utf8 = [number for number, (_, utf8) in enumerate(decoded, 1) if not utf8]
    ascii_lines = sum(line.isascii() for line in lines)
    if len(not_utf8) + ascii_lines == len(lines):
        return "".join(text for text, _ in decoded), ("The file is not UTF-8; it was read as Windows-1252.",)
    where = (
        f"Line {not_utf8[0]} is" if len(not_utf8) == 1 else f"{len(not_utf8):,} lines (the first: {not_utf8[0]}) are"
    )
    note = f"{where} not UTF-8, unlike the rest; read as Windows-1252. Check the letters there."
    return "".join(text for text, _ in decoded), (note,)


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
    csv.field_size_limit(MAX_CELL_CHARACTERS + 1)
    return build_table(_csv_rows(text, delimiter), notes)


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
            objects.append((number, _parse_object(line, number)))
            columns |= dict.fromkeys(objects[-1][1])
            check_width(len(columns))  # before rows are made as wide: a key of its own a line would be a square
    rows = [
        (0, list(columns)),
        *((number, [_as_text(fields.get(key)) for key in columns]) for number, fields in objects),
    ]
    return build_table(rows, notes)


def _parse_object(line: str, number: int) -> dict[str, object]:
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
    other_sheets = len(book.worksheets) > 1
    return build_table(rows, (f"The sheet “{sheet.title}” was read; the others were not.",) if other_sheets else ())


def _xlsx_rows(sheet: Any) -> Iterator[tuple[int, Sequence[str]]]:  # noqa: ANN401
    """Rows with something in them. A sheet may claim a million rows of 16,384 cells with one cell in the last."""
    last = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1), 1):
        if any(value is not None for value in row):
            last = number
            yield number, [_as_cell(value) for value in row]
        elif number - last > _MAX_EMPTY_ROWS:
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
    if unpacked > min(_MAX_UNPACKED_BYTES, _MAX_RATIO * path.stat().st_size):
        raise TaskFileError(f"The spreadsheet unpacks to {unpacked / 1e6:.0f} MB.", "Save it as CSV.")
