"""The Probes tab: how many requests at once (load), and where a finding is missed as the text grows (context)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.api.programs import read_context, read_load
from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Job
from llmops.probes import context, load
from llmops.probes.target import ProbeTarget
from llmops.ui import explain, probe_charts, render
from llmops.ui.background import MANY, Progress, Work, follow
from llmops.ui.controls import Controls
from llmops.ui.services import Services

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_TTFT, _TPOT = "Good: TTFT up to, s", "Good: TPOT up to, s"
_NAMES = {"slo_ttft_s": f"“{_TTFT}”", "slo_tpot_s": f"“{_TPOT}”"}  # of the settings, on this page


@dataclass(frozen=True)
class ProbesTab:
    """The tab's components."""

    candidate: gr.Dropdown
    loop: gr.Radio
    levels: gr.Textbox
    each: gr.Number
    ttft: gr.Number
    tpot: gr.Number
    load: gr.Button
    load_said: gr.HTML
    load_plot: gr.HTML
    load_table: gr.HTML
    lengths: gr.Textbox
    depths: gr.Textbox
    finding: gr.Textbox
    label: gr.Textbox
    context: gr.Button
    context_said: gr.HTML
    context_table: gr.HTML
    context_plot: gr.HTML
    stop: gr.Button
    work: gr.State


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
        load_said = gr.HTML(elem_id="load-said", padding=False)
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
        context_said = gr.HTML(elem_id="context-said", padding=False)
        context_table = gr.HTML(elem_id="context-table", padding=False)
        context_plot = gr.HTML(elem_id="context-plot", padding=False)
    load_parts = (loop, levels, each, ttft, tpot, start_load, load_said, load_plot, load_table)
    context_parts = (lengths, depths, finding, label, start_context, context_said, context_table, context_plot)
    return ProbesTab(candidate, *load_parts, *context_parts, stop, gr.State(None))


def wire(tab: ProbesTab, controls: Controls, services: Services) -> None:
    """Connect both probes; task, language, keys and addresses come from the page's controls."""

    def probe_load(
        previous: Work | None,
        candidate: str,
        loop: str,
        levels: str,
        each: float,
        ttft: float,
        tpot: float,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        def make(job: Job) -> Iterator[Any]:
            page = Controls(*values)
            task = page.task()
            given = {"loop": loop, "levels": _numbers("levels", levels), "requests_each": int(each or 0)}
            given |= {"slo_ttft_s": ttft, "slo_tpot_s": tpot, "language": page.language}
            settings, _ = read_load(given, task, services.settings, names=_NAMES)
            target = ProbeTarget(task, (candidate or "").strip(), page.options(services))
            yield from load.load_probe(services.pool, target, settings, job)

        for work, said, points in _followed(previous, make):
            yield [work, _ended_early(points) or said, probe_charts.latency(points), probe_charts.load(points)]

    def probe_context(
        previous: Work | None,
        candidate: str,
        lengths: str,
        depths: str,
        finding: str,
        label: str,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        def make(job: Job) -> Iterator[Any]:
            page = Controls(*values)
            task = page.task()
            given: dict[str, Any] = {"lengths": _numbers("lengths", lengths), "depths": _numbers("depths", depths)}
            given |= {"finding": finding.strip(), "label": label.strip(), "language": page.language}
            settings, _ = read_context(given, task, services.settings)
            target = ProbeTarget(task, (candidate or "").strip(), page.options(services))
            yield from context.context_probe(services.pool, target, settings, job)

        for work, said, found in _followed(previous, make):
            cells = [one for one in found if isinstance(one, context.Cell)]
            ended = next((one for one in found if isinstance(one, context.EndedEarly)), None)
            yield [work, said, probe_charts.heat(cells, ended), probe_charts.times(cells)]

    def stop(work: Work | None) -> None:
        if work is not None:
            work.stop.set()

    many: dict[str, Any] = {**_QUIET, "concurrency_id": "probe", "concurrency_limit": MANY}
    tab.load.click(
        probe_load,
        [tab.work, tab.candidate, tab.loop, tab.levels, tab.each, tab.ttft, tab.tpot, *controls],
        [tab.work, tab.load_said, tab.load_plot, tab.load_table],
        **many,
    )
    tab.context.click(
        probe_context,
        [tab.work, tab.candidate, tab.lengths, tab.depths, tab.finding, tab.label, *controls],
        [tab.work, tab.context_said, tab.context_table, tab.context_plot],
        **many,
    )
    tab.stop.click(stop, tab.work, None, queue=False, **_QUIET)


def _followed(previous: Work | None, make: Any) -> Iterator[tuple[Work, str, list[Any]]]:  # noqa: ANN401
    """(work, what to say, results so far) at each step; results are kept after an error and a stop."""
    if previous is not None:
        previous.stop.set()
    work = Work()
    said = render.said("starting")
    yield work, said, work.results
    try:
        for item in follow(work, make):
            if isinstance(item, Progress):
                said = render.progress(item.message, item.fraction or 0)
            else:
                work.results.append(item)
            yield work, said, work.results
    except LlmopsError as error:
        yield work, render.problem(error), work.results
        return
    yield work, render.said("Done."), work.results


def _ended_early(points: list[load.LoadPoint]) -> str:
    """What to say after a level that nobody answered, which is the last one; empty otherwise."""
    if not points or points[-1].stopped or points[-1].failures < points[-1].requests:
        return ""
    return render.said("Ended early: no request of the last level was answered. Why is below the table.")


def _numbers(name: str, text: str) -> list[float]:
    try:
        found = [float(part) for part in (text or "").replace(";", ",").split(",") if part.strip()]
    except ValueError as error:
        raise InputError(f"The {name} are “{text[:80]}”.", "Write numbers with commas between: 1, 2, 4.") from error
    return [int(one) if one == int(one) else one for one in found]
