"""What is wrong with a row of a user's file, and how it is told: all rows at once, the sound ones go on."""

from collections.abc import Sequence
from dataclasses import dataclass

_MAX_LISTED = 20


@dataclass(frozen=True)
class Problem:
    """Something in a row, counted as in the file. skipped: the row does not count; else it is said and goes on."""

    row: int
    column: str
    what: str
    skipped: bool = True

    def __str__(self) -> str:
        where = f"Row {self.row}, column “{self.column}”" if self.column else f"Row {self.row}"
        return f"{where}: {self.what}; {'left out' if self.skipped else 'kept'}."


def cell_faults(problems: Sequence[Problem]) -> dict[tuple[int, str], str]:
    """(row, column) → why a cell reads as empty, of those whose row may still count."""
    return {
        (problem.row, problem.column): problem.what for problem in problems if problem.column and not problem.skipped
    }


def row_problems(problems: Sequence[Problem]) -> list[Problem]:
    """Those that are of whole rows, whichever columns are used."""
    return [problem for problem in problems if problem.skipped or not problem.column]


def sentences(notes: Sequence[str], problems: Sequence[Problem], kept: int) -> list[str]:
    """For a person: notes, how many rows are left out, then the first problems by row. kept: rows that count."""
    left_out = sum(problem.skipped for problem in problems)
    lines = [*notes]
    if left_out:
        lines.append(f"{left_out:,} of {left_out + kept:,} rows are left out.")
    lines += [str(problem) for problem in problems[:_MAX_LISTED]]
    unlisted = len(problems) - _MAX_LISTED
    return [*lines, f"And {unlisted:,} more."] if unlisted > 0 else lines
