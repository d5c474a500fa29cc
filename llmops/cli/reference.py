"""Where a command's texts come from: a file, a folder that `datasets` wrote, or a dataset of the hub, by one word.

What is there on disk always wins, so this is the command line's: no page and no endpoint names a place on disk.
"""

import argparse
from pathlib import Path

from llmops.core.errors import InputError
from llmops.core.settings import Settings
from llmops.data.datasets_library import read_dataset_folder
from llmops.data.reading import FILE_TYPES, read_table
from llmops.data.row_sample import SAMPLES, Sample
from llmops.data.table import Table
from llmops.hub.dataset_rows import dataset_id, read_hub_dataset

REFERENCE_HELP = (
    "CSV, XLSX, JSON or Parquet; a folder of `datasets`, FOLDER[:SPLIT]; or the hub's OWNER/NAME[/CONFIG][:SPLIT]"
)


def add_sample(parser: argparse.ArgumentParser) -> None:
    """The option for files with more rows than are read."""
    words = "which of more rows than are read (LLMOPS_MAX_ROWS): the first, or a sample with every label's share"
    parser.add_argument("--sample", choices=SAMPLES, default=SAMPLES[0], help=f"{words} (default: {SAMPLES[0]})")


def read_reference(reference: str, limits: Settings, *, sample: Sample = "first", label: str | None = None) -> Table:
    """The rows that a reference means. label: the column that a sample is stratified by; None: guessed.

    Raises InputError where there is no such thing, and what its reader raises.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        return read_dataset_folder(path, None, limits, sample=sample, label=label)
    if path.is_file() or path.suffix.lower() in FILE_TYPES:
        return read_table(path, limits, sample=sample, label=label)
    before, _, split = reference.rpartition(":")
    folder = Path(before).expanduser()
    if before and folder.is_dir():
        return read_dataset_folder(folder, split, limits, sample=sample, label=label)
    asked = dataset_id(reference)
    if asked is None:
        raise InputError(
            f"There is no file or folder {reference}, and it is no id of a dataset on the hub.",
            "Check the path, or write OWNER/NAME, OWNER/NAME:SPLIT or OWNER/NAME/CONFIG:SPLIT.",
        )
    return read_hub_dataset(asked, limits, sample)


def reference_name(reference: str) -> str:
    """What a task out of it is called, unless a name is given: the file's, the folder's or the dataset's."""
    path = Path(reference)
    if path.suffix.lower() in FILE_TYPES:
        return path.stem
    asked = None if path.exists() else dataset_id(reference)
    if asked is not None:
        return asked.name
    return path.name if path.exists() else Path(reference.rpartition(":")[0]).name
