"""The labelled texts of an evaluation: a file, its columns, and what words of its own mean among the task's labels."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from llmops.compat.gradio_internals import EventChain
from llmops.core.errors import LlmopsError
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.data.columns import complete_columns
from llmops.data.label_words import likely_labels, unknown_words
from llmops.data.labelled import label_by_word, to_labelled
from llmops.data.table import Table
from llmops.data.usable_rows import ReadTexts
from llmops.ui import render, uploaded_file
from llmops.ui.controls import Controls, pick_task
from llmops.ui.events import QUIET
from llmops.ui.services import Services
from llmops.ui.uploaded_file import UploadedFile, chosen_columns

_ROLES = ("text", "label", "language")


class LabelledUpload(NamedTuple):
    """Components while the page is built, their values in a callback."""

    path: Any  # see UploadedFile
    sheet: Any
    encoding: Any
    sample: Any
    dataset: Any
    text: Any  # str | None, a column's name
    label: Any
    language: Any
    words: Any  # list[str], each a word and a label as JSON

    @property
    def file(self) -> UploadedFile:
        """The file and how it is read."""
        return UploadedFile(self.path, self.sheet, self.encoding, self.sample, self.dataset)

    @property
    def columns(self) -> tuple[Any, Any, Any]:
        """Which column is what, as _ROLES."""
        return self.text, self.label, self.language

    def read(self, task: Task, limits: Settings) -> ReadTexts | None:
        """Every sound row; None without a file: the task's held-out split. Raises InputError and TaskFileError."""
        return self.of_table(self.file.table(limits), task) if self.file.is_given else None

    def of_table(self, table: Table, task: Task) -> ReadTexts:
        """The same of a table that is read already."""
        label_words = dict(json.loads(pair) for pair in self.words or ())
        mapping = complete_columns(table, chosen_columns(_ROLES, self.columns))  # Evaluate may come before the guess
        return to_labelled(table, mapping, task, label_words)


def build(is_public: bool) -> LabelledUpload:
    """Lay out file, columns and words."""
    with gr.Row():
        file = uploaded_file.build(
            "Labelled texts (CSV, XLSX, JSON, Parquet); none: the task's held-out split", is_public
        )
        with gr.Column(min_width=260), gr.Row():
            text, label, language = map(uploaded_file.column, ("Column of the text", "of the label", "of the language"))
    words = gr.Dropdown(
        [],
        multiselect=True,
        interactive=True,
        visible=False,
        label="Words of the file that are no label of the task: what they mean",
        elem_id="label-words",
    )
    return LabelledUpload(*file, text, label, language, words)


def wire(upload: LabelledUpload, status: gr.HTML, controls: Controls, services: Services) -> list[EventChain]:
    """Connect the upload and its choices; what is returned ends when other texts are given. status: what rows give."""
    callbacks = _Callbacks(services.settings)
    task = [controls.task_id, controls.own_task]
    file = upload.file
    offered = [*file.choices, *upload.columns, upload.words, status]
    news = (file.path.change, file.dataset.submit)
    changed = [event(callbacks.read_new, [*file, *task], offered, **QUIET) for event in news]
    changed += [choice.input(callbacks.read_again, [*file, *task], offered, **QUIET) for choice in file.choices]
    mapped = [upload.words, status]
    changed += [column.input(callbacks.map_columns, [*upload, *task], mapped, **QUIET) for column in upload.columns]
    # The task's labels decide which words are unknown.
    changed.append(controls.task_id.change(callbacks.map_columns, [*upload, *task], mapped, **QUIET))
    changed.append(upload.words.input(callbacks.map_words, [*upload, *task], status, **QUIET))
    return changed


@dataclass(frozen=True)
class _Callbacks:
    limits: Settings

    def read_new(self, *values: Any) -> list[Any]:  # noqa: ANN401
        """Another file: how it is read is chosen anew."""
        return self._read(UploadedFile(*values[:-2]).anew(), *values[-2:])

    def read_again(self, *values: Any) -> list[Any]:  # noqa: ANN401
        """The same file, another sheet, encoding or sample."""
        return self._read(UploadedFile(*values[:-2]), *values[-2:])

    def _read(self, file: UploadedFile, task_id: str, own: Task | None) -> list[Any]:
        """Columns and words as they are likely meant, and what the rows give then."""
        if not file.is_given:
            return [*uploaded_file.no_choices(_ROLES), _no_words(), ""]
        try:
            found = uploaded_file.choices(file, _ROLES, self.limits)
            task = pick_task(task_id, own)
        except LlmopsError as error:
            return [*uploaded_file.no_choices(_ROLES), _no_words(), render.problem(error)]
        text, label, language = found.columns
        words, chosen = _with_words(LabelledUpload(*file, text, label, language, []), found.table, task)
        return [*found.updates, words, _said(chosen, found.table, task)]

    def map_columns(self, *values: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """Other columns, or another task: other words may be unknown then."""
        return self._mapped(values, with_words=True)

    def map_words(self, *values: Any) -> Any:  # noqa: ANN401
        """What the rows give with other meanings of the words."""
        return self._mapped(values, with_words=False)[1]

    def _mapped(self, values: tuple[Any, ...], with_words: bool) -> tuple[Any, Any]:
        chosen, (task_id, own) = LabelledUpload(*values[:-2]), values[-2:]
        if not chosen.file.is_given:
            return _no_words(), gr.skip()
        try:
            task, table = pick_task(task_id, own), chosen.file.table(self.limits)
        except LlmopsError as error:
            return gr.skip(), render.problem(error)
        words, chosen = _with_words(chosen, table, task) if with_words else (gr.skip(), chosen)
        return words, _said(chosen, table, task)


def _with_words(chosen: LabelledUpload, table: Table, task: Task) -> tuple[Any, LabelledUpload]:
    """The update of the words' choices, and the upload with what they likely mean."""
    try:
        unknown = unknown_words(table, chosen_columns(_ROLES, chosen.columns), label_by_word(task))
    except LlmopsError:  # columns that don't go together: said with the rows
        return _no_words(), chosen._replace(words=[])
    if not unknown or len(task.labels) > len(unknown) * 20:
        return _no_words(), chosen._replace(words=[])
    likely = [json.dumps(pair) for pair in likely_labels(unknown, task).items()]
    pairs = [
        (f"{word} ({rows:,}) → {label}", json.dumps([word, label]))
        for word, rows in unknown.items()
        for label in task.label_ids
    ]
    return gr.update(choices=pairs, value=likely, visible=True), chosen._replace(words=likely)


def _no_words() -> Any:  # noqa: ANN401
    return gr.update(choices=[], value=[], visible=False)


def _said(chosen: LabelledUpload, table: Table, task: Task) -> str:
    """What the rows give with these columns and words."""
    try:
        labelled = chosen.of_table(table, task)
    except LlmopsError as error:
        return render.problem(error) + uploaded_file.preview(table)
    said = render.message(f"{len(labelled.examples):,} texts can be evaluated.", labelled.sentences())
    counts = uploaded_file.label_counts(example.label for example in labelled.examples)
    return said + counts + uploaded_file.preview(table)
