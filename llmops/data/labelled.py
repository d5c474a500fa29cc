"""A user's file as labelled texts of a task that exists. What is wrong is told row by row, and the rest goes on.

A task out of a file is `own_task`'s part, reading the file into a table `reading`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmops.core.errors import InputError, TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Task
from llmops.data import words
from llmops.data.columns import ColumnMap, column_positions, complete_columns
from llmops.data.problems import Problem, cell_faults, row_problems, sentences
from llmops.data.reading import read_table
from llmops.data.table import Table, clean


@dataclass(frozen=True)
class LabelledTexts:
    """Texts that can be evaluated, and what was wrong with the others. notes: of the file as a whole."""

    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Sentences for a person: notes, how many rows are left out, then the first problems by row."""
        return sentences(self.notes, self.problems, len(self.examples))


def read_labelled(
    path: Path,
    task: Task,
    limits: Settings,
    mapping: ColumnMap | None = None,
    label_words: Mapping[str, str] | None = None,
) -> LabelledTexts:
    """A file's rows for a task; mapping: None or open roles are guessed. Raises TaskFileError where nothing is left.

    label_words: words of the file → label ids of the task, such as "1" → "positive".
    """
    table = read_table(path, limits)
    return to_labelled(table, complete_columns(table, mapping), task, label_words)


def to_labelled(
    table: Table, mapping: ColumnMap, task: Task, label_words: Mapping[str, str] | None = None
) -> LabelledTexts:
    """Rows as examples of a task; a label may be an id, a name or an answer word, however it is spelled.

    A row that names no language gets the task's that it reads like. Raises TaskFileError where no row is left.
    """
    positions = column_positions(table, mapping)
    label_of = _label_by_word(task) | _given_words(label_words or {}, task)
    languages = {code.casefold(): code for code in task.languages}
    examples: list[Example] = []
    problems, faults = row_problems(table.problems), cell_faults(table.problems)
    first_rows: dict[str, tuple[int, str]] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):

        def report(role: str, message: str, number: int = number) -> None:
            column = str(getattr(mapping, role))
            problems.append(Problem(number, column, faults.get((number, column), message)))

        text, word = row[positions["text"]], row[positions["label"]].strip()
        code = words.language_code(row[positions["language"]]) if "language" in positions else ""
        label = label_of.get(words.key(word))
        if words.is_no_text(text):
            report("text", "the text is empty" if not text.strip() else f"“{text.strip()}” is no text")
        elif label is None and words.is_missing(word):
            report("label", f"the label is missing (“{word}”)" if word else "the label is missing")
        elif label is None:
            report("label", f"“{word[:60]}” is no label of the task ({', '.join(task.label_ids)})")
        elif code and code.casefold() not in languages:
            report("language", f"“{code[:20]}” is no language of the task ({', '.join(task.languages)})")
        elif text.strip() in first_rows:
            first_row, first_label = first_rows[text.strip()]
            end = "" if first_label == label else f", labelled “{first_label}” there"
            report("text", f"the same text stands in row {first_row}{end}")
        else:
            first_rows[text.strip()] = (number, label)
            examples.append(Example(text, label, languages.get(code.casefold(), ""), "test"))
    problems.sort(key=lambda problem: problem.row)
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


def from_objects(rows: object, task: Task) -> LabelledTexts:
    """Rows of a program: objects with text, label and, if wanted, language. Raises InputError and TaskFileError."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("texts is a list of objects.", 'Write [{"text": "…", "label": "…"}].')
    columns = ("text", "label", "language")
    cell: Callable[[Any], str] = lambda value: "" if value is None else clean(str(value))  # noqa: E731
    cells = tuple(tuple(cell(row.get(name)) for name in columns) for row in rows)
    table = Table(columns, cells, tuple(range(1, len(rows) + 1)))
    return to_labelled(table, ColumnMap(*columns), task)
