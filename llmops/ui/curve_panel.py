"""The learning curve below an evaluation: how many labelled examples bring an encoder up to its decoders."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from llmops.catalog.models import models
from llmops.core.candidate import EMBEDDED_ENCODER, Kind
from llmops.core.errors import LlmopsError
from llmops.core.request import Job
from llmops.core.typed_numbers import whole_numbers
from llmops.evaluation.curve import CurveSettings, learning_curve
from llmops.evaluation.curve_work import CurveWork
from llmops.history.curves import CurvePoint
from llmops.report.curve import curve
from llmops.ui import render
from llmops.ui.background import BackgroundJob, follow, wire_stop
from llmops.ui.controls import Controls
from llmops.ui.events import in_queue
from llmops.ui.services import Services


class CurveInputs(NamedTuple):
    """What a curve asks of its panel: components while the page is built, their values in a callback."""

    base: Any  # str
    method: Any  # str
    ks: Any  # str, numbers as typed
    seeds: Any  # float | None, how many

    def settings(self) -> CurveSettings:
        """Raises InputError."""
        seeds = tuple(range(int(self.seeds or 1)))
        return CurveSettings.read(
            {"base": self.base or "", "method": self.method, "ks": whole_numbers(self.ks), "seeds": seeds}
        )


@dataclass(frozen=True)
class CurvePanel:
    """The panel's components."""

    inputs: CurveInputs
    draw: gr.Button
    stop: gr.Button
    status: gr.HTML
    plot: gr.HTML
    job: gr.State


def build() -> CurvePanel:
    """Lay out the panel."""
    with gr.Accordion("Learning curve: how many labels buy parity?", open=False, elem_id="curve"):
        gr.Markdown(
            "An encoder learns from k examples a class of the task's pool, several times each, and is scored on "
            "held-out texts: those of the evaluation shown above, with its decoders as lines, else the task's own."
        )
        with gr.Row(equal_height=True):
            base = gr.Dropdown(
                [spec.id for spec in models() if spec.kind == Kind.ENCODER],
                value=EMBEDDED_ENCODER,
                allow_custom_value=True,
                label="Base encoder of the curve",
                min_width=240,
            )
            method = gr.Radio(["few-shot", "setfit"], value="few-shot", label="How it learns", min_width=200)
            ks = gr.Textbox("1, 2, 4, 8, 16, 32", label="k, examples a class", min_width=180)
            seeds = gr.Number(3, label="Seeds for each k", precision=0, minimum=1, maximum=20, min_width=120)
        with gr.Row():
            draw = gr.Button("Draw the curve", scale=3, elem_id="draw-curve")
            stop = gr.Button("Stop the curve", scale=1)
        status = gr.HTML(elem_id="curve-said", padding=False)
        plot = gr.HTML(elem_id="curve-shown", padding=False)
    return CurvePanel(CurveInputs(base, method, ks, seeds), draw, stop, status, plot, gr.State(None))


def wire(panel: CurvePanel, evaluation: gr.Dropdown, controls: Controls, services: Services) -> None:
    """Connect drawing and stopping. evaluation: the kept one whose texts and decoders are taken."""
    count = len(panel.inputs)

    def draw(
        previous: BackgroundJob | None,
        evaluation: int | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        inputs, page = CurveInputs(*values[:count]), Controls(*values[count:])
        try:
            settings = inputs.settings()
            work = CurveWork.of(services.history(request), page.task(), evaluation, settings)
        except LlmopsError as error:
            yield [previous, render.problem(error), gr.skip()]
            return

        def points(job: Job) -> Iterator[CurvePoint]:
            yield from learning_curve(services.pool, work.task, work.texts, settings, job)

        for step in follow(services, previous, points, page.connection(services)):
            if step.ended:
                yield [step.job, *_kept(work, step.results, step.status())]
            else:
                plot = curve(work.with_points(step.results)) if step.result is not None else gr.skip()
                yield [step.job, step.status(), plot]

    inputs = [panel.job, evaluation, *panel.inputs, *controls]
    panel.draw.click(draw, inputs, [panel.job, panel.status, panel.plot], **in_queue("evaluate"))
    wire_stop(panel.stop, panel.job)


def _kept(work: CurveWork, points: list[CurvePoint], status: str) -> list[str]:
    """What stands below the inputs at the end; whatever was measured is kept, after an error and a stop too."""
    if not points:
        return [status, ""]
    try:
        return [status, curve(work.keep(points))]
    except LlmopsError as error:
        return [status, render.problem(error) + curve(work.with_points(points))]
