"""Which column of an uploaded file is what: drop-downs that begin with what the columns' names suggest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.core.settings import Settings
from llmops.data.columns import guess_columns
from llmops.data.reading import FILE_TYPES as READ_TYPES
from llmops.data.reading import read_table
from llmops.data.table import Table
from llmops.report.tables import Foreign
from llmops.report.tables import row as html_row
from llmops.report.tables import table as html_table

FILE_TYPES = list(READ_TYPES)
_NO_COLUMN = "(none)"
_SHOWN_ROWS, _SHOWN_COLUMNS, _SHOWN_CHARACTERS = 5, 8, 120
_OPTIONAL = ("language", "split")


@dataclass(frozen=True)
class ColumnChoices:
    """A file, and for each role the choices and the one to begin with."""

    table: Table
    choices: tuple[list[str], ...]
    chosen: tuple[str | None, ...]

    @property
    def updates(self) -> list[Any]:
        """Of the drop-downs, in the roles' order."""
        pairs = zip(self.choices, self.chosen, strict=True)
        return [gr.update(choices=choices, value=chosen) for choices, chosen in pairs]


def column_choices(path: str, roles: tuple[str, ...], limits: Settings) -> ColumnChoices:
    """roles: of text, label, language and split; the last two may be no column. Raises TaskFileError."""
    table = read_table(Path(path), limits)
    guess, names = guess_columns(table), list(table.columns)
    choices = tuple([_NO_COLUMN, *names] if role in _OPTIONAL else names for role in roles)
    chosen = tuple(getattr(guess, role) or (_NO_COLUMN if role in _OPTIONAL else None) for role in roles)
    return ColumnChoices(table, choices, chosen)


def preview(table: Table) -> str:
    """The first rows as they were read, long cells shortened."""
    titles = ["Row", *map(Foreign, table.columns[:_SHOWN_COLUMNS])]
    rows = zip(table.numbers[:_SHOWN_ROWS], table.rows, strict=False)
    return html_table(titles, "".join(html_row(str(number), _cells(cells)) for number, cells in rows))


def _cells(cells: Sequence[str]) -> list[str]:
    shortened = (cell if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]}…" for cell in cells)
    foreign: list[str] = [Foreign(cell) for cell in shortened]
    return foreign[:_SHOWN_COLUMNS]


def no_columns(count: int) -> list[Any]:
    """Updates of so many drop-downs where there is no file."""
    return [gr.update(choices=[], value=None)] * count


def chosen_column(name: str | None) -> str | None:
    """A column's name; None where none is chosen."""
    return None if name in (None, "", _NO_COLUMN) else name
