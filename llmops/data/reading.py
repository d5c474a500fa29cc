"""A user's file as a table, by its ending: CSV and its kin, XLSX, JSON, JSON Lines, Parquet.

Cells are taken as text: a formula is never computed, markup never interpreted. What can't be read is listed, and the
rest goes on.
"""

from dataclasses import replace
from pathlib import Path

from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.data.delimited import delimited_rows
from llmops.data.encodings import Decoded, decode
from llmops.data.json_files import as_text, json_lines, json_rows
from llmops.data.spreadsheet import spreadsheet_rows
from llmops.data.table import RawRows, Table, build_table, check_width

FILE_TYPES = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".parquet")


def read_table(path: Path, limits: Settings, sheet: str | None = None, encoding: str | None = None) -> Table:
    """Read a file by its ending; sheet: a workbook's, by name; encoding: of a file that is no Unicode, else guessed.

    Raises InputError where there is no such file, TaskFileError where nothing of it can be understood.
    """
    size = existing(path).stat().st_size
    if size == 0:
        raise TaskFileError("The file is empty.", "Upload a file with a header and rows.")
    if size > limits.max_upload_bytes:
        raise TaskFileError(
            f"The file has {size / 1e6:.1f} MB; at most {limits.max_upload_bytes / 1e6:.0f} MB are read.", "Split it."
        )
    ending = path.suffix.lower()
    if ending not in FILE_TYPES:
        raise TaskFileError(f"“{path.suffix}” files are not read.", "Upload CSV, TSV, XLSX, JSON, JSONL or Parquet.")
    if ending == ".xlsx":
        raw, sheets, read = spreadsheet_rows(path, sheet)
        return replace(build_table(raw, limits.max_rows), sheets=sheets, sheet=read)
    if ending == ".parquet":
        return build_table(_parquet_rows(path), limits.max_rows)
    decoded = decode(path.read_bytes(), encoding)
    return replace(build_table(_text_rows(decoded, ending), limits.max_rows), encoding=decoded.encoding)


def existing(path: Path) -> Path:
    """The path, if there is such a file. Raises InputError."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", "Check the path.")
    return path


def _text_rows(decoded: Decoded, ending: str) -> RawRows:
    text = decoded.text.replace("\x00", "").removeprefix("\ufeff")
    if ending == ".json":
        return json_rows(text, decoded.notes)
    if ending == ".jsonl":
        return json_lines(text, decoded.notes)
    return delimited_rows(text, decoded.notes, ending == ".tsv")


def _parquet_rows(path: Path) -> RawRows:
    import pandas

    try:
        frame = pandas.read_parquet(path)
    except Exception as error:
        raise TaskFileError(f"The Parquet file can't be read ({type(error).__name__}).", "Write it again.") from error
    check_width(len(frame.columns))
    columns = [str(name) for name in frame.columns]
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    cells = ((number, [_plain(cell) for cell in row]) for number, row in enumerate(rows, 1))
    return RawRows([(0, columns), *cells], names_known=True)


def _plain(cell: object) -> str:
    return str(cell) if not isinstance(cell, list | dict | None) else as_text(cell)
