"""The Probes tab: how many requests at once (load), and where a finding is missed as the text grows (context)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import gradio as gr

from llmops.core.request import Job
from llmops.core.typed_numbers import numbers
from llmops.probes.context import Cell, EndedEarly, GivenContext, context_probe
from llmops.probes.load import GivenLoad, LoadPoint, load_probe
from llmops.probes.target import ProbeTarget
from llmops.ui import explain, probe_charts, render
from llmops.ui.background import BackgroundJob, Step, follow, wire_stop
from llmops.ui.controls import Controls
from llmops.ui.events import in_queue
from llmops.ui.services import Services

_TTFT, _TPOT = "Good: TTFT up to, s", "Good: TPOT up to, s"
Inputs = TypeVar("Inputs", "LoadInputs", "ContextInputs")
_NAMES = {"slo_ttft_s": f"“{_TTFT}”", "slo_tpot_s": f"“{_TPOT}”"}  # of the settings, on this page


class LoadInputs(NamedTuple):
    """What a load probe asks of its tab: components while the page is built, their values in a callback."""

    candidate: Any  # str
    loop: Any  # str
    levels: Any  # str, numbers as typed
    requests_each: Any  # float | None
    ttft_s: Any  # float | None
    tpot_s: Any

    def given(self, language: str) -> dict[str, Any]:
        """As the object that `GivenLoad` reads. Raises InputError."""
        return {
            "loop": self.loop,
            "levels": numbers("levels", self.levels),
            "requests_each": int(self.requests_each or 0),
            "slo_ttft_s": self.ttft_s,
            "slo_tpot_s": self.tpot_s,
            "language": language,
        }


class ContextInputs(NamedTuple):
    """The same of a context probe."""

    candidate: Any  # str
    lengths: Any  # str, numbers as typed
    depths: Any
    finding: Any  # str
    label: Any  # str

    def given(self, language: str) -> dict[str, Any]:
        """As the object that `GivenContext` reads. Raises InputError."""
        return {
            "lengths": numbers("lengths", self.lengths),
            "depths": numbers("depths", self.depths),
            "finding": self.finding.strip(),
            "label": self.label.strip(),
            "language": language,
        }


@dataclass(frozen=True)
class ProbesTab:
    """The tab's components."""

    load_inputs: LoadInputs
    load: gr.Button
    load_status: gr.HTML
    load_plot: gr.HTML
    load_table: gr.HTML
    context_inputs: ContextInputs
    context: gr.Button
    context_status: gr.HTML
    context_table: gr.HTML
    context_plot: gr.HTML
    stop: gr.Button
    job: gr.State


def build() -> ProbesTab:
    """Lay out the tab."""
    gr.Markdown(
        "## Probes: many requests, long texts\n\n"
        "Both probes send real requests to one candidate, with the task and language chosen above, and measure on this "
        "side. Keys and addresses are those of the other tabs. A local model answers parallel requests as one batch."
    )
    explain.build("loops", "percentiles", "context")
    with gr.Row(equal_height=True):
        candidate = gr.Dropdown(
            ["embedded/decoder@bf16"],
            value="embedded/decoder@bf16",
            allow_custom_value=True,
            label="Candidate to probe",
            info="Any candidate text, such as embedded/decoder@nf4 or openai/model.",
            elem_id="probe-candidate",
            scale=4,
        )
        stop = gr.Button("Stop probe", scale=0, min_width=160, elem_id="stop-probe", elem_classes="lo-side")
    with gr.Accordion("Load: requests at once", open=True):
        with gr.Row():
            loop = gr.Radio(
                [("closed: users", "closed"), ("open: arrivals a second", "open")],
                value="closed",
                label="Loop",
                min_width=240,
            )
            levels = gr.Textbox(
                "1, 2, 4, 8", label="Levels", info="Users, or arrivals a second.", min_width=160, elem_id="probe-levels"
            )
            each = gr.Number(16, label="Requests a level", precision=0, min_width=120)
            ttft = gr.Number(2.0, label=_TTFT, min_width=140)
            tpot = gr.Number(0.1, label=_TPOT, min_width=140)
        start_load = gr.Button("Probe load", variant="primary", elem_id="probe-load")
        load_status = gr.HTML(elem_id="load-said", padding=False)
        load_plot = gr.HTML(elem_id="load-plot", padding=False)
        load_table = gr.HTML(elem_id="load-table", padding=False)
    with gr.Accordion("Context: the same finding in growing text", open=True):
        with gr.Row():
            lengths = gr.Textbox("64, 128, 256, 512, 1024", label="Lengths, tokens", min_width=220)
            depths = gr.Textbox(
                "0, 0.25, 0.5, 0.75, 1",
                label="Depths",
                info="0 is the start, 1 the end.",
                min_width=200,
                elem_id="probe-depths",
            )
        with gr.Row():
            finding = gr.Textbox(
                label="Finding to hide", placeholder="The task's first held-out example", scale=3, min_width=240
            )
            label = gr.Textbox(label="Its label id", placeholder="positive", scale=1, min_width=140)
        start_context = gr.Button("Probe context", variant="primary", elem_id="probe-context")
        context_status = gr.HTML(elem_id="context-said", padding=False)
        context_table = gr.HTML(elem_id="context-table", padding=False)
        context_plot = gr.HTML(elem_id="context-plot", padding=False)
    load_inputs = LoadInputs(candidate, loop, levels, each, ttft, tpot)
    context_inputs = ContextInputs(candidate, lengths, depths, finding, label)
    return ProbesTab(
        load_inputs, start_load, load_status, load_plot, load_table,
        context_inputs, start_context, context_status, context_table, context_plot, stop, gr.State(None),
    )  # fmt: skip


def wire(tab: ProbesTab, controls: Controls, services: Services) -> None:
    """Connect both probes; task, language, keys and addresses come from the page's controls."""

    def probe_load(previous: BackgroundJob | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        inputs, page = _parted(LoadInputs, values)

        def probe(job: Job) -> Iterator[LoadPoint]:
            settings = GivenLoad.within(inputs.given(page.language), services.settings, called=_NAMES)
            yield from load_probe(services.pool, _target(inputs.candidate, page, services), settings, job)

        for step in follow(services, previous, probe, page.connection(services)):
            points = step.results
            yield [step.job, _load_status(step), probe_charts.latency(points), probe_charts.load(points)]

    def probe_context(previous: BackgroundJob | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        inputs, page = _parted(ContextInputs, values)

        def probe(job: Job) -> Iterator[Cell | EndedEarly]:
            settings = GivenContext.within(inputs.given(page.language), services.settings)
            yield from context_probe(services.pool, _target(inputs.candidate, page, services), settings, job)

        for step in follow(services, previous, probe, page.connection(services)):
            cells = [result for result in step.results if isinstance(result, Cell)]
            ended = next((result for result in step.results if isinstance(result, EndedEarly)), None)
            yield [step.job, step.status("Done."), probe_charts.heat(cells, ended), probe_charts.times(cells)]

    queued = in_queue("probe")
    load_outputs = [tab.job, tab.load_status, tab.load_plot, tab.load_table]
    tab.load.click(probe_load, [tab.job, *tab.load_inputs, *controls], load_outputs, **queued)
    context_outputs = [tab.job, tab.context_status, tab.context_table, tab.context_plot]
    tab.context.click(probe_context, [tab.job, *tab.context_inputs, *controls], context_outputs, **queued)
    wire_stop(tab.stop, tab.job)


def _parted(kind: type[Inputs], values: tuple[Any, ...]) -> tuple[Inputs, Controls]:
    """The tab's own values, and the page's behind them."""
    count = len(kind._fields)
    return kind(*values[:count]), Controls(*values[count:])


def _target(candidate: str | None, page: Controls, services: Services) -> ProbeTarget:
    return ProbeTarget(page.task(), (candidate or "").strip(), page.options(services))


def _load_status(step: Step[LoadPoint]) -> str:
    """How it is going; after a level that nobody answered, which is the last one, that."""
    last = step.results[-1] if step.results else None
    if last is None or last.stopped or last.failures < last.requests:
        return step.status("Done.")
    return render.message("Ended early: no request of the last level was answered. Why is below the table.")
