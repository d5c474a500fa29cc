"""Rows of a table that have a text and a label, each text once; what is wrong with the others is told, all at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from llmops.core.task import Example
from llmops.data import words
from llmops.data.columns import ColumnMap, column_positions
from llmops.data.problems import Problem, cell_faults, row_problems, sentences
from llmops.data.table import Table


@dataclass(frozen=True)
class ReadTexts:
    """Texts that can be used, what was wrong with the others, and notes on the file as a whole."""

    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def sentences(self) -> list[str]:
        """For a person: notes, how many rows are left out, then the first problems by row."""
        return sentences(self.notes, self.problems, len(self.examples))


@dataclass(frozen=True)
class UsableRow:
    """A row's text as it stands, its label, and all its cells."""

    text: str
    label: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Labels:
    """Words of a label column, by words.key → label; allowed: as they are told where a word is none of them."""

    by_key: Mapping[str, str]
    allowed: Sequence[str] = ()


Fault = tuple[str, str]
"""(role of a column, what is wrong with its cell)."""


def usable_rows(
    table: Table, mapping: ColumnMap, labels: Labels, also: Callable[[Sequence[str]], Fault | None]
) -> tuple[list[UsableRow], list[Problem]]:
    """(rows in the file's order, problems by row). also: what else is wrong with a row's cells; None where nothing is.

    Raises TaskFileError for columns that the table has not.
    """
    positions = column_positions(table, mapping)
    problems, faults = row_problems(table.problems), cell_faults(table.problems)
    rows: list[UsableRow] = []
    first: dict[str, tuple[int, str]] = {}  # text → its first row, and the label there
    for number, cells in zip(table.numbers, table.rows, strict=True):
        text, word = cells[positions["text"]], cells[positions["label"]].strip()
        label = labels.by_key.get(words.key(word), "")
        fault = _fault(text, word, label, labels.allowed) or also(cells) or _repeated(first.get(text.strip()), label)
        if fault:
            column = str(getattr(mapping, fault[0]))
            problems.append(Problem(number, column, faults.get((number, column), fault[1])))
        else:
            first[text.strip()] = (number, label)
            rows.append(UsableRow(text, label, cells))
    return rows, sorted(problems, key=lambda problem: problem.row)


def _fault(text: str, word: str, label: str, allowed: Sequence[str]) -> Fault | None:
    if words.is_no_text(text):
        return "text", f"“{text.strip()}” is no text" if text.strip() else "the text is empty"
    if label:
        return None
    if words.is_missing(word):
        return "label", f"the label is missing (“{word}”)" if word else "the label is missing"
    return "label", f"“{word[:60]}” is no label of the task ({', '.join(allowed)})"


def _repeated(first: tuple[int, str] | None, label: str) -> Fault | None:
    if first is None:
        return None
    end = "" if first[1] == label else f", labelled “{first[1]}” there"
    return "text", f"the same text stands in row {first[0]}{end}"
