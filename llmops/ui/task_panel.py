"""Your own task: out of labelled texts or a task file, edited, and saved as a file. It lives in the session."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.compat.gradio_internals import EventChain
from llmops.compat.gradio_page import save_js
from llmops.core.errors import LlmopsError
from llmops.core.task import Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.data.columns import ROLES as _ROLES
from llmops.data.edited_task import LABEL_COLUMNS, edit_task, label_rows
from llmops.data.own_task import OWN_TASK, own_task
from llmops.data.reading import FILE_TYPES
from llmops.data.task_files import read_task, write_task
from llmops.ui import render, uploaded_file
from llmops.ui.controls import pick_task
from llmops.ui.downloads import new_folder
from llmops.ui.events import QUIET
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput, show_task, task_choices
from llmops.ui.uploaded_file import UploadedFile, chosen_columns, column

_TASK_FILE = ".toml"


@dataclass(frozen=True)
class TaskPanel:
    """The panel's components; columns are text, label, language and split. save is unseen: `export` clicks it."""

    file: UploadedFile
    columns: tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Dropdown]
    use_file: gr.Button
    instruction: gr.Textbox
    user: gr.Textbox
    labels: gr.Dataframe
    apply: gr.Button
    export: gr.Button
    save: gr.DownloadButton
    status: gr.HTML


def build(services: Services) -> TaskPanel:
    """Lay out the panel, closed, with the first task in it."""
    first = load_builtin(builtin_ids()[0])
    first_language = first.languages[0]
    prompt = first.prompt(first_language)
    with gr.Accordion("Your own task: upload labelled texts, or edit instruction and labels", open=False):
        with gr.Row():
            file = uploaded_file.build(
                "CSV, XLSX, JSON, Parquet, or a task file (TOML)", services.settings.public, (*FILE_TYPES, _TASK_FILE)
            )
            with gr.Column():
                with gr.Row():
                    text, label = column("Text column"), column("Label column")
                with gr.Row():
                    language, split = column("Language column"), column("Split column (pool or test)")
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
        with gr.Row():
            apply = gr.Button("Use this task", scale=2)
            export = gr.Button("Save the task as a file", scale=1, elem_id="export-task")
            save = gr.DownloadButton("task.toml", elem_id="save-task", elem_classes="lo-unseen")
        status = gr.HTML(elem_id="task-said")
    columns = (text, label, language, split)
    return TaskPanel(file, columns, use_file, instruction, user, labels, apply, export, save, status)


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
    used = _wire_file(panel, changed, services)
    applied = panel.apply.click(edit, [*task, *editor], changed, **QUIET)
    for event in (*used, applied):
        # A second task of one's own has the first one's id, so that no change of it is told.
        shown = event.then(show_task, task, [shared.language, shared.examples], **QUIET)
        shown.then(show, task, editor, **QUIET)
    _wire_export(panel, [*task, *editor])


def _wire_export(panel: TaskPanel, edited: list[Any]) -> None:
    """The task as it stands in the editor, as one file."""

    def export(
        task_id: str, own: Task | None, language: str, instruction: str, user: str, rows: list[list[str]]
    ) -> tuple[Any, Any]:
        try:
            task = edit_task(pick_task(task_id, own), language, instruction, user, rows)
        except LlmopsError as error:
            return gr.skip(), render.problem(error)
        path = new_folder() / "task.toml"
        write_task(task, path)
        return str(path), ""

    packed = panel.export.click(export, edited, [panel.save, panel.status], **QUIET)
    packed.success(None, None, None, js=save_js("save-task"), **QUIET)


def _wire_file(panel: TaskPanel, changed: list[Any], services: Services) -> list[EventChain]:
    """Connect upload and mapping; what is returned ends when a file's task is in use. changed: shows that task."""
    limits = services.settings

    def read(file: UploadedFile) -> list[Any]:
        """A table's columns to choose from; a task file is in use at once."""
        nothing, skipped = uploaded_file.no_choices(_ROLES), [gr.skip(), gr.skip()]
        if not file.is_given:
            return [*nothing, *skipped, ""]
        try:
            if file.path is not None and file.path.endswith(_TASK_FILE):
                task = replace(read_task(Path(file.path), limits), id=OWN_TASK)
                return [*nothing, *_chosen(task), _said(task, ())]
            found = uploaded_file.choices(file, _ROLES, limits)
        except LlmopsError as error:
            return [*nothing, *skipped, render.problem(error)]
        sentence = f"{len(found.table.rows):,} rows read. Check the columns, then use the file."
        said = render.message(sentence, found.table.notes) + uploaded_file.preview(found.table)
        return [*found.updates, *skipped, said]

    def read_new(*values: Any) -> list[Any]:  # noqa: ANN401
        return read(UploadedFile(*values).anew())

    def read_again(*values: Any) -> list[Any]:  # noqa: ANN401
        return read(UploadedFile(*values))

    def use_file(*values: Any) -> list[Any]:  # noqa: ANN401
        file, columns = UploadedFile(*values[: len(panel.file)]), values[len(panel.file) :]
        try:
            found = own_task(file.table(limits), file.name, chosen_columns(_ROLES, columns), None)
        except LlmopsError as error:
            return [gr.skip(), gr.skip(), render.problem(error)]
        return [*_chosen(found.task), _said(found.task, found.read.sentences())]

    offered, given = [*panel.file.choices, *panel.columns, *changed], list(panel.file)
    uploaded = [
        event(read_new, given, offered, **QUIET) for event in (panel.file.path.change, panel.file.dataset.submit)
    ]
    for choice in panel.file.choices:
        choice.input(read_again, given, offered, **QUIET)
    used = panel.use_file.click(use_file, [*given, *panel.columns], changed, **QUIET)
    return [*uploaded, used]


def _said(own: Task, notes: Sequence[str]) -> str:
    """What a task holds, and notes on its file."""
    sentence = f"{len(own.examples):,} texts, {len(own.labels)} labels, in {', '.join(own.languages)}."
    return render.message(sentence, notes) + uploaded_file.label_counts(example.label for example in own.examples)


def _chosen(own: Task) -> list[Any]:
    """The visitor's own task, and the list of tasks with it chosen."""
    return [own, gr.update(choices=task_choices(own), value=OWN_TASK)]
