"""A task as a person edits it on the page: instruction, user turn, and a table of labels in one language."""

from dataclasses import replace

from llmops.core.errors import InputError
from llmops.core.task import Label, Prompt, Task
from llmops.data.own_task import OWN_TASK

LABEL_COLUMNS = ["Label id", "Shown name", "Description (for zero-shot)", "Answer word"]


def label_rows(task: Task, language: str) -> list[list[str]]:
    """The labels as rows of LABEL_COLUMNS in one language."""
    return [
        [
            label.id,
            _in(label.name, language, label.id),
            _in(label.description, language, ""),
            _in(label.answer, language, label.id),
        ]
        for label in task.labels
    ]


def edit_task(task: Task, language: str, instruction: str, user: str, rows: list[list[str]]) -> Task:
    """`task` with another prompt and other labels in one language. Raises InputError naming the row."""
    if not instruction.strip():
        raise InputError("The instruction is empty.", "Say in a sentence or two what is asked.")
    if "{text}" not in user:
        raise InputError("The user turn has no {text}.", "Write {text} where the text belongs.")
    labels = _labels(task, language, rows)
    label_ids = {label.id for label in labels}
    prompt = replace(task.prompts.get(language, Prompt("")), instruction=instruction, user=user)
    return replace(
        task,
        id=OWN_TASK,
        name=task.name if task.id == OWN_TASK else f"{task.name}, edited",
        prompts=task.prompts | {language: prompt},
        labels=labels,
        examples=tuple(example for example in task.examples if example.label in label_ids),
    )


def _labels(task: Task, language: str, rows: list[list[str]]) -> tuple[Label, ...]:
    cells = [[str(cell or "").strip() for cell in row] for row in rows]
    filled = [row for row in cells if any(row)]
    if len(filled) < 2:
        raise InputError(f"A task needs two labels or more; there are {len(filled)}.", "Add a row for each label.")
    by_id = {label.id: label for label in task.labels}
    labels = tuple(_label(number, row, language, by_id) for number, row in enumerate(filled, 1))
    _check_twice("label id", [label.id for label in labels])
    _check_twice("answer word", [label.answer[language].casefold() for label in labels])
    return labels


def _check_twice(what: str, words: list[str]) -> None:
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice:
        raise InputError(f"The {what} “{twice}” stands twice.", "Give each label its own.")


def _label(number: int, row: list[str], language: str, by_id: dict[str, Label]) -> Label:
    label_id, name, description, answer = [*row, "", "", "", ""][:4]
    if not label_id:
        raise InputError(f"Row {number} of the labels has no id.", "Fill in the first column.")
    before = by_id.get(label_id, Label(label_id, {}, {}, {}))
    shown_name = name or label_id
    return Label(
        label_id,
        before.name | {language: shown_name},
        before.description | {language: description or shown_name},
        before.answer | {language: answer or shown_name},
    )


def _in(words: dict[str, str], language: str, otherwise: str) -> str:
    return words.get(language) or next(iter(words.values()), otherwise)
