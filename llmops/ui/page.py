"""The page as a whole: lay out the parts, connect them, and paint runs into the columns."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import gradio as gr

from llmops import __version__
from llmops.catalog.presets import preset_for, presets
from llmops.compare.recorder import Recorder
from llmops.compat import gradio_internals, gradio_page
from llmops.core.candidate import Epoch
from llmops.core.errors import LlmopsError
from llmops.core.request import Connection
from llmops.data.builtin import load_builtin
from llmops.hardware.machine import hardware
from llmops.planning.availability import offers, task_languages
from llmops.public.quotas import QUOTAS
from llmops.ui import (
    api,
    board,
    cloud,
    decide_tab,
    evaluate_tab,
    explain,
    future,
    history_tab,
    language,
    links,
    notices,
    past,
    present,
    probes_tab,
    render,
    selection,
    shared_input,
    sign_in,
    task_panel,
    welcome,
)
from llmops.ui.board import Board, Column
from llmops.ui.cascade_panel import CandidateLists
from llmops.ui.controls import Controls
from llmops.ui.events import QUIET, in_queue
from llmops.ui.language import OWN_WORDS, Page
from llmops.ui.services import Services
from llmops.ui.visitor import asking, visitor_of

_HUB_WAIT_S = 1.0
_EPOCHS = (Epoch.PAST, Epoch.PRESENT, Epoch.FUTURE)
# The tabs lie between Run and its answers: when another run begins, go to where they will be.
_SHOW_RESULTS_JS = """(html) => {
  const run = /data-run="([^"]+)"/.exec(html || "");
  if (!run || run[1] === window.llmopsRun) return;
  window.llmopsRun = run[1];
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  setTimeout(() => document.getElementById("results")?.scrollIntoView({behavior, block: "start"}), 150);
}"""


def build(services: Services) -> gr.Blocks:
    """The page, ready to launch."""
    gradio_internals.keep_light()
    places = services.settings.max_columns
    with Page(title="llm-ops", analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        gr.HTML(language.switch(), padding=False)
        gr.Markdown(
            "# llm-ops\nOne text, three epochs of models, side by side: answers, time and memory.",
            elem_classes="lo-title",
        )
        entrance = sign_in.build()
        start_training = welcome.build()
        noted = notices.build()
        panel = shared_input.build(services)
        tasks = task_panel.build()
        with gr.Row(equal_height=True):
            preset = gr.Dropdown(
                [(p.name, p.id) for p in presets()], value=None, label="Preset for a machine", scale=1, min_width=220
            )
            machine = gr.Textbox(
                label="This machine",
                interactive=False,
                scale=3,
                min_width=260,
                elem_id="machine",
                elem_classes=OWN_WORDS,
            )
        with gr.Tabs():
            with gr.Tab("Past", id="past", elem_id="past"):
                tab_past = past.build(services)
            with gr.Tab("Present", id="present"):
                tab_present = present.build()
            with gr.Tab("Future", id="future"):
                tab_future = future.build()
            with gr.Tab("Evaluate", id="evaluate", elem_id="evaluation") as opened_evaluate:
                tab_evaluate = evaluate_tab.build()
            with gr.Tab("Decide", id="decide", elem_id="decide") as opened_decide:
                tab_decide = decide_tab.build()
            with gr.Tab("Probes", id="probes", elem_id="probes"):
                tab_probes = probes_tab.build()
            with gr.Tab("History", id="history", elem_id="history") as opened_history:
                tab_history = history_tab.build()
        with gr.Column(elem_id="results"):
            summary = gr.HTML(elem_id="summary", padding=False)
            columns = board.build(places)
        explain.build("e2e", "ttft", "tpot", "prefill_decode", "memory", "kv_cache")
        why_not_cloud = cloud.build()
        gr.Markdown(
            f"llm-ops {__version__}. Texts go only to the candidates you select; local ones stay on this machine."
        )
        current = gr.State(None)

        controls = Controls(
            panel.task_id,
            panel.own_task,
            panel.language,
            panel.text,
            tab_past.selection.chosen,
            tab_present.selection.chosen,
            tab_future.selection.chosen,
            panel.max_new_tokens,
            panel.temperature,
            panel.seed,
            panel.truncate,
            panel.all_at_once,
            panel.unload_after,
            panel.local_only,
            tab_present.key,
            tab_present.base_url,
            tab_future.token,
            tab_future.provider,
        )
        sign_in.wire(entrance, page)
        welcome.wire(start_training)
        shared_input.wire(panel)
        task_panel.wire(tasks, panel, services)
        past.wire(tab_past, panel, tab_future.token, services)
        present.wire(tab_present)
        future.wire(tab_future, services)
        evaluate_tab.wire(tab_evaluate, opened_evaluate, page, controls, services)
        lists = CandidateLists(controls.past, controls.present, controls.future)
        decide_tab.wire(tab_decide, opened_decide, lists, services)
        probes_tab.wire(tab_probes, controls, services)
        history_tab.wire(tab_history, opened_history, page, services)
        ended = _wire_runs(services, controls, panel, current, summary, columns)
        cloud.wire(ended, current, why_not_cloud, services)
        _wire_opening(services, page, controls, preset, machine, panel.line, (tab_past, tab_present, tab_future))
        notices.wire(noted, page, services)
        api.wire(services)
    return page


def _wire_runs(
    services: Services,
    controls: Controls,
    panel: shared_input.SharedInput,
    current: gr.State,
    summary: gr.HTML,
    columns: list[Column],
) -> list[gr.events.Dependency]:
    painted = [panel.line, summary, *(component for column in columns for component in column.painted)]
    outputs = [current, panel.problem, *painted]
    measuring = in_queue("measure")

    def run(previous: Board | None, request: gr.Request, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        if previous is not None:
            previous.comparison.stop()
        try:
            comparison = Controls(*values).comparison(services)
            owner = visitor_of(request, services.settings)
            made = Board(comparison, Recorder(services.settings.history_path, owner, "page", comparison))
            with QUOTAS.runs(asking(), len(comparison.candidates), comparison.stop):
                yield [made, "", *made.paint(len(columns))]  # before the start, so that it costs no run anything
                comparison.start()
                yield from follow(made)
        except LlmopsError as error:
            yield [previous, render.problem(error), *[gr.skip()] * len(painted)]

    def follow(made: Board) -> Iterator[list[Any]]:
        for _ in made.follow():
            yield [made, "", *made.paint(len(columns))]
        if trouble := made.recorder.settle():
            yield [made, render.said(trouble), *[gr.skip()] * len(painted)]

    def stop(made: Board | None) -> None:
        if made is not None:
            made.comparison.stop()

    ended = [asked(run, [current, *controls], outputs, **measuring) for asked in (panel.run.click, panel.text.submit)]
    panel.stop.click(stop, current, None, queue=False, **QUIET)
    panel.line.change(None, panel.line, None, js=_SHOW_RESULTS_JS, **QUIET)
    for index, column in enumerate(columns):
        _wire_column(index, column, services, controls, current, outputs, measuring, len(columns))
    return ended


def _wire_column(
    index: int,
    column: Column,
    services: Services,
    controls: Controls,
    current: gr.State,
    outputs: list[Any],
    measuring: dict[str, Any],
    places: int,
) -> None:
    def stop(made: Board | None) -> None:
        if made is not None:
            made.comparison.stop(index)

    def cut(made: Board | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        yield from retry(made, *Controls(*values)._replace(truncate=True))

    def retry(made: Board | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        nothing = [gr.skip()] * len(outputs)
        if made is None or index >= len(made.views):
            yield nothing
            return
        try:
            options = Controls(*values).options(services)
        except LlmopsError as error:
            yield [made, render.problem(error), *nothing[2:]]
            return
        try:
            with ExitStack() as counted:
                if not made.comparison.reading:
                    counted.enter_context(QUOTAS.runs(asking(), 1, made.comparison.stop))
                if made.retry(index, options):  # the run that still paints will paint this too
                    yield nothing
                    return
                for _ in made.follow():
                    yield [made, "", *made.paint(places)]
        except LlmopsError as error:
            yield [made, render.problem(error), *nothing[2:]]
        if trouble := made.recorder.settle():
            yield [made, render.said(trouble), *nothing[2:]]

    column.stop.click(stop, current, None, queue=False, **QUIET)
    column.retry.click(retry, [current, *controls], outputs, **measuring)
    column.cut.click(cut, [current, *controls], outputs, **measuring)


def _wire_opening(
    services: Services,
    page: gr.Blocks,
    controls: Controls,
    preset: gr.Dropdown,
    machine: gr.Textbox,
    line: gr.HTML,
    tabs: tuple[past.Past, present.Present, future.Future],
) -> None:
    """First paint: a link's selection, or the preset of the machine found; then the address follows the selection."""
    chosen = [controls.past, controls.present, controls.future]

    def open_page(request: gr.Request) -> list[Any]:
        query = request.query_params
        reads = language.language_of_request(request)
        found = links.read({name: query.getlist(name) for name in query}, services.settings.max_columns, reads)
        reach = services.hub.in_reach(_HUB_WAIT_S)
        fitting = preset_for(hardware().gpu_bytes, hardware().zerogpu)
        if not found.candidates:
            texts = fitting.hub if reach else fitting.offline
            found = links.Selection(found.task_id, found.language, texts)
        offered = offers(Connection(hf_token=sign_in.token()), reach, services.kept_encoders(asking().owner))
        task = load_builtin(found.task_id)
        asked = gr.update(choices=task_languages(task), value=found.language)
        text = shared_input.example_rows(task, found.language)[0][0]
        lists = [gr.update(choices=selection.choices(offered, e), value=found.of(e)) for e in _EPOCHS]
        tables = [selection.table(offered, e) for e in _EPOCHS]
        hub = {True: "model hub in reach", False: "no model hub in reach", None: "model hub not known yet"}[reach]
        kept = gr.update(choices=list(services.kept_encoders(asking().owner)))
        return [found.task_id, asked, text, *lists, *tables, kept, fitting.id, f"{hardware().describe()}; {hub}"]

    def use_preset(preset_id: str) -> list[list[str]]:
        one = next(p for p in presets() if p.id == preset_id)
        texts = one.hub if services.hub.in_reach(_HUB_WAIT_S) else one.offline
        return [links.Selection("", "", texts).of(epoch) for epoch in _EPOCHS]

    tables = [tab.selection.table for tab in tabs]
    opened = [
        controls.task_id,
        controls.language,
        controls.text,
        *chosen,
        *tables,
        tabs[0].training.kept,
        preset,
        machine,
    ]
    page.load(open_page, None, opened, **QUIET)
    for script in (language.SWITCH_JS, gradio_page.MEND_JS):
        page.load(None, None, None, js=script, **QUIET)
    page.unload(lambda: QUOTAS.session_ended(asking().session))
    preset.input(use_preset, preset, chosen, **QUIET)
    shown = [controls.task_id, controls.language, *chosen]
    gr.on([component.change for component in shown], None, shown, None, js=links.WRITE_JS, **QUIET)
    gr.on([component.change for component in chosen], _selected, chosen, line, **QUIET)


def _selected(*epochs: list[str] | None) -> str:
    """The line beside Run, before it is pressed."""
    return render.selected([text for epoch in epochs for text in epoch or []])
