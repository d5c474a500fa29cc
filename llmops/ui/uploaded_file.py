"""An uploaded file of texts: which sheet, which encoding, and which column is what; offered where it is not sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.data.columns import ColumnMap, guess_columns
from llmops.data.encodings import ENCODINGS
from llmops.data.reading import FILE_TYPES, read_table
from llmops.data.table import Table
from llmops.report.tables import Foreign
from llmops.report.tables import row as html_row
from llmops.report.tables import table as html_table

_NO_COLUMN = "(none)"
_SHOWN_ROWS, _SHOWN_COLUMNS, _SHOWN_CHARACTERS = 5, 8, 120
_OPTIONAL = ("language", "split")


class UploadedFile(NamedTuple):
    """Components while the page is built, their values in a callback."""

    path: Any  # str | None
    sheet: Any  # str | None
    encoding: Any  # str | None, a key of ENCODINGS

    def table(self, limits: Settings) -> Table:
        """Raises InputError where nothing is uploaded, TaskFileError where it can't be understood."""
        if self.path is None:
            raise InputError("No file is uploaded.", "Upload a CSV, XLSX, JSON or Parquet file first.")
        return read_table(Path(self.path), limits, self.sheet or None, self.encoding or None)


def build(label: str, types: Sequence[str] = FILE_TYPES) -> UploadedFile:
    """Lay out the file, and the two choices, hidden. In a row or column of the caller's."""
    with gr.Column(min_width=260):
        path = gr.File(label=label, file_types=list(types), height=170, elem_classes="lo-file")
        with gr.Row():
            sheet = gr.Dropdown([], label="Sheet", interactive=True, visible=False, min_width=120)
            encoding = gr.Dropdown([], label="Letters read as", interactive=True, visible=False, min_width=120)
    return UploadedFile(path, sheet, encoding)


def column(name: str) -> gr.Dropdown:
    """Which column of the file is what; empty until there is a file."""
    return gr.Dropdown([], label=name, interactive=True, min_width=120)


@dataclass(frozen=True)
class Choices:
    """What a file offers: updates of the sheet, of the encoding and of each column; and what is chosen in each."""

    table: Table
    updates: list[Any]
    columns: tuple[str | None, ...]


def choices(file: UploadedFile, roles: tuple[str, ...], limits: Settings) -> Choices:
    """roles: of text, label, language and split; the last two may be no column. Raises as UploadedFile.table."""
    table = file.table(limits)
    guess, names = guess_columns(table), list(table.columns)
    chosen = tuple(getattr(guess, role) or (_NO_COLUMN if role in _OPTIONAL else None) for role in roles)
    columns = [
        gr.update(choices=[_NO_COLUMN, *names] if role in _OPTIONAL else names, value=value)
        for role, value in zip(roles, chosen, strict=True)
    ]
    sheet = gr.update(choices=list(table.sheets), value=table.sheet or None, visible=len(table.sheets) > 1)
    known = [(name, encoding) for encoding, name in ENCODINGS.items()]
    encoding = gr.update(choices=known, value=table.encoding or None, visible=bool(table.encoding))
    return Choices(table, [sheet, encoding, *columns], chosen)


def no_choices(roles: Sequence[str]) -> list[Any]:
    """The updates where there is no file, or none that can be read."""
    return [gr.update(choices=[], value=None, visible=False)] * 2 + [gr.update(choices=[], value=None)] * len(roles)


def chosen_columns(roles: Sequence[str], values: Sequence[str | None]) -> ColumnMap:
    """The mapping as it is chosen on the page."""
    chosen = {role: None if name in (None, "", _NO_COLUMN) else name for role, name in zip(roles, values, strict=True)}
    return ColumnMap(chosen.get("text"), chosen.get("label"), chosen.get("language"), chosen.get("split"))


def preview(table: Table) -> str:
    """The first rows as they were read, long cells shortened."""
    titles = ["Row", *map(Foreign, table.columns[:_SHOWN_COLUMNS])]
    rows = zip(table.numbers[:_SHOWN_ROWS], table.rows, strict=False)
    return html_table(titles, "".join(html_row(str(number), _cells(cells)) for number, cells in rows))


def _cells(cells: Sequence[str]) -> list[str]:
    shortened = (cell if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]}…" for cell in cells)
    foreign: list[str] = [Foreign(cell) for cell in shortened]
    return foreign[:_SHOWN_COLUMNS]
