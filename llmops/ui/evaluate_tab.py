"""The Evaluate tab: a labelled set through the selected candidates or a precision ladder, stopped and resumed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gradio as gr

from llmops.compat.gradio_internals import EventChain
from llmops.core.errors import InputError, LlmopsError
from llmops.data.usable_rows import ReadTexts
from llmops.evaluation.batch_sizes import AnswerMode
from llmops.evaluation.ladder import rungs
from llmops.evaluation.long_texts import count_long_texts, sentence
from llmops.evaluation.runner import EvaluationUpdate, evaluate, resume
from llmops.evaluation.spec import EvaluationSpec
from llmops.report.tables import sentences
from llmops.ui import curve_panel, explain, labelled_upload, render, results, results_panel
from llmops.ui.background import BackgroundJob, Step, follow, wire_stop
from llmops.ui.controls import Controls
from llmops.ui.curve_panel import CurvePanel
from llmops.ui.evaluation_choice import evaluation_choice, refreshed_choice
from llmops.ui.events import QUIET, in_queue
from llmops.ui.labelled_upload import LabelledUpload
from llmops.ui.results_panel import ResultsPanel
from llmops.ui.services import Services


class EvaluationInputs(NamedTuple):
    """What an evaluation asks of its tab: components while the page is built, their values in a callback."""

    repeats: Any  # float | None
    modes: Any  # list[str] of "batched", "verdict_only"
    long_texts: Any  # str of core.long_texts
    ladder_model: Any  # str

    def spec(self, page: Controls, labelled: ReadTexts | None, ladder: bool, services: Services) -> EvaluationSpec:
        """What to evaluate; ladder: one model in every precision, else the page's candidates. Raises InputError."""
        task = page.task()
        examples = labelled.examples if labelled else task.split("test")
        candidates = rungs(self.ladder_model or "") if ladder else page.candidates()
        mode = AnswerMode(batched="batched" in self.modes, verdict_only="verdict_only" in self.modes)
        options = replace(page.options(services), long_texts=self.long_texts)
        return EvaluationSpec(task, examples, candidates, options, int(self.repeats or 1), mode)


@dataclass(frozen=True)
class EvaluateTab:
    """The tab's components. evaluation: the kept one that is shown."""

    upload: LabelledUpload
    inputs: EvaluationInputs
    long_said: gr.HTML
    start: gr.Button
    stop: gr.Button
    ladder: gr.Button
    status: gr.HTML
    evaluation: gr.Dropdown
    resume: gr.Button
    results: ResultsPanel
    curve: CurvePanel
    job: gr.State


def build(services: Services) -> EvaluateTab:
    """Lay out the tab."""
    gr.Markdown(
        "## Evaluate: proof on labelled texts\n\n"
        "Every selected candidate (Past, Present, Future) answers every text, each in the text's own language: local "
        "ones one after the other, remote ones beside them. Each answer is kept as soon as it is there, so an "
        "evaluation that was broken off is resumed without asking a text twice. Texts that a candidate has learnt "
        "from, or that stand in the prompt, are left out."
    )
    explain.build("macro_f1", "interval", "mcnemar", "ece")
    upload = labelled_upload.build(services.settings.public)
    repeats = gr.Number(1, label="Times each text is asked", precision=0, minimum=1, maximum=100, min_width=160)
    modes = gr.CheckboxGroup(
        [
            ("in batches, after a sample that runs alone for its latency", "batched"),
            ("verdict and probabilities only, no explanation", "verdict_only"),
        ],
        value=["batched"],
        label="How local models are asked",
        elem_id="how",
    )
    long_texts = gr.Radio(
        [
            ("are read in windows, averaged", "windows"),
            ("are cut", "cut"),
            ("are left out for every candidate", "leave_out"),
            ("fail", "refuse"),
        ],
        value="windows",
        label="Texts longer than a model reads",
        elem_id="long-texts",
    )
    long_said = gr.HTML(elem_id="long-said", padding=False)
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
    status = gr.HTML(elem_id="evaluate-said", padding=False)
    with gr.Row(equal_height=True):
        evaluation = gr.Dropdown([], label="Kept evaluations", scale=4, min_width=260, elem_id="kept-evaluations")
        resume_button = gr.Button("Resume", scale=0, min_width=110, elem_classes="lo-side", elem_id="resume")
    shown = results_panel.build()
    curve = curve_panel.build()
    inputs = EvaluationInputs(repeats, modes, long_texts, ladder_model)
    return EvaluateTab(
        upload, inputs, long_said, start, stop, ladder, status, evaluation, resume_button, shown, curve, gr.State(None)
    )


def wire(tab: EvaluateTab, opened: gr.Tab, page: gr.Blocks, controls: Controls, services: Services) -> None:
    """Connect the file, running, resuming and what is shown. opened: the tab itself, as for History."""

    def listed(request: gr.Request) -> Any:  # noqa: ANN401
        return evaluation_choice(services, request, None)

    def listed_again(evaluation: int | None, request: gr.Request) -> Any:  # noqa: ANN401
        return refreshed_choice(services, request, evaluation)

    _wire_counting(tab, labelled_upload.wire(tab.upload, tab.status, controls, services), controls, services)
    resumed = _wire_runs(tab, controls, services)
    results_panel.wire(tab.results, tab.evaluation, resumed, services)
    curve_panel.wire(tab.curve, tab.evaluation, controls, services)
    page.load(listed, None, tab.evaluation, **QUIET)
    opened.select(listed_again, tab.evaluation, tab.evaluation, **QUIET)


def _wire_counting(tab: EvaluateTab, changed: list[EventChain], controls: Controls, services: Services) -> None:
    """Which candidates some of a file's texts are too long for: said before the choice what becomes of them."""
    files = len(tab.upload)

    def count(*values: Any) -> str:  # noqa: ANN401
        upload, page = LabelledUpload(*values[:files]), Controls(*values[files:])
        try:
            task, labelled = page.task(), upload.read(page.task(), services.settings)
            examples = labelled.examples if labelled else ()
            counts = count_long_texts(services.pool, task, examples, page.candidates(), page.options(services))
        except LlmopsError:  # said beside the file already
            return ""
        return sentences([sentence(count.candidate, count.to_json()) for count in counts])

    for event in changed:
        event.then(count, [*tab.upload, *controls], tab.long_said, **QUIET)


def _wire_runs(tab: EvaluateTab, controls: Controls, services: Services) -> EventChain:
    """Starting, stopping and resuming; what is returned ends when a resumed evaluation has ended."""

    files, given = len(tab.upload), len(tab.upload) + len(tab.inputs)

    def start(
        ladder: bool, previous: BackgroundJob | None, request: gr.Request, values: tuple[Any, ...]
    ) -> Iterator[list[Any]]:
        upload, inputs = LabelledUpload(*values[:files]), EvaluationInputs(*values[files:given])
        page = Controls(*values[given:])
        try:
            labelled = upload.read(page.task(), services.settings)
            spec, history = inputs.spec(page, labelled, ladder, services), services.history(request)
        except LlmopsError as error:
            yield [previous, render.problem(error), gr.skip()]
            return
        steps = follow(
            services, previous, lambda job: evaluate(services.pool, spec, history, job.stop), page.connection(services)
        )
        yield from _painted(steps, labelled.sentences() if labelled else [], request, services)

    def start_candidates(previous: BackgroundJob | None, request: gr.Request, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        yield from start(False, previous, request, values)

    def start_ladder(previous: BackgroundJob | None, request: gr.Request, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        yield from start(True, previous, request, values)

    def go_on(
        previous: BackgroundJob | None,
        evaluation: int | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        try:
            if evaluation is None:
                raise InputError("No kept evaluation is chosen.", "Choose one.")
            number, history = evaluation, services.history(request)
        except LlmopsError as error:
            yield [previous, render.problem(error), gr.skip()]
            return
        steps = follow(
            services,
            previous,
            lambda job: resume(services.pool, history, number, job),
            Controls(*values).connection(services),
        )
        yield from _painted(steps, [], request, services)

    outputs = [tab.job, tab.status, tab.evaluation]
    inputs = [tab.job, *tab.upload, *tab.inputs, *controls]
    queued = in_queue("evaluate")
    tab.start.click(start_candidates, inputs, outputs, **queued)
    tab.ladder.click(start_ladder, inputs, outputs, **queued)
    resumed = tab.resume.click(go_on, [tab.job, tab.evaluation, *controls], outputs, **queued)
    wire_stop(tab.stop, tab.job)
    return resumed


def _painted(
    steps: Iterator[Step[EvaluationUpdate]], notes: list[str], request: gr.Request, services: Services
) -> Iterator[list[Any]]:
    """The job, how far each candidate is, and at the end the evaluation among the kept ones. notes: on the file."""
    state = results.EvaluationProgress(notes=notes)
    for step in steps:
        if step.result is not None:
            state.take(step.result)
        number = state.begun.evaluation_id if state.begun else None
        ended_well = step.ended and step.error is None
        choice = evaluation_choice(services, request, number) if ended_well else gr.skip()
        yield [step.job, step.status() if step.error or number is None else results.progress(state), choice]
