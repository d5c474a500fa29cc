"""Your own task: upload examples and map their columns, or edit instruction and labels. It lives in the session."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.core.errors import InputError, LlmopsError
from llmops.core.task import Label, Prompt, Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.ui import render
from llmops.ui.controls import OWN_TASK, pick_task
from llmops.ui.events import QUIET
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput, show_task, task_choices

_NONE = "(none)"
_COLUMNS = ["Label id", "Shown name", "Description (for zero-shot)", "Answer word"]


@dataclass(frozen=True)
class TaskPanel:
    """The panel's components; columns are text, label, language and split."""

    file: gr.File
    columns: tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Dropdown]
    use_file: gr.Button
    instruction: gr.Textbox
    user: gr.Textbox
    labels: gr.Dataframe
    apply: gr.Button
    said: gr.HTML


def build() -> TaskPanel:
    """Lay out the panel, closed, with the first task in it."""
    first = load_builtin(builtin_ids()[0])
    language = first.languages[0]
    prompt = first.prompt(language)
    with gr.Accordion("Your own task: upload labelled texts, or edit instruction and labels", open=False):
        with gr.Row():
            file = gr.File(
                label="CSV, XLSX or JSONL",
                file_types=[".csv", ".tsv", ".xlsx", ".jsonl"],
                height=170,
                elem_classes="lo-file",
            )
            with gr.Column():
                with gr.Row():
                    text, label = _column("Text column"), _column("Label column")
                with gr.Row():
                    language, split = _column("Language column"), _column("Split column (pool or test)")
                use_file = gr.Button("Use this file")
        instruction = gr.Textbox(prompt.instruction, label="Instruction (in the chosen language)", lines=2)
        user = gr.Textbox(prompt.user, label="User turn; {text} stands for the text", lines=1)
        labels = gr.Dataframe(
            label_rows(first, language),
            headers=_COLUMNS,
            datatype="str",
            type="array",
            label="Labels",
            interactive=True,
            wrap=True,
        )
        apply = gr.Button("Use this task")
        said = gr.HTML(elem_id="task-said")
    return TaskPanel(file, (text, label, language, split), use_file, instruction, user, labels, apply, said)


def _column(name: str) -> gr.Dropdown:
    return gr.Dropdown([], label=name, interactive=True)


def wire(panel: TaskPanel, shared: SharedInput, services: Services) -> None:
    """Connect upload, mapping and editing."""
    current = [shared.task_id, shared.own_task, shared.language]
    changed = [shared.own_task, shared.task_id, panel.said]

    def show(task_id: str, own: Task | None, language: str) -> tuple[str, str, list[list[str]]]:
        task = pick_task(task_id, own)
        language = language if language in task.languages else task.languages[0]
        prompt = task.prompt(language)
        return prompt.instruction, prompt.user, label_rows(task, language)

    def read(path: str | None) -> list[Any]:
        if path is None:
            return [*[gr.update(choices=[], value=None)] * 4, ""]
        from llmops.data.columns import guess_columns
        from llmops.data.reading import read_table

        try:
            table = read_table(Path(path), services.settings)
        except LlmopsError as error:
            return [*[gr.update(choices=[], value=None)] * 4, render.problem(error)]
        guess = guess_columns(table.columns)
        wanted = (guess.text, guess.label, guess.language, guess.split)
        choices = [list(table.columns)] * 2 + [[_NONE, *table.columns]] * 2
        updates = [gr.update(choices=c, value=v or _NONE) for c, v in zip(choices, wanted, strict=True)]
        return [
            *updates,
            render.said(f"{len(table.rows):,} rows read. Check the columns, then use the file.", table.notes),
        ]

    def use_file(path: str | None, text: str, label: str, language: str, split: str, default: str) -> list[Any]:
        from llmops.data.columns import ColumnMap
        from llmops.data.own_task import task_from_examples, to_examples
        from llmops.data.reading import read_table

        try:
            if path is None:
                raise InputError("No file is uploaded.", "Upload a CSV, XLSX or JSONL file first.")
            table = read_table(Path(path), services.settings)
            mapping = ColumnMap(text, label, _optional(language), _optional(split))
            examples = to_examples(table, mapping, default_language=default)
            own = task_from_examples(Path(path).stem, examples)
        except LlmopsError as error:
            return [gr.skip(), gr.skip(), render.problem(error)]
        said = f"{len(examples):,} texts, {len(own.labels)} labels, in {', '.join(own.languages)}."
        return [own, gr.update(choices=task_choices(own), value=OWN_TASK), render.said(said)]

    def edit(
        task_id: str, own: Task | None, language: str, instruction: str, user: str, rows: list[list[str]]
    ) -> list[Any]:
        try:
            edited = edit_task(pick_task(task_id, own), language, instruction, user, rows)
        except LlmopsError as error:
            return [gr.skip(), gr.skip(), render.problem(error)]
        choice = gr.update(choices=task_choices(edited), value=OWN_TASK)
        return [edited, choice, render.said("The task is changed for this session.")]

    shown = [panel.instruction, panel.user, panel.labels]
    gr.on([shared.task_id.change, shared.language.change], show, current, shown, **QUIET)
    panel.file.change(read, panel.file, [*panel.columns, panel.said], **QUIET)
    # Not own_task.change: Gradio would hash the task, which holds dictionaries.
    used = panel.use_file.click(use_file, [panel.file, *panel.columns, shared.language], changed, **QUIET)
    applied = panel.apply.click(edit, [*current, *shown], changed, **QUIET)
    for event in (used, applied):
        # A second task of one's own has the first one's id, so that no change of it is told.
        event.then(show_task, current, [shared.language, shared.examples], **QUIET).then(show, current, shown, **QUIET)


def label_rows(task: Task, language: str) -> list[list[str]]:
    """The labels as table rows in one language."""
    return [
        [one.id, _in(one.name, language, one.id), _in(one.description, language, ""), _in(one.answer, language, one.id)]
        for one in task.labels
    ]


def edit_task(task: Task, language: str, instruction: str, user: str, rows: list[list[str]]) -> Task:
    """`task` with another prompt and other labels in one language. Raises InputError naming the row."""
    if not instruction.strip():
        raise InputError("The instruction is empty.", "Say in a sentence or two what is asked.")
    if "{text}" not in user:
        raise InputError("The user turn has no {text}.", "Write {text} where the text belongs.")
    filled = [[str(cell or "").strip() for cell in row] for row in rows if any(str(cell or "").strip() for cell in row)]
    if len(filled) < 2:
        raise InputError(f"A task needs two labels or more; there are {len(filled)}.", "Add a row for each label.")
    known = {label.id: label for label in task.labels}
    labels = tuple(_label(number, row, language, known) for number, row in enumerate(filled, 1))
    for what, words in (
        ("label id", [one.id for one in labels]),
        ("answer word", [one.answer[language].casefold() for one in labels]),
    ):
        twice = next((word for word in words if words.count(word) > 1), None)
        if twice:
            raise InputError(f"The {what} “{twice}” stands twice.", "Give each label its own.")
    kept = {one.id for one in labels}
    return replace(
        task,
        id=OWN_TASK,
        name=task.name if task.id == OWN_TASK else f"{task.name}, edited",
        prompts=task.prompts
        | {language: replace(task.prompts.get(language, Prompt("")), instruction=instruction, user=user)},
        labels=labels,
        examples=tuple(example for example in task.examples if example.label in kept),
    )


def _label(number: int, row: list[str], language: str, known: dict[str, Label]) -> Label:
    row = [*row, "", "", "", ""][:4]
    if not row[0]:
        raise InputError(f"Row {number} of the labels has no id.", "Fill in the first column.")
    old = known.get(row[0], Label(row[0], {}, {}, {}))
    name, answer = row[1] or row[0], row[3] or row[1] or row[0]
    return Label(
        row[0],
        old.name | {language: name},
        old.description | {language: row[2] or name},
        old.answer | {language: answer},
    )


def _in(words: dict[str, str], language: str, otherwise: str) -> str:
    return words.get(language) or next(iter(words.values()), otherwise)


def _optional(column: str | None) -> str | None:
    return None if column in (None, "", _NONE) else column
