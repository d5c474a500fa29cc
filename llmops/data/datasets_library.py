"""A dataset of the `datasets` library as a table: a folder that `save_to_disk` wrote, and which split of several.

Its tables are mapped, not loaded, so only rows that are read cost memory. Datasets of the hub are `hub.dataset_rows`'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.data.row_sample import Sample, sample_note, sampling_column, stratified
from llmops.data.table import Table, build_table
from llmops.data.typed_rows import cell_texts, text_columns, typed_rows

if TYPE_CHECKING:
    from datasets import Dataset

_USUAL_SPLIT = "test"
_JUDGED_ROWS = 1_000
_REMEDY = "Give a folder that `save_to_disk` wrote, or a file."


def is_dataset_folder(path: Path) -> bool:
    """True of a folder that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote."""
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def read_dataset_folder(
    path: Path, split: str | None, limits: Settings, *, sample: Sample = "first", label: str | None = None
) -> Table:
    """Read a split; None: test, if there is one, else the first. sample and label: as for a file.

    Raises TaskFileError for no such folder or split, and where nothing of it can be understood.
    """
    import datasets

    if not is_dataset_folder(path):
        raise TaskFileError(f"The folder {path} is no dataset.", _REMEDY)
    try:
        found = datasets.load_from_disk(str(path))
    except Exception as error:
        raise TaskFileError(f"The dataset in {path} can't be read ({type(error).__name__}).", _REMEDY) from error
    if isinstance(found, datasets.DatasetDict):
        chosen, notes = chosen_split(list(found), split, path.name)
        dataset = found[chosen]
    else:
        own = [] if found.split is None else [str(found.split)]
        notes = [] if split is None else chosen_split(own, split, path.name)[1]
        dataset = found
    columns, left_out = text_columns(dataset.column_names, dataset.features.to_dict())
    kept = dataset.with_format(None).select_columns(columns)
    table = _rows(kept, limits.max_rows, sample, label)
    return replace(table, notes=(*notes, *left_out, *table.notes))


def chosen_split(splits: Sequence[str], asked: str | None, name: str) -> tuple[str, list[str]]:
    """(the split that was asked for, else the usual one, a note where there are others). Raises TaskFileError."""
    if asked is not None and asked not in splits:
        remedy = f"It has: {', '.join(splits)}." if splits else "It has none: give the name alone."
        raise TaskFileError(f"“{name}” has no split “{asked}”.", remedy)
    if not splits:
        raise TaskFileError(f"“{name}” has no split.", _REMEDY)
    split = asked or (_USUAL_SPLIT if _USUAL_SPLIT in splits else splits[0])
    notes = [f"The split “{split}” is read; there are: {', '.join(splits)}."] if len(splits) > 1 else []
    return split, notes


def first_note(rows: int, read: int) -> str:
    """What is said where the first rows are read, of a dataset with so many."""
    return f"The dataset has {rows:,} rows; the first {read:,} are read."


def _rows(dataset: "Dataset", most: int, sample: Sample, label: str | None) -> Table:
    if len(dataset) <= most:
        return _table(dataset, range(len(dataset)))
    if sample == "first":
        table = _table(dataset, range(most))
        notes = (*table.notes, first_note(len(dataset), len(table.rows)))
        return replace(table, notes=notes, unread=len(dataset) - most)
    judged = range(0, len(dataset), -(-len(dataset) // _JUDGED_ROWS))  # of all of it: sets are often sorted by label
    column = sampling_column(_table(dataset, judged), label)
    table = _table(dataset, stratified(_labels(dataset, column), most))
    return replace(table, notes=(*table.notes, sample_note(len(dataset), most, column)), unread=len(dataset) - most)


def _labels(dataset: "Dataset", column: str | None) -> list[str]:
    """What stands in the column, row by row; the same everywhere where there is none to go by."""
    if column is None:
        return [""] * len(dataset)
    return cell_texts(dataset[column], dataset.features.to_dict().get(column))


def _table(dataset: "Dataset", positions: Sequence[int]) -> Table:
    numbered = zip(positions, dataset.select(positions), strict=True)
    rows: Iterable[tuple[int, list[Any]]] = ((position + 1, list(row.values())) for position, row in numbered)
    return build_table(typed_rows(dataset.column_names, rows, dataset.features.to_dict()), None)
