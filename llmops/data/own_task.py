"""A table as a task of the user's own. Rows that can't be used are listed, the rest becomes the task."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from llmops.core.errors import TaskFileError
from llmops.core.task import Example, Label, Prompt, Task
from llmops.data import words
from llmops.data.columns import ColumnMap, column_positions, complete_columns
from llmops.data.problems import Problem
from llmops.data.table import Table
from llmops.data.usable_rows import Fault, Labels, ReadTexts, usable_rows

OWN_TASK = "own"
"""The id of every task of a user's own."""
_SPLITS = {"pool": "pool", "train": "pool", "training": "pool", "test": "test", "eval": "test", "validation": "test"}
_FEW = 4  # texts of a label, below which a half to learn from and a half to test on say little
_ONE_SIDED = 20  # times as many texts of the commonest label as of the rarest


@dataclass(frozen=True)
class OwnTask:
    """A task out of a file, and how it was read."""

    task: Task
    read: ReadTexts


def own_task(table: Table, name: str, mapping: ColumnMap | None, language: str | None) -> OwnTask:
    """A table as a task of a name; mapping: None or open roles are guessed; language: see to_examples.

    Raises TaskFileError.
    """
    read = to_examples(table, complete_columns(table, mapping), language)
    return OwnTask(task_from_examples(name, read.examples), read)


def to_examples(
    table: Table, mapping: ColumnMap, language: str | None, labels: Sequence[str] | None = None, seed: int = 0
) -> ReadTexts:
    """Examples in the file's order. labels: the only ones allowed, if given.

    language: of texts that say none themselves; None: German or English, as they read.

    Labels that differ in case, spaces, invisible signs or composition only are one, by its commonest spelling. Without
    a split column, half of each label and language goes to the pool, the rest to the test split (seeded).
    Raises TaskFileError where no task is left.
    """
    positions = column_positions(table, mapping)
    cells = (row[positions["label"]] for row in table.rows)
    names, notes = words.joined(word for word in cells if not words.is_missing(word))
    if labels is not None:
        names = {words.key(label): label for label in labels}

    def unknown_split(cells: Sequence[str]) -> Fault | None:
        if _split_of(cells, positions) is not None:
            return None
        return "split", f"“{cells[positions['split']][:20]}” is no split: pool or test"

    rows, problems = usable_rows(table, mapping, Labels(names, labels or ()), unknown_split)
    said = [_language_of(row.cells, positions) for row in rows]
    usual = language or words.likely_language(row.text for row, code in zip(rows, said, strict=True) if not code)
    examples = [
        Example(row.text, row.label, code or usual, split)
        for row, code in zip(rows, said, strict=True)
        if (split := _split_of(row.cells, positions))
    ]
    _check(examples, problems, mapping)
    halved = tuple(examples) if "split" in positions else _split_in_halves(examples, seed)
    return ReadTexts(halved, tuple(problems), (*table.notes, *notes, *_uneven(halved)))


def _check(examples: Sequence[Example], problems: Sequence[Problem], mapping: ColumnMap) -> None:
    """Raise TaskFileError for what is no task: no row, one label, or a label for almost every text."""
    first = f" {problems[0]}" if problems else ""
    if not examples:
        raise TaskFileError(f"No row can be used.{first}", "Check which column is text and which is label.")
    found = {example.label for example in examples}
    if len(found) < 2:
        raise TaskFileError(f"There is one label only (“{found.pop()}”).{first}", "A task needs two or more.")
    if len(found) > max(50, len(examples) // 2):
        raise TaskFileError(
            f"The column “{mapping.label}” has {len(found):,} different labels in {len(examples):,} rows.",
            "Is it the right column? Choose the one that says the class.",
        )


def _uneven(examples: Sequence[Example]) -> list[str]:
    """What rare labels mean for a test."""
    counts = Counter(example.label for example in examples)
    tested = Counter(example.label for example in examples if example.split == "test")
    rare = [label for label, count in counts.items() if count < _FEW or not tested[label]]
    notes = []
    if rare:
        listed = ", ".join(f"“{label}” ({counts[label]})" for label in rare[:5])
        more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
        notes.append(f"Labels with too few texts to learn from and to test on: {listed}{more}.")
    (common, most), (_, fewest) = counts.most_common()[0], counts.most_common()[-1]
    if most >= _ONE_SIDED * fewest:
        notes.append(
            f"{most:,} of {sum(counts.values()):,} texts are “{common}”: accuracy says little then, macro-F1 more."
        )
    return notes


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


def _language_of(row: Sequence[str], positions: dict[str, int]) -> str:
    """Empty where no column says it."""
    return words.language_code(row[positions["language"]]) if "language" in positions else ""


def _split_of(row: Sequence[str], positions: dict[str, int]) -> str | None:
    """None of a word that is no split."""
    return _SPLITS.get(row[positions["split"]].strip().casefold()) if "split" in positions else "pool"


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
