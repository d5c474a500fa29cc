"""Will it fit, in the Future tab: the planner's table and drawings, and the dry run that measures a shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.api.planning import make_plan
from llmops.catalog.architectures import architectures
from llmops.core.candidate import EMBEDDED_DECODER
from llmops.core.errors import LlmopsError
from llmops.core.request import Connection, Job
from llmops.core.typed_numbers import whole_number
from llmops.planning.architecture import find_config
from llmops.planning.dry_run import dry_run
from llmops.planning.dry_run_record import DryRun
from llmops.planning.settings import GivenDryRun, GivenPlan
from llmops.sizing import memory
from llmops.ui import charts, render, sign_in
from llmops.ui.background import BackgroundJob, follow, wire_stop
from llmops.ui.events import QUIET, in_queue
from llmops.ui.services import Services


@dataclass(frozen=True)
class PlanPanel:
    """The panel's components."""

    model: gr.Dropdown
    precision: gr.Radio
    context: gr.Number
    requests: gr.Number
    plan: gr.Button
    figures: gr.HTML
    curves: gr.HTML
    layers: gr.Number
    prompt: gr.Number
    measure: gr.Button
    stop: gr.Button
    measured: gr.HTML
    job: gr.State


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
        figures = gr.HTML(elem_id="plan-said", padding=False)
        curves = gr.HTML(elem_id="plan-curves", padding=False)
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
    return PlanPanel(
        model,
        precision,
        context,
        requests,
        plan,
        figures,
        curves,
        layers,
        prompt,
        measure,
        stop,
        measured,
        gr.State(None),
    )


def wire(panel: PlanPanel, token: gr.Textbox, services: Services) -> None:
    """Connect planning and measuring; the token is for gated configurations."""

    def show_plan(model: str, precision: str, context: float, requests: float, token: str) -> list[str]:
        try:
            given = {"model": model or "", "precision": precision, "context": context, "requests": requests}
            plan, shape = make_plan(services.settings, GivenPlan.read(given), _connection(services, token))
        except LlmopsError as error:
            return [render.problem(error), ""]
        return [charts.planned(plan), charts.memory(plan, shape)]

    def show_dry_run(
        previous: BackgroundJob | None, model: str, precision: str, layers: float, prompt: float, token: str
    ) -> Iterator[list[Any]]:
        def measure(job: Job) -> Iterator[DryRun]:
            config = find_config(model or "", job.connection, services.settings)
            count, prompt_tokens = whole_number("layers", layers) or None, whole_number("prompt tokens", prompt)
            given = {"model": model, "precision": precision, "layers": count, "prompt_tokens": prompt_tokens}
            yield dry_run(GivenDryRun.read(given), config, services.pool, job)

        for step in follow(services, previous, measure, _connection(services, token)):
            measured = charts.dry_run(step.results[0]) if step.results and step.error is None else step.status()
            yield [step.job, measured]

    model = [panel.model, panel.precision]
    counts = [panel.context, panel.requests]
    panel.plan.click(show_plan, [*model, *counts, token], [panel.figures, panel.curves], **QUIET)
    inputs = [panel.job, *model, panel.layers, panel.prompt, token]
    panel.measure.click(show_dry_run, inputs, [panel.job, panel.measured], **in_queue("probe"))
    wire_stop(panel.stop, panel.job)


def _connection(services: Services, token: str) -> Connection:
    return Connection(owner=services.asking().owner, hf_token=sign_in.token_of(token))
