"""A table as a task of the user's own: strict, so nothing is half loaded."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from llmops.core.errors import TaskFileError
from llmops.core.settings import Settings
from llmops.core.task import Example, Label, Prompt, Task
from llmops.data.columns import ColumnMap, column_positions
from llmops.data.reading import read_table
from llmops.data.table import Table, row_error

OWN_TASK = "own"
"""The id of every task of a user's own."""
_SPLITS = {"pool": "pool", "train": "pool", "training": "pool", "test": "test", "eval": "test", "validation": "test"}


def read_own_task(path: Path, mapping: ColumnMap, default_language: str, limits: Settings) -> Task:
    """A file as a task named after it. Raises TaskFileError."""
    examples = to_examples(read_table(path, limits), mapping, default_language)
    return task_from_examples(path.stem, examples)


def to_examples(
    table: Table, mapping: ColumnMap, default_language: str, labels: Sequence[str] | None = None, seed: int = 0
) -> tuple[Example, ...]:
    """Examples in the file's order. labels: the only ones allowed, if given.

    Without a split column, half of each label and language goes to the pool, the rest to the test split (seeded).
    Raises TaskFileError.
    """
    positions = column_positions(table, mapping)
    examples: list[Example] = []
    first_row: dict[str, int] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):
        text, label = row[positions["text"]].strip(), row[positions["label"]].strip()
        if not text:
            raise row_error(number, mapping.text, "the text is empty", "Fill it in, or delete the row.")
        if not label:
            raise row_error(number, mapping.label, "the label is missing", "Fill it in, or delete the row.")
        if labels is not None and label not in labels:
            raise row_error(number, mapping.label, f"“{label}” is no label of the task", f"Use: {', '.join(labels)}.")
        language = row[positions["language"]].strip().lower() if "language" in positions else default_language
        if text in first_row:
            raise row_error(number, mapping.text, f"the same text stands in row {first_row[text]}", "Keep one of them.")
        first_row[text] = number
        examples.append(Example(text, label, language or default_language, _split_of(row, positions, number, mapping)))
    found_labels = sorted({example.label for example in examples})
    if len(found_labels) < 2:
        raise TaskFileError(f"There is one label only (“{found_labels[0]}”).", "A task needs two or more.")
    if len(found_labels) > max(50, len(examples) // 2):
        raise row_error(
            table.numbers[0], mapping.label, f"{len(found_labels)} different labels", "Is it the right column?"
        )
    return tuple(examples) if "split" in positions else _split_in_halves(examples, seed)


def task_from_examples(name: str, examples: Sequence[Example]) -> Task:
    """A task with the labels and languages found; answer words are the labels. All of it can be edited afterwards."""
    labels = list(dict.fromkeys(example.label for example in examples))
    languages = list(dict.fromkeys(example.language for example in examples))
    prompts = {code: Prompt(_instruction(labels, code)) for code in languages}
    return Task(
        id=OWN_TASK,
        name=name[:60],
        source="uploaded",
        labels=tuple(
            Label(
                label, dict.fromkeys(languages, label), dict.fromkeys(languages, label), dict.fromkeys(languages, label)
            )
            for label in labels
        ),
        prompts=prompts,
        examples=tuple(examples),
    )


def _instruction(labels: Sequence[str], language: str) -> str:
    names = ", ".join(labels)
    if language == "de":
        return f"Ordne den Text einer Klasse zu: {names}. Antworte mit dem Namen der Klasse, Doppelpunkt, kurzer Grund."
    return f"Put the text into one class: {names}. Answer with the class name, a colon, and a short reason."


def _split_of(row: Sequence[str], positions: dict[str, int], number: int, mapping: ColumnMap) -> str:
    if "split" not in positions:
        return "pool"
    value = row[positions["split"]].strip()
    split = _SPLITS.get(value.casefold())
    if split is None:
        raise row_error(number, mapping.split, f"“{value}” is no split", "Write pool or test.")
    return split


def _split_in_halves(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    rng = Random(seed)
    groups: dict[tuple[str, str], list[int]] = {}
    for index, example in enumerate(examples):
        groups.setdefault((example.label, example.language), []).append(index)
    test: set[int] = set()
    for indices in groups.values():
        rng.shuffle(indices)
        test |= set(indices[: len(indices) // 2])
    return tuple(replace(example, split="test" if index in test else "pool") for index, example in enumerate(examples))
