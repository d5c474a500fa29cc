"""Your own task: upload examples and map their columns, or edit instruction and labels. It lives in the session."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.compat.gradio_internals import EventChain
from llmops.core.errors import InputError, LlmopsError
from llmops.core.task import Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.data.columns import ColumnMap
from llmops.data.edited_task import LABEL_COLUMNS, edit_task, label_rows
from llmops.data.own_task import OWN_TASK, read_own_task
from llmops.ui import render
from llmops.ui.controls import pick_task
from llmops.ui.events import QUIET
from llmops.ui.file_columns import FILE_TYPES, chosen_column, column_choices, no_columns, preview
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput, show_task, task_choices

_ROLES = ("text", "label", "language", "split")


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
    status: gr.HTML


def build() -> TaskPanel:
    """Lay out the panel, closed, with the first task in it."""
    first = load_builtin(builtin_ids()[0])
    first_language = first.languages[0]
    prompt = first.prompt(first_language)
    with gr.Accordion("Your own task: upload labelled texts, or edit instruction and labels", open=False):
        with gr.Row():
            file = gr.File(
                label="CSV, XLSX, JSON or Parquet",
                file_types=FILE_TYPES,
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
            label_rows(first, first_language),
            headers=LABEL_COLUMNS,
            datatype="str",
            type="array",
            label="Labels",
            interactive=True,
            wrap=True,
        )
        apply = gr.Button("Use this task")
        status = gr.HTML(elem_id="task-said")
    return TaskPanel(file, (text, label, language, split), use_file, instruction, user, labels, apply, status)


def _column(name: str) -> gr.Dropdown:
    return gr.Dropdown([], label=name, interactive=True)


def wire(panel: TaskPanel, shared: SharedInput, services: Services) -> None:
    """Connect upload, mapping and editing."""

    def show(task_id: str, own: Task | None, language: str) -> tuple[str, str, list[list[str]]]:
        task = pick_task(task_id, own)
        language = task.known_language(language)
        prompt = task.prompt(language)
        return prompt.instruction, prompt.user, label_rows(task, language)

    def edit(
        task_id: str, own: Task | None, language: str, instruction: str, user: str, rows: list[list[str]]
    ) -> list[Any]:
        try:
            edited = edit_task(pick_task(task_id, own), language, instruction, user, rows)
        except LlmopsError as error:
            return [gr.skip(), gr.skip(), render.problem(error)]
        return [*_chosen(edited), render.message("The task is changed for this session.")]

    task = [shared.task_id, shared.own_task, shared.language]
    changed = [shared.own_task, shared.task_id, panel.status]
    editor = [panel.instruction, panel.user, panel.labels]
    gr.on([shared.task_id.change, shared.language.change], show, task, editor, **QUIET)
    # Not own_task.change: Gradio would hash the task, which holds dictionaries.
    used = _wire_file(panel, shared, changed, services)
    applied = panel.apply.click(edit, [*task, *editor], changed, **QUIET)
    for event in (used, applied):
        # A second task of one's own has the first one's id, so that no change of it is told.
        shown = event.then(show_task, task, [shared.language, shared.examples], **QUIET)
        shown.then(show, task, editor, **QUIET)


def _wire_file(panel: TaskPanel, shared: SharedInput, changed: list[Any], services: Services) -> EventChain:
    """Connect upload and mapping; what is returned ends when the file's task is in use. changed: shows that task."""

    def read(path: str | None) -> list[Any]:
        if path is None:
            return [*no_columns(len(_ROLES)), ""]
        try:
            columns = column_choices(path, _ROLES, services.settings)
        except LlmopsError as error:
            return [*no_columns(len(_ROLES)), render.problem(error)]
        sentence = f"{len(columns.table.rows):,} rows read. Check the columns, then use the file."
        return [*columns.updates, render.message(sentence, columns.table.notes) + preview(columns.table)]

    def use_file(
        path: str | None, text: str | None, label: str | None, language: str, split: str, default: str
    ) -> list[Any]:
        try:
            if path is None:
                raise InputError("No file is uploaded.", "Upload a CSV, XLSX, JSON or Parquet file first.")
            mapping = ColumnMap(text, label, chosen_column(language), chosen_column(split))
            found = read_own_task(Path(path), mapping, default, services.settings)
        except LlmopsError as error:
            return [gr.skip(), gr.skip(), render.problem(error)]
        own = found.task
        sentence = f"{len(own.examples):,} texts, {len(own.labels)} labels, in {', '.join(own.languages)}."
        return [*_chosen(own), render.message(sentence, tuple(found.read.sentences()))]

    panel.file.change(read, panel.file, [*panel.columns, panel.status], **QUIET)
    return panel.use_file.click(use_file, [panel.file, *panel.columns, shared.language], changed, **QUIET)


def _chosen(own: Task) -> list[Any]:
    """The visitor's own task, and the list of tasks with it chosen."""
    return [own, gr.update(choices=task_choices(own), value=OWN_TASK)]
