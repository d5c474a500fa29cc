"""An uploaded file of texts: which sheet, which encoding, and which column is what; offered where it is not sure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape as _e
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.data.columns import ColumnMap, guess_columns
from llmops.data.encodings import ENCODINGS
from llmops.data.reading import FILE_TYPES, read_table
from llmops.data.table import Table
from llmops.hub.dataset_rows import DatasetId, dataset_id, read_hub_dataset
from llmops.report.tables import Foreign
from llmops.report.tables import row as html_row
from llmops.report.tables import table as html_table

_NO_COLUMN = "(none)"
_SHOWN_ROWS, _SHOWN_COLUMNS, _SHOWN_CHARACTERS, _SHOWN_LABELS = 5, 8, 120, 100
_OPTIONAL = ("language", "split")


class UploadedFile(NamedTuple):
    """Components while the page is built, their values in a callback."""

    path: Any  # str | None
    sheet: Any  # str | None
    encoding: Any  # str | None, a key of ENCODINGS
    sample: Any  # row_sample.Sample | None
    dataset: Any  # str | None, an id of the hub, where no file is uploaded

    @property
    def choices(self) -> tuple[Any, Any, Any]:
        """How it is read."""
        return self.sheet, self.encoding, self.sample

    @property
    def is_given(self) -> bool:
        """False where there is neither a file nor a dataset."""
        return self.path is not None or bool(self.dataset and self.dataset.strip())

    @property
    def name(self) -> str:
        """What a task out of it is called. Raises InputError for what is no dataset's id."""
        return Path(self.path).stem if self.path is not None else self.dataset_id().name

    def anew(self) -> "UploadedFile":
        """Another file or dataset: nothing of it is chosen yet."""
        return self._replace(sheet=None, encoding=None, sample=None)

    def table(self, limits: Settings) -> Table:
        """Raises InputError where nothing is given, TaskFileError where it can't be understood, as its readers do."""
        if not self.is_given:
            raise InputError("No file is uploaded.", "Upload a CSV, XLSX, JSON or Parquet file first.")
        return _read(self._replace(sample=self.sample or "first"), limits)

    def dataset_id(self) -> DatasetId:
        """The dataset of the hub that is meant. Raises InputError for another word."""
        asked = dataset_id(self.dataset.strip())
        if asked is None:
            raise InputError(f"“{self.dataset.strip()[:80]}” is no id of a dataset.", "Write OWNER/NAME:SPLIT.")
        return asked


@lru_cache(maxsize=4)
def _read(file: UploadedFile, limits: Settings) -> Table:
    """Kept for a few files: what is chosen about one, one after the other, would have it read each time."""
    if file.path is None:
        return read_hub_dataset(file.dataset_id(), limits, file.sample)
    encoding = file.encoding or None
    return read_table(Path(file.path), limits, file.sheet or None, encoding=encoding, sample=file.sample)


def build(label: str, is_public: bool, types: Sequence[str] = FILE_TYPES) -> UploadedFile:
    """Lay out the file, and the choices, hidden. In a row or column of the caller's."""
    with gr.Column(min_width=260):
        path = gr.File(label=label, file_types=list(types), height=170, elem_classes="lo-file")
        dataset = gr.Textbox(
            label="Or a dataset of the hub", placeholder="OWNER/NAME:SPLIT, then Enter", visible=not is_public
        )
        with gr.Row():
            sheet = gr.Dropdown([], label="Sheet", interactive=True, visible=False, min_width=120)
            encoding = gr.Dropdown([], label="Letters read as", interactive=True, visible=False, min_width=120)
            sample = gr.Dropdown(
                [("the first rows", "first"), ("a sample with each label's share", "stratified")],
                label="Of too many rows",
                interactive=True,
                visible=False,
                min_width=120,
            )
    return UploadedFile(path, sheet, encoding, sample, dataset)


def column(name: str) -> gr.Dropdown:
    """Which column of the file is what; empty until there is a file."""
    return gr.Dropdown([], label=name, interactive=True, min_width=120)


@dataclass(frozen=True)
class Choices:
    """What a file offers: updates of sheet, encoding, sample and each column; and which columns are chosen."""

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
    sample = gr.update(value=file.sample or "first", visible=table.unread > 0)
    return Choices(table, [sheet, encoding, sample, *columns], chosen)


def no_choices(roles: Sequence[str]) -> list[Any]:
    """The updates where there is no file, or none that can be read."""
    hidden = gr.update(choices=[], value=None, visible=False)
    sample = gr.update(value=None, visible=False)
    return [hidden, hidden, sample, *[gr.update(choices=[], value=None)] * len(roles)]


def chosen_columns(roles: Sequence[str], values: Sequence[str | None]) -> ColumnMap:
    """The mapping as it is chosen on the page."""
    chosen = {role: None if name in (None, "", _NO_COLUMN) else name for role, name in zip(roles, values, strict=True)}
    return ColumnMap(chosen.get("text"), chosen.get("label"), chosen.get("language"), chosen.get("split"))


def preview(table: Table) -> str:
    """The first rows as they were read, long cells shortened."""
    titles = ["Row", *map(Foreign, table.columns[:_SHOWN_COLUMNS])]
    rows = zip(table.numbers[:_SHOWN_ROWS], table.rows, strict=False)
    return html_table(titles, "".join(html_row(str(number), _cells(cells)) for number, cells in rows))


def label_counts(labels: Iterable[str]) -> str:
    """How many texts each label has, the commonest first."""
    counted = Counter(labels).most_common()
    listed = " · ".join(f"{_e(label)} {count:,}" for label, count in counted[:_SHOWN_LABELS])
    rest = f"<p class='lo-legend'>And {len(counted) - _SHOWN_LABELS} more labels.</p>"
    return f"<p class='lo-legend' translate='no'>{listed}</p>{rest if len(counted) > _SHOWN_LABELS else ''}"


def _cells(cells: Sequence[str]) -> list[str]:
    shortened = (cell if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]}…" for cell in cells)
    foreign: list[str] = [Foreign(cell) for cell in shortened]
    return foreign[:_SHOWN_COLUMNS]
