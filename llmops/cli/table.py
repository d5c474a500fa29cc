"""Plain tables for the terminal."""

from collections.abc import Sequence


def print_rows(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the last one runs on."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


def number(value: float | None, form: str, scale: float = 1.0) -> str:
    """A number in a format; blank where it is not known."""
    return "" if value is None else format(value / scale, form)
