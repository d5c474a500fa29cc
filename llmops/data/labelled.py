"""A user's file as labelled texts of a task that exists. What is wrong is told row by row, and the rest goes on.

A task out of a file is `own_task`'s part, reading the file into a table `reading`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmops.core.errors import InputError, TaskFileError
from llmops.core.task import Example, Task
from llmops.data import words
from llmops.data.columns import ColumnMap, column_positions
from llmops.data.problems import Problem
from llmops.data.table import Table, clean
from llmops.data.usable_rows import Fault, Labels, ReadTexts, usable_rows


def to_labelled(
    table: Table, mapping: ColumnMap, task: Task, label_words: Mapping[str, str] | None = None
) -> ReadTexts:
    """Rows as examples of a task; a label may be an id, a name or an answer word, however it is spelled.

    A row that names no language gets the task's that it reads like. Raises TaskFileError where no row is left.
    """
    labels = Labels(label_by_word(task) | _given_words(label_words or {}, task), task.label_ids)
    languages = {code.casefold(): code for code in task.languages}
    place = column_positions(table, mapping).get("language")

    def code(cells: Sequence[str]) -> str:
        return "" if place is None else words.language_code(cells[place]).casefold()

    def unknown_language(cells: Sequence[str]) -> Fault | None:
        said = code(cells)
        if not said or said in languages:
            return None
        return "language", f"“{said[:20]}” is no language of the task ({', '.join(task.languages)})"

    rows, problems = usable_rows(table, mapping, labels, unknown_language)
    examples = [Example(row.text, row.label, languages.get(code(row.cells), ""), "test") for row in rows]
    examples = _with_languages(examples, task)
    return ReadTexts(tuple(examples), tuple(problems), (*table.notes, *_notes_on_all(examples, problems)))


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


def label_by_word(task: Task) -> dict[str, str]:
    """Casefolded id, name or answer word → label id; a word of two labels is nobody's, ids go first."""
    ids_of_word: dict[str, set[str]] = {}
    for label in task.labels:
        for word in (*label.name.values(), *label.answer.values()):
            ids_of_word.setdefault(words.key(word), set()).add(label.id)
    return {word: ids.pop() for word, ids in ids_of_word.items() if len(ids) == 1} | {
        words.key(label.id): label.id for label in task.labels
    }


def _given_words(label_words: Mapping[str, str], task: Task) -> dict[str, str]:
    """Raises InputError for a label that the task has not."""
    wrong = next((label for label in label_words.values() if label not in task.label_ids), None)
    if wrong is not None:
        raise InputError(f"The task has no label “{wrong}”.", f"It has: {', '.join(task.label_ids)}.")
    return {words.key(word): label for word, label in label_words.items()}


def from_objects(rows: object, task: Task) -> ReadTexts:
    """Rows of a program: objects with text, label and, if wanted, language. Raises InputError and TaskFileError."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("texts is a list of objects.", 'Write [{"text": "…", "label": "…"}].')
    columns = ("text", "label", "language")
    cell: Callable[[Any], str] = lambda value: "" if value is None else clean(str(value))  # noqa: E731
    cells = tuple(tuple(cell(row.get(name)) for name in columns) for row in rows)
    table = Table(columns, cells, tuple(range(1, len(rows) + 1)))
    return to_labelled(table, ColumnMap(*columns), task)
