"""The learning curve below an evaluation: how many labelled examples bring an encoder up to its decoders."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from llmops.api.records import CurveWork
from llmops.catalog.models import models
from llmops.core.candidate import EMBEDDED_ENCODER, Kind
from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Job
from llmops.evaluation.curve import CurveSettings, learning_curve
from llmops.history.curves import Curve
from llmops.report.curve import curve
from llmops.ui import render
from llmops.ui.background import MANY, Progress, Work, follow
from llmops.ui.controls import Controls
from llmops.ui.services import Services

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class CurvePanel:
    """The panel's components."""

    base: gr.Dropdown
    method: gr.Radio
    ks: gr.Textbox
    seeds: gr.Number
    draw: gr.Button
    stop: gr.Button
    said: gr.HTML
    shown: gr.HTML
    work: gr.State


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
        said = gr.HTML(elem_id="curve-said", padding=False)
        shown = gr.HTML(elem_id="curve-shown", padding=False)
    return CurvePanel(base, method, ks, seeds, draw, stop, said, shown, gr.State(None))


def wire(panel: CurvePanel, kept: gr.Dropdown, controls: Controls, services: Services) -> None:
    """Connect drawing and stopping."""

    def draw(
        previous: Work | None,
        number: int | None,
        base: str,
        method: str,
        ks: str,
        seeds: float,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        if previous is not None:
            previous.stop.set()
        work = Work()
        try:
            settings = CurveSettings(base or "", method, _numbers(ks), tuple(range(int(seeds or 1))))
            given = Controls(*values)
            connection = given.connection()
            made = CurveWork.of(services.history(request), given.task(), number, settings)
        except LlmopsError as error:
            yield [work, render.problem(error), gr.skip()]
            return

        def make(job: Job) -> Iterator[Any]:
            yield from learning_curve(services.pool, made.task, made.texts, settings, job.asked_with(connection))

        points: list[Any] = []
        problem = ""
        try:
            for item in follow(work, make):
                if isinstance(item, Progress):
                    yield [work, render.progress(item.message, item.fraction or 0.0), gr.skip()]
                else:
                    points.append(item)
                    yield [work, gr.skip(), curve(replace(made.blank, points=tuple(points)))]
        except LlmopsError as error:
            problem = render.problem(error)
        yield [work, problem, *_kept(made, points)]

    def _kept(made: CurveWork, points: list[Any]) -> list[str]:
        if not points:
            return [""]
        try:
            done: Curve = made.keep(points)
        except LlmopsError as error:
            return [render.problem(error) + curve(replace(made.blank, points=tuple(points)))]
        return [curve(done)]

    def stop(work: Work | None) -> None:
        if work is not None:
            work.stop.set()

    asked = [panel.work, kept, panel.base, panel.method, panel.ks, panel.seeds, *controls]
    running = {**_QUIET, "concurrency_id": "evaluate", "concurrency_limit": MANY}
    panel.draw.click(draw, asked, [panel.work, panel.said, panel.shown], **running)
    panel.stop.click(stop, panel.work, None, queue=False, **_QUIET)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError as error:
        raise InputError(f"“{text[:60]}” is no list of whole numbers.", "Write 1, 2, 4, 8.") from error
