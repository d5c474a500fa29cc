"""A user's file as labelled texts to evaluate on. What is wrong is told row by row, and the rest goes on.

Stricter, for a task of the user's own, is `own_task`; reading the file into a table is `reading`'s part.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.data.columns import ColumnMap, column_positions, guess_columns
from llmops.data.reading import read_table
from llmops.data.table import Table

_FORMULA_STARTS = ("=", "+", "-", "@")
_MAX_LISTED = 20


@dataclass(frozen=True)
class Problem:
    """Something in a row. skipped: the row does not count; else it is said and goes on."""

    row: int
    column: str
    what: str
    skipped: bool

    def __str__(self) -> str:
        end = "left out" if self.skipped else "kept"
        return f"Row {self.row}, column “{self.column}”: {self.what}; {end}."


@dataclass(frozen=True)
class LabelledTexts:
    """Texts that can be evaluated, and what was wrong with the others. notes: of the file as a whole."""

    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Sentences for a person: notes, how many rows are left out, then the first problems by row."""
        left_out = sum(problem.skipped for problem in self.problems)
        lines = [*self.notes]
        if left_out:
            lines.append(f"{left_out:,} of {left_out + len(self.examples):,} rows are left out.")
        lines += [str(problem) for problem in self.problems[:_MAX_LISTED]]
        unlisted = len(self.problems) - _MAX_LISTED
        return [*lines, f"And {unlisted:,} more."] if unlisted > 0 else lines


def read_labelled(path: Path, task: Task, limits: Settings, mapping: ColumnMap | None = None) -> LabelledTexts:
    """A file's rows for a task. Raises TaskFileError where nothing of it can be used."""
    table = read_table(path, limits)
    return to_labelled(table, mapping or guess_columns(table.columns), task)


def to_labelled(table: Table, mapping: ColumnMap, task: Task) -> LabelledTexts:
    """Rows as examples of a task; a label may be an id, a name or an answer word, in any case.

    A row that names no language gets the task's that it reads like. Raises TaskFileError where no row is left.
    """
    positions = column_positions(table, mapping)
    label_of = _label_by_word(task)
    languages = {code.casefold(): code for code in task.languages}
    examples: list[Example] = []
    problems: list[Problem] = []
    first_rows: dict[str, tuple[int, str]] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):

        def report(role: str, message: str, skipped: bool = True, number: int = number) -> None:
            problems.append(Problem(number, str(getattr(mapping, role)), message, skipped))

        text, word = row[positions["text"]].strip(), row[positions["label"]].strip()
        code = row[positions["language"]].strip() if "language" in positions else ""
        label = label_of.get(word.casefold())
        if not text:
            report("text", "the text is empty")
        elif not word:
            report("label", "the label is missing")
        elif label is None:
            report("label", f"“{word[:60]}” is no label of the task ({', '.join(task.label_ids)})")
        elif code and code.casefold() not in languages:
            report("language", f"“{code[:20]}” is no language of the task ({', '.join(task.languages)})")
        elif text in first_rows:
            first_row, first_label = first_rows[text]
            end = "" if first_label == label else f", labelled “{first_label}” there"
            report("text", f"the same text stands in row {first_row}{end}")
        else:
            if text.startswith(_FORMULA_STARTS):
                report("text", "it begins like a formula and is taken as text", skipped=False)
            first_rows[text] = (number, label)
            examples.append(Example(text, label, languages.get(code.casefold(), ""), "test"))
    examples = _with_languages(examples, task)
    return LabelledTexts(tuple(examples), tuple(problems), (*table.notes, *_notes_on_all(examples, problems)))


def _with_languages(examples: Sequence[Example], task: Task) -> list[Example]:
    detected = iter(task.languages_of([example.text for example in examples if not example.language]))
    return [example if example.language else replace(example, language=next(detected)) for example in examples]


def _notes_on_all(examples: Sequence[Example], problems: Sequence[Problem]) -> list[str]:
    if not examples:
        first = f" {problems[0]}" if problems else ""
        raise TaskFileError(f"No row can be used.{first}", "Check which column is what, and the task that is chosen.")
    labels = {example.label for example in examples}
    if len(labels) == 1:
        return [f"All texts have one label (“{labels.pop()}”): accuracy and F1 say little then."]
    return []


def _label_by_word(task: Task) -> dict[str, str]:
    """Casefolded id, name or answer word → label id; a word of two labels is nobody's, ids go first."""
    ids_of_word: dict[str, set[str]] = {}
    for label in task.labels:
        for word in (*label.name.values(), *label.answer.values()):
            ids_of_word.setdefault(word.casefold(), set()).add(label.id)
    return {word: ids.pop() for word, ids in ids_of_word.items() if len(ids) == 1} | {
        label.id.casefold(): label.id for label in task.labels
    }


def from_objects(rows: object, task: Task) -> LabelledTexts:
    """Rows of a program: objects with text, label and, if wanted, language. Raises InputError and TaskFileError."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("texts is a list of objects.", 'Write [{"text": "…", "label": "…"}].')
    columns = ("text", "label", "language")
    cell: Callable[[Any], str] = lambda value: "" if value is None else str(value)  # noqa: E731
    cells = tuple(tuple(cell(row.get(name)) for name in columns) for row in rows)
    table = Table(columns, cells, tuple(range(1, len(rows) + 1)))
    return to_labelled(table, ColumnMap(*columns), task)
