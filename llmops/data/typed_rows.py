"""Rows of typed values (a Parquet file, a dataset of the `datasets` library) as rows of text.

Knows features as `datasets` writes them into JSON, column → {"_type": …}, whether in a file's metadata or of a dataset
in memory: numbers of a ClassLabel become its names; pictures, sounds and bytes are no text, and their columns left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from llmops.data.json_files import as_text
from llmops.data.table import RawRows, check_width

Features = Mapping[str, Any]
_MEDIA = frozenset(["Image", "Audio", "Video", "Pdf", "Nifti", "Mesh"])
_BYTES = frozenset(["binary", "large_binary", "binary_view"])


def typed_rows(
    columns: Sequence[str], rows: Iterable[tuple[int, Sequence[object]]], features: Features, notes: Sequence[str] = ()
) -> RawRows:
    """Rows, each with its number in the file, below the columns' names. Raises TaskFileError for too many columns."""
    check_width(len(columns))
    names = [_label_names(features.get(column)) for column in columns]
    cells = ((number, [_cell(value, labels) for value, labels in zip(row, names, strict=True)]) for number, row in rows)
    return RawRows(_below([str(column) for column in columns], cells), list(notes), names_known=True)


def text_columns(columns: Sequence[str], features: Features) -> tuple[list[str], list[str]]:
    """(the columns that are read, a note on those that are not)."""
    left = [column for column in columns if _is_media(features.get(column))]
    listed = ", ".join(f"“{column}”" for column in left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
    notes = [f"Columns that hold pictures, sounds or bytes are not read: {listed}."] if left else []
    return [column for column in columns if column not in left], notes


def cell_texts(values: Iterable[object], feature: object) -> list[str]:
    """One column's values as its cells."""
    labels = _label_names(feature)
    return [_cell(value, labels) for value in values]


def _below(columns: list[str], cells: Iterable[tuple[int, list[str]]]) -> Iterable[tuple[int, list[str]]]:
    yield 0, columns
    yield from cells


def _cell(value: object, labels: Sequence[str] | None) -> str:
    if labels is not None and isinstance(value, int | float) and isfinite(value):
        number = int(value)
        if 0 <= number < len(labels):
            return labels[number]
        return "" if number == -1 else str(number)  # -1: nobody labelled it
    return str(value) if not isinstance(value, list | dict | None) else as_text(value)


def _label_names(feature: object) -> list[str] | None:
    """Of a ClassLabel; None for other features, and for names that are no texts."""
    if not isinstance(feature, Mapping) or feature.get("_type") != "ClassLabel":
        return None
    names = feature.get("names")
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _is_media(feature: object) -> bool:
    """True where a picture, a sound or bytes stand anywhere in it."""
    left = [feature]
    while left:
        part = left.pop()
        if isinstance(part, Mapping):
            if part.get("_type") in _MEDIA or (part.get("_type") == "Value" and part.get("dtype") in _BYTES):
                return True
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
    return False
