"""A user's file as labelled texts to evaluate on. What is wrong is told row by row, and the rest goes on.

Stricter reading, for a task of one's own, is `reading`'s part; reading the file into a table too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.data.reading import ColumnMap, Table, guess_columns, places_of, read_table

_FORMULA = ("=", "+", "-", "@")
_SHOWN = 20


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
class Labelled:
    """Texts that can be evaluated, and what was wrong with the others. notes: of the file as a whole."""

    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def said(self) -> list[str]:
        """Sentences for a person: notes, how many rows are left out, then the first problems by row."""
        out = sum(problem.skipped for problem in self.problems)
        lines = [*self.notes]
        if out:
            lines.append(f"{out:,} of {out + len(self.examples):,} rows are left out.")
        lines += [str(problem) for problem in self.problems[:_SHOWN]]
        more = len(self.problems) - _SHOWN
        return [*lines, f"And {more:,} more."] if more > 0 else lines


def read_labelled(path: Path, task: Task, limits: Settings, mapping: ColumnMap | None = None) -> Labelled:
    """A file's rows for a task. Raises TaskFileError where nothing of it can be used."""
    table = read_table(path, limits)
    return to_labelled(table, mapping or guess_columns(table.columns), task)


def to_labelled(table: Table, mapping: ColumnMap, task: Task) -> Labelled:
    """Rows as examples of a task; a label may be an id, a name or an answer word, in any case.

    A row that names no language gets the task's that it reads like. Raises TaskFileError where no row is left.
    """
    at = places_of(table, mapping)
    names = _names(task)
    languages = {code.casefold(): code for code in task.languages}
    made: list[Example] = []
    problems: list[Problem] = []
    first: dict[str, tuple[int, str]] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):

        def tell(what: str, words: str, skipped: bool = True, number: int = number) -> None:
            problems.append(Problem(number, str(getattr(mapping, what)), words, skipped))

        text, said = row[at["text"]].strip(), row[at["label"]].strip()
        code = row[at["language"]].strip() if "language" in at else ""
        label = names.get(said.casefold())
        if not text:
            tell("text", "the text is empty")
        elif not said:
            tell("label", "the label is missing")
        elif label is None:
            tell("label", f"“{said[:60]}” is no label of the task ({', '.join(task.label_ids)})")
        elif code and code.casefold() not in languages:
            tell("language", f"“{code[:20]}” is no language of the task ({', '.join(task.languages)})")
        elif text in first:
            where, before = first[text]
            end = "" if before == label else f", labelled “{before}” there"
            tell("text", f"the same text stands in row {where}{end}")
        else:
            if text.startswith(_FORMULA):
                tell("text", "it begins like a formula and is taken as text", skipped=False)
            first[text] = (number, label)
            made.append(Example(text, label, languages.get(code.casefold(), ""), "test"))
    made = _with_languages(made, task)
    return Labelled(tuple(made), tuple(problems), (*table.notes, *_of_all(made, problems)))


def _with_languages(made: Sequence[Example], task: Task) -> list[Example]:
    read = iter(task.languages_of([one.text for one in made if not one.language]))
    return [one if one.language else replace(one, language=next(read)) for one in made]


def _of_all(made: Sequence[Example], problems: Sequence[Problem]) -> list[str]:
    if not made:
        first = f" {problems[0]}" if problems else ""
        raise TaskFileError(f"No row can be used.{first}", "Check which column is what, and the task that is chosen.")
    found = {example.label for example in made}
    if len(found) == 1:
        return [f"All texts have one label (“{found.pop()}”): accuracy and F1 say little then."]
    return []


def _names(task: Task) -> dict[str, str]:
    """Casefolded id, name or answer word → label id; a word of two labels is nobody's, ids go first."""
    found: dict[str, set[str]] = {}
    for label in task.labels:
        for word in (*label.name.values(), *label.answer.values()):
            found.setdefault(word.casefold(), set()).add(label.id)
    return {word: ids.pop() for word, ids in found.items() if len(ids) == 1} | {
        label.id.casefold(): label.id for label in task.labels
    }


def from_objects(rows: object, task: Task) -> Labelled:
    """Rows of a program: objects with text, label and, if wanted, language. Raises InputError and TaskFileError."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("texts is a list of objects.", 'Write [{"text": "…", "label": "…"}].')
    columns = ("text", "label", "language")
    cell: Callable[[Any], str] = lambda value: "" if value is None else str(value)  # noqa: E731
    cells = tuple(tuple(cell(row.get(name)) for name in columns) for row in rows)
    table = Table(columns, cells, tuple(range(1, len(rows) + 1)))
    return to_labelled(table, ColumnMap(*columns), task)
