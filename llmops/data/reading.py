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
from llmops.data.json_files import json_lines, json_rows
from llmops.data.parquet_file import parquet_rows
from llmops.data.row_sample import Sample, sampled
from llmops.data.spreadsheet import spreadsheet_rows
from llmops.data.table import RawRows, Table, build_table

FILE_TYPES = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".parquet")


def read_table(
    path: Path,
    limits: Settings,
    sheet: str | None = None,
    *,
    encoding: str | None = None,
    sample: Sample = "first",
    label: str | None = None,
) -> Table:
    """Read a file by its ending; sheet: a workbook's, by name; encoding: of a file that is no Unicode, else guessed.

    sample: which rows of more than limits.max_rows. label: the column that a sample is stratified by; None: guessed.
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
    sheets: tuple[str, ...] = ()
    chosen = read_as = ""
    if ending == ".xlsx":
        raw, sheets, chosen = spreadsheet_rows(path, sheet)
    elif ending == ".parquet":
        raw = parquet_rows(path)
    else:
        decoded = decode(path.read_bytes(), encoding)
        raw, read_as = _text_rows(decoded, ending), decoded.encoding
    # All rows of a sampled file are held until it is known which are read; the limit in bytes bounds them.
    table = build_table(raw, limits.max_rows if sample == "first" else None)
    table = replace(table, sheets=sheets, sheet=chosen, encoding=read_as)
    return table if sample == "first" else sampled(table, limits.max_rows, label)


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
