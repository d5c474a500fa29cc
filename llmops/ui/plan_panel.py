"""Will it fit, in the Future tab: the planner's table and drawings, and the dry run that measures a shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.api.programs import make_plan
from llmops.catalog.architectures import architectures
from llmops.core.candidate import EMBEDDED_DECODER
from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Connection, Job
from llmops.planning.architecture import find_config
from llmops.sizing import memory
from llmops.ui import charts, render, sign_in
from llmops.ui.background import MANY, Progress, Work, follow
from llmops.ui.services import Services

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class PlanPanel:
    """The panel's components."""

    model: gr.Dropdown
    precision: gr.Radio
    context: gr.Number
    requests: gr.Number
    plan: gr.Button
    said: gr.HTML
    curve: gr.HTML
    layers: gr.Number
    prompt: gr.Number
    measure: gr.Button
    stop: gr.Button
    measured: gr.HTML
    work: gr.State


def build() -> PlanPanel:
    """Lay out the panel."""
    with gr.Accordion("Will it fit? Memory, speed and price on every GPU", open=False, elem_id="planning"):
        with gr.Row():
            model = gr.Dropdown(
                [EMBEDDED_DECODER, *(row.id for row in architectures())],
                value="meta-llama/Llama-3.1-70B-Instruct",
                allow_custom_value=True,
                label="Model to plan for",
                info="Catalogue or hub id, or a folder; only its configuration is read.",
                scale=3,
                min_width=260,
            )
            precision = gr.Radio(list(memory.PRECISIONS), value="nf4", label="In precision", scale=3, min_width=260)
            context = gr.Number(8192, label="Context, tokens", precision=0, min_width=120)
            requests = gr.Number(1, label="Requests at once", precision=0, min_width=120)
        plan = gr.Button("Plan", variant="primary", elem_id="plan")
        said = gr.HTML(elem_id="plan-said", padding=False)
        curve = gr.HTML(elem_id="plan-curves", padding=False)
        gr.Markdown(
            "**Dry run**: the same shape with random weights, measured on this machine. With fewer layers, a slice is "
            "measured and stretched to the whole."
        )
        with gr.Row(equal_height=True):
            layers = gr.Number(2, label="Layers to measure (0: all)", precision=0, min_width=160)
            prompt = gr.Number(128, label="Prompt tokens", precision=0, min_width=120)
            measure = gr.Button("Dry run", elem_id="dry-run", min_width=120, elem_classes="lo-side")
            stop = gr.Button("Stop dry run", min_width=120, elem_classes="lo-side")
        measured = gr.HTML(elem_id="dry-run-said", padding=False)
    work = gr.State(None)
    return PlanPanel(
        model, precision, context, requests, plan, said, curve, layers, prompt, measure, stop, measured, work
    )


def wire(panel: PlanPanel, token: gr.Textbox, services: Services) -> None:
    """Connect planning and measuring; the token is for gated configurations."""

    def show_plan(model: str, precision: str, context: float, requests: float, token: str) -> list[Any]:
        try:
            counts = (_whole("context", context), _whole("requests", requests))
            connection = Connection(hf_token=sign_in.token_of(token))
            made, shape = make_plan(model or "", precision, *counts, connection=connection)
        except LlmopsError as error:
            return [render.problem(error), ""]
        return [charts.plan(made), charts.memory(made, shape)]

    def show_dry_run(
        previous: Work | None, model: str, precision: str, layers: float, prompt: float, token: str
    ) -> Iterator[list[Any]]:
        from llmops.planning.dry_run import dry_run

        if previous is not None:
            previous.stop.set()
        work = Work()

        def make(job: Job) -> Iterator[Any]:
            config = find_config(model or "", Connection(hf_token=sign_in.token_of(token)))
            counts = {"layers": _whole("layers", layers) or None, "prompt_tokens": _whole("prompt tokens", prompt)}
            yield dry_run(model, config, precision, job, pool=services.pool, **counts)  # type: ignore[arg-type]

        yield [work, render.said("starting")]
        try:
            for item in follow(work, make):
                if isinstance(item, Progress):
                    yield [work, render.progress(item.message, item.fraction or 0)]
                else:
                    yield [work, charts.dry_run(item)]
        except LlmopsError as error:
            yield [work, render.problem(error)]

    def stop(work: Work | None) -> None:
        if work is not None:
            work.stop.set()

    asked = [panel.model, panel.precision]
    panel.plan.click(show_plan, [*asked, panel.context, panel.requests, token], [panel.said, panel.curve], **_QUIET)
    panel.measure.click(
        show_dry_run,
        [panel.work, *asked, panel.layers, panel.prompt, token],
        [panel.work, panel.measured],
        concurrency_id="probe",
        concurrency_limit=MANY,
        **_QUIET,
    )
    panel.stop.click(stop, panel.work, None, queue=False, **_QUIET)


def _whole(name: str, value: float | None) -> int:
    if value is None or value != int(value):
        raise InputError(f"{name} is a whole number.", f"Fill in {name}.")
    return int(value)
