"""The Evaluate tab: a labelled set through the selected candidates or a precision ladder, stopped and resumed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Job
from llmops.core.task import Task
from llmops.data.columns import ColumnMap, guess_columns
from llmops.data.labelled import LabelledTexts, read_labelled
from llmops.data.reading import read_table
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.ladder import rungs
from llmops.evaluation.runner import Begun, Ended, evaluate, resume
from llmops.evaluation.runner import Progress as TextProgress
from llmops.evaluation.spec import EvaluationSpec
from llmops.history.store import Evaluation
from llmops.ui import curve_panel, explain, render, results, results_panel
from llmops.ui.background import MANY, Progress, Work, follow
from llmops.ui.controls import Controls, pick_task
from llmops.ui.curve_panel import CurvePanel
from llmops.ui.results_panel import ResultsPanel
from llmops.ui.services import Services

Make = Callable[[Job], Iterator[Any]]
_NONE = "(none)"
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class EvaluateTab:
    """The tab's components. columns: text, label and language of the file. kept: the evaluation that is shown."""

    file: gr.File
    columns: tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown]
    repeats: gr.Number
    how: gr.CheckboxGroup
    start: gr.Button
    stop: gr.Button
    ladder_model: gr.Dropdown
    ladder: gr.Button
    said: gr.HTML
    kept: gr.Dropdown
    resume: gr.Button
    results: ResultsPanel
    curve: CurvePanel
    work: gr.State


def build() -> EvaluateTab:
    """Lay out the tab."""
    gr.Markdown(
        "## Evaluate: proof on labelled texts\n\n"
        "Every selected candidate (Past, Present, Future) answers every text, each in the text's own language: local "
        "ones one after the other, remote ones beside them. Each answer is kept as soon as it is there, so an "
        "evaluation that was broken off is resumed without asking a text twice. Texts that a candidate has learnt "
        "from, or that stand in the prompt, are left out."
    )
    explain.build("macro_f1", "interval", "mcnemar", "ece")
    with gr.Row():
        file = gr.File(
            label="Labelled texts (CSV, XLSX, JSONL); none: the task's held-out split",
            file_types=[".csv", ".tsv", ".xlsx", ".jsonl"],
            height=170,
            elem_classes="lo-file",
            scale=3,
        )
        with gr.Column(scale=2, min_width=260):
            with gr.Row():
                columns = tuple(
                    gr.Dropdown([], label=name, interactive=True, min_width=120)
                    for name in ("Column of the text", "of the label", "of the language")
                )
            repeats = gr.Number(1, label="Times each text is asked", precision=0, minimum=1, maximum=100, min_width=160)
    how = gr.CheckboxGroup(
        [
            ("in batches, after a sample that runs alone for its latency", "batched"),
            ("verdict and probabilities only, no explanation", "verdict_only"),
        ],
        value=["batched"],
        label="How local models are asked",
        elem_id="how",
    )
    with gr.Row():
        start = gr.Button("Evaluate", variant="primary", scale=3, elem_id="evaluate")
        stop = gr.Button("Stop evaluation", scale=1, elem_id="stop-evaluation")
    with (
        gr.Accordion("Precision ladder: one local model in every precision", open=False),
        gr.Row(equal_height=True),
    ):
        ladder_model = gr.Dropdown(
            ["embedded/decoder", "embedded/encoder?method=few-shot"],
            value="embedded/decoder",
            allow_custom_value=True,
            label="Model (fp32, bf16, int8 and nf4; encoders fp32 and int8)",
            scale=3,
            min_width=260,
        )
        ladder = gr.Button("Evaluate the ladder", scale=1, elem_id="ladder", elem_classes="lo-side")
    said = gr.HTML(elem_id="evaluate-said", padding=False)
    with gr.Row(equal_height=True):
        kept = gr.Dropdown([], label="Kept evaluations", scale=4, min_width=260, elem_id="kept-evaluations")
        go_on = gr.Button("Resume", scale=0, min_width=110, elem_classes="lo-side", elem_id="resume")
    shown = results_panel.build()
    curve = curve_panel.build()
    text, label, language = columns
    return EvaluateTab(
        file, (text, label, language), repeats, how, start, stop, ladder_model, ladder, said, kept, go_on, shown, curve,
        gr.State(None),
    )  # fmt: skip


def wire(tab: EvaluateTab, opened: gr.Tab, page: gr.Blocks, controls: Controls, services: Services) -> None:
    """Connect the file, running, resuming and what is shown. opened: the tab itself, as for History."""

    def read(path: str | None, task_id: str, own: Task | None) -> list[Any]:
        """The columns as their names suggest, and what is wrong with the rows then."""
        empty = [gr.update(choices=[], value=None)] * 3
        if path is None:
            return [*empty, ""]
        try:
            table = read_table(Path(path), services.settings)
        except LlmopsError as error:
            return [*empty, render.problem(error)]
        names, guess = list(table.columns), guess_columns(table.columns)
        language = guess.language or _NONE
        mapped = [
            gr.update(choices=names, value=guess.text),
            gr.update(choices=names, value=guess.label),
            gr.update(choices=[_NONE, *names], value=language),
        ]
        return [*mapped, check(path, guess.text, guess.label, language, task_id, own)]

    def check(
        path: str | None, text: str | None, label: str | None, language: str | None, task_id: str, own: Task | None
    ) -> str:
        """What the rows give with these columns."""
        try:
            labelled = _labelled(path, (text, label, language), pick_task(task_id, own), services)
        except LlmopsError as error:
            return render.problem(error)
        return (
            render.said(f"{len(labelled.examples):,} texts can be evaluated.", labelled.sentences()) if labelled else ""
        )

    def begin(
        previous: Work | None,
        make: Make,
        request: gr.Request,
        notes: list[str],
    ) -> Iterator[list[Any]]:
        if previous is not None:
            previous.stop.set()
        work, state = Work(), results.Run(notes=notes)
        yield [work, render.said("starting"), gr.skip()]
        try:
            for item in follow(work, make):
                if isinstance(item, Begun | TextProgress | Ended):
                    state.take(item)
                if not isinstance(item, Progress):
                    yield [work, results.progress(state), gr.skip()]
        except LlmopsError as error:
            yield [work, render.problem(error), gr.skip()]
            return
        number = state.begun.evaluation_id if state.begun else None
        yield [work, results.progress(state), _choices(services, request, number)]

    def start(ladder: bool) -> Any:  # noqa: ANN401
        def run(
            previous: Work | None,
            file: str | None,
            text: str | None,
            label: str | None,
            language: str | None,
            repeats: float,
            how: list[str],
            model: str,
            request: gr.Request,
            *values: Any,  # noqa: ANN401
        ) -> Iterator[list[Any]]:
            try:
                chosen = Controls(*values)
                task = chosen.task()
                labelled = _labelled(file, (text, label, language), task, services)
                examples = labelled.examples if labelled else task.split("test")
                candidates = rungs(model or "") if ladder else chosen.candidates()
                options, history = chosen.options(services), services.history(request)
            except LlmopsError as error:
                yield [previous, render.problem(error), gr.skip()]
                return

            def make(job: Job) -> Iterator[Any]:
                mode = AnswerMode(batched="batched" in how, verdict_only="verdict_only" in how)
                spec = EvaluationSpec(task, examples, candidates, options, int(repeats or 1), mode)
                yield from evaluate(services.pool, spec, history, job.stop)

            yield from begin(previous, make, request, labelled.sentences() if labelled else [])

        return run

    def go_on(
        previous: Work | None,
        kept: int | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        if kept is None:
            error = InputError("No kept evaluation is chosen.", "Choose one.")
            yield [previous, render.problem(error), gr.skip()]
            return

        def make(job: Job) -> Iterator[Any]:
            job = job.asked_with(Controls(*values).connection())
            yield from resume(services.pool, services.history(request), kept, job)

        yield from begin(previous, make, request, [])

    def listed(request: gr.Request) -> Any:  # noqa: ANN401
        return _choices(services, request, None)

    def listed_again(kept: int | None, request: gr.Request) -> Any:  # noqa: ANN401
        """What was made meanwhile is listed too; the one that is shown stays, unless it was deleted."""
        found = _choices(services, request, None)
        there = kept in [number for _, number in found["choices"]]
        return gr.update(choices=found["choices"]) if there else found

    def stop(work: Work | None) -> None:
        if work is not None:
            work.stop.set()

    running = {**_QUIET, "concurrency_id": "evaluate", "concurrency_limit": MANY}
    told = [tab.work, tab.said, tab.kept]
    asked = [tab.work, tab.file, *tab.columns, tab.repeats, tab.how, tab.ladder_model, *controls]
    tab.file.change(read, [tab.file, controls.task_id, controls.own_task], [*tab.columns, tab.said], **_QUIET)
    for column in tab.columns:
        column.input(check, [tab.file, *tab.columns, controls.task_id, controls.own_task], tab.said, **_QUIET)
    tab.start.click(start(False), asked, told, **running)
    tab.ladder.click(start(True), asked, told, **running)
    resumed = tab.resume.click(go_on, [tab.work, tab.kept, *controls], told, **running)
    tab.stop.click(stop, tab.work, None, queue=False, **_QUIET)
    results_panel.wire(tab.results, tab.kept, resumed, services)
    curve_panel.wire(tab.curve, tab.kept, controls, services)
    page.load(listed, None, tab.kept, **_QUIET)
    opened.select(listed_again, tab.kept, tab.kept, **_QUIET)


def _labelled(
    file: str | None, columns: tuple[str | None, ...], task: Task, services: Services
) -> LabelledTexts | None:
    """The uploaded set, every sound row of it; None: the task's held-out split. Raises TaskFileError."""
    if file is None:
        return None
    text, label, language = (None if column == _NONE else column for column in columns)
    mapping = ColumnMap(text, label, language) if text and label else None
    return read_labelled(Path(file), task, services.settings, mapping)


def _choices(services: Services, request: gr.Request, chosen: int | None) -> Any:  # noqa: ANN401
    try:
        found = services.history(request).evaluations()
    except LlmopsError:
        return gr.update(choices=[], value=None)
    return gr.update(choices=[(title(one), one.id) for one in found], value=chosen)


def title(one: Evaluation) -> str:
    """An evaluation in a line."""
    head = f"{one.id} · {one.created[:16].replace('T', ' ')} · {one.task_name} · {len(one.candidates)} candidates"
    if one.origin:
        head = f"{one.origin}: {head} · {one.machine}"
    return f"{head} · {one.note[:60]}" if one.note else head
