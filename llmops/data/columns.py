"""Which column of a table is what."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmops.core.errors import TaskFileError
from llmops.data.table import Table

_USUAL_NAMES = {
    "text": ("text", "sentence", "satz", "message", "input", "content", "body"),
    "label": ("label", "class", "klasse", "category", "target", "verdict"),
    "language": ("language", "lang", "sprache"),
    "split": ("split", "set", "fold"),
}


@dataclass(frozen=True)
class ColumnMap:
    """Which column is what; None where the file has no such column."""

    text: str | None
    label: str | None
    language: str | None = None
    split: str | None = None


def guess_columns(columns: Sequence[str]) -> ColumnMap:
    """The likely mapping by the columns' names; the first two columns where no name tells."""
    named = {
        role: next((column for column in columns if column.strip().casefold() in names), None)
        for role, names in _USUAL_NAMES.items()
    }
    unnamed = [column for column in columns if column not in named.values()]
    text = named["text"] or (unnamed.pop(0) if unnamed else None)
    label = named["label"] or (unnamed.pop(0) if unnamed else None)
    return ColumnMap(text, label, named["language"], named["split"])


def column_positions(table: Table, mapping: ColumnMap) -> dict[str, int]:
    """text, label and, where mapped, language and split → the column's position, from 0. Raises TaskFileError."""
    positions = {}
    for role in ("text", "label", "language", "split"):
        column = getattr(mapping, role)
        if column is None:
            if role in ("text", "label"):
                raise TaskFileError(
                    f"No column is chosen for the {role}.", f"Choose one of: {', '.join(table.columns)}."
                )
            continue
        if column not in table.columns:
            raise TaskFileError(f"The file has no column “{column}”.", f"It has: {', '.join(table.columns)}.")
        positions[role] = table.columns.index(column)
    if len(set(positions.values())) < len(positions):
        raise TaskFileError("One column is chosen twice.", "Choose a different column for each.")
    return positions
