"""The one shared input: task, language, text with examples to click, and how the runs are made."""

from dataclasses import dataclass

import gradio as gr

from llmops.core.errors import InputError
from llmops.core.task import Task
from llmops.data.builtin import builtin_ids, load_builtin
from llmops.data.own_task import OWN_TASK
from llmops.planning.availability import task_languages
from llmops.ui.controls import pick_task
from llmops.ui.events import QUIET, toast
from llmops.ui.services import Services

_EXAMPLES = 6


@dataclass(frozen=True)
class SharedInput:
    """The panel's components. own_task is session state: Task or None."""

    task_id: gr.Dropdown
    own_task: gr.State
    language: gr.Radio
    text: gr.Textbox
    examples: gr.Dataset
    run: gr.Button
    stop: gr.Button
    line: gr.HTML
    problem: gr.HTML
    max_new_tokens: gr.Slider
    temperature: gr.Slider
    seed: gr.Number
    long_texts: gr.Radio
    all_at_once: gr.Checkbox
    unload_after: gr.Checkbox
    local_only: gr.Checkbox


def build(services: Services) -> SharedInput:
    """Lay out the panel."""
    first = load_builtin(builtin_ids()[0])
    with gr.Row():
        task_id = gr.Dropdown(task_choices(None), value=first.id, label="Task", elem_id="task", min_width=260)
        language = gr.Radio(
            task_languages(first), value=first.languages[0], label="Language", elem_id="language", min_width=200
        )
    rows = example_rows(first, first.languages[0])
    text = gr.Textbox(
        rows[0][0],  # so that Run works at once
        label="Text",
        lines=3,
        max_lines=12,
        placeholder="Type or paste a text, or click an example.",
        elem_id="text",
    )
    examples = gr.Dataset(
        components=[gr.Textbox(visible=False)],
        samples=rows,
        label="Examples (held out: no encoder is trained on them)",
        samples_per_page=_EXAMPLES,
        type="values",
    )
    with gr.Row(elem_id="run-bar", equal_height=True):
        run = gr.Button("Run", variant="primary", elem_id="run", scale=2, min_width=120)
        stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=90)
        line = gr.HTML(elem_id="run-line", padding=False)
    problem = gr.HTML(elem_id="problem", padding=False)
    local_only = gr.Checkbox(
        False,
        label="Nothing leaves this machine",
        info="Blocks every API and hosted model, in runs, evaluations and probes. Servers on this machine stay usable.",
        elem_id="local-only",
    )
    with gr.Accordion("Run settings", open=False):
        with gr.Row():
            limit = services.settings.max_new_tokens
            max_new_tokens = gr.Slider(1, limit, value=96, step=1, label="Max new tokens")
            temperature = gr.Slider(
                0, 2, value=0, step=0.05, label="Temperature", info="0: always the likeliest token."
            )
            seed = gr.Number(0, label="Seed", precision=0, minimum=0)
        with gr.Row():
            long_texts = gr.Radio(
                [("fail", "refuse"), ("are cut", "cut"), ("are read in windows, averaged", "windows")],
                value="refuse",
                label="Texts longer than a model reads",
                min_width=300,
            )
            all_at_once = gr.Checkbox(
                False,
                label="Local models all at once",
                info="Quicker to the last answer, but the times disturb each other.",
                visible=not services.settings.public,  # at other visitors' cost
            )
            unload_after = gr.Checkbox(
                False,
                label="Unload after each run",
                info="Frees memory and shows what stays behind; the next run loads again.",
                visible=not services.settings.public,
            )
    return SharedInput(
        task_id,
        gr.State(None),
        language,
        text,
        examples,
        run,
        stop,
        line,
        problem,
        max_new_tokens,
        temperature,
        seed,
        long_texts,
        all_at_once,
        unload_after,
        local_only,
    )


def wire(panel: SharedInput) -> None:
    """Connect task and language to the examples, and an example to the text."""

    def show_language(task_id: str, own: Task | None, language: str) -> object:
        task = pick_task(task_id, own)
        return gr.update(samples=example_rows(task, task.known_language(language)))

    inputs = [panel.task_id, panel.own_task, panel.language]
    panel.task_id.change(show_task, inputs, [panel.language, panel.examples], **QUIET)
    panel.language.change(show_language, inputs, panel.examples, **QUIET)
    panel.examples.click(lambda row: row[0], panel.examples, panel.text, **QUIET)


def show_task(task_id: str, own: Task | None, language: str) -> tuple[object, object]:
    """The languages and the examples of the task that is chosen. Raises gr.Error."""
    try:
        task = pick_task(task_id, own)
    except InputError as error:
        raise toast(error) from None
    language = task.known_language(language)
    radio = gr.update(choices=task_languages(task), value=language)
    return radio, gr.update(samples=example_rows(task, language))


def task_choices(own: Task | None) -> list[tuple[str, str]]:
    """(name, id) of the tasks that can be chosen."""
    builtin = [(load_builtin(task_id).name, task_id) for task_id in builtin_ids()]
    return builtin + ([(f"{own.name} (yours)", OWN_TASK)] if own else [])


def example_rows(task: Task, language: str) -> list[list[str]]:
    """Texts to click, as rows of the examples' list."""
    return [[text] for text in task.examples_to_show(language, _EXAMPLES)]
