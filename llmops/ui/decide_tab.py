"""The Decide tab: one kept evaluation, limits and prices in; verdict, Pareto plot, cost, break-even, energy out."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.compat.gradio_page import save_js
from llmops.core.errors import LlmopsError
from llmops.decision.board import Board, make_board
from llmops.evaluation.metrics import Metrics, measure
from llmops.history.store import History
from llmops.report import decision, spending
from llmops.report.export import export
from llmops.ui import cascade_panel, decide_inputs, explain, render
from llmops.ui.cascade_panel import CascadePanel, Chosen
from llmops.ui.decide_inputs import Wishes
from llmops.ui.downloads import new_folder
from llmops.ui.evaluation_choice import titles
from llmops.ui.events import QUIET
from llmops.ui.language import language_of_request
from llmops.ui.services import Services

_EMPTY = ["", "", "", "", gr.skip(), gr.skip(), "", ""]


@dataclass(frozen=True)
class DecideTab:
    """The tab's components."""

    kept: gr.Dropdown
    wishes: Wishes
    said: gr.HTML
    verdict: gr.HTML
    plot: gr.HTML
    table: gr.HTML
    costs: gr.HTML
    own: gr.Dropdown
    api: gr.Dropdown
    even: gr.HTML
    energy: gr.HTML
    report: gr.Button
    save: gr.DownloadButton
    cascade: CascadePanel

    @property
    def shown(self) -> list[Any]:
        """What a decision fills, in its order."""
        return [self.said, self.verdict, self.plot, self.table, self.costs, self.own, self.api, self.even, self.energy]


def build() -> DecideTab:
    """Lay out the tab."""
    gr.Markdown(
        "## Decide: limits first, then what is left\n\n"
        "From an evaluation that was kept (the Evaluate tab makes one): who is ruled out and why, quality against what "
        "it takes, and a verdict made of these figures alone. Nothing is run again."
    )
    explain.build("pareto", "cascade")
    kept = gr.Dropdown([], label="Evaluation to decide on", elem_id="decide-evaluation")
    wishes = decide_inputs.build()
    said = gr.HTML(elem_id="decide-said", padding=False)
    verdict = gr.HTML(elem_id="verdict", padding=False)
    plot = gr.HTML(elem_id="pareto", padding=False)
    table = gr.HTML(elem_id="decision", padding=False)
    gr.Markdown("### Cost of 1,000 requests")
    costs = gr.HTML(elem_id="costs", padding=False)
    with gr.Row():
        own = gr.Dropdown([], label="Own machine", elem_id="break-even-own", min_width=240)
        api = gr.Dropdown([], label="Against this API", elem_id="break-even-api", min_width=240)
    even = gr.HTML(elem_id="break-even", padding=False)
    gr.Markdown("### Energy of 1,000 requests")
    energy = gr.HTML(elem_id="energy", padding=False)
    report = gr.Button("Report with this decision (HTML)", elem_id="decision-report")
    save = gr.DownloadButton("Report", elem_id="save-decision", elem_classes="lo-unseen")
    panel = cascade_panel.build()
    return DecideTab(kept, wishes, said, verdict, plot, table, costs, own, api, even, energy, report, save, panel)


def wire(tab: DecideTab, opened: gr.Tab, chosen: Chosen, services: Services) -> None:
    """Connect. opened: the tab itself, so that evaluations made meanwhile are listed; chosen: the three selections."""

    def list_kept(kept: int | None, request: gr.Request) -> Any:  # noqa: ANN401
        try:
            choices = titles(services, request)
        except LlmopsError as error:
            raise gr.Error(render.toast(error), print_exception=False) from None
        ids = [number for _, number in choices]
        value = kept if kept in ids else next(iter(ids), None)
        return gr.update(choices=choices, value=value)

    def board(kept: int, values: tuple[Any, ...], request: gr.Request) -> Board:
        store = services.history(request)
        found, rows = store.evaluation(kept), store.rows(kept)
        known = measured(store.path, store.owner, kept, found.created, len(rows))
        return make_board(found, rows, Wishes(*values).given(), known)

    def show(
        kept: int | None,
        own: str | None,
        api: str | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> list[Any]:
        if kept is None:
            return [render.said("Evaluate first: then there is something to decide on."), *_EMPTY]
        try:
            made = board(kept, values, request)
        except LlmopsError as error:
            return [render.problem(error), *[gr.skip()] * len(_EMPTY)]
        owns, apis = ([one.candidate for one in costs] for costs in (made.owns, made.apis))
        mine = own if own in owns else made.decision.choice if made.decision.choice in owns else next(iter(owns), None)
        other = api if api in apis else next(iter(apis), None)
        return [
            "",
            decision.verdict(made),
            decision.pareto(made),
            decision.candidates(made),
            spending.costs(made),
            gr.update(choices=owns, value=mine),
            gr.update(choices=apis, value=other),
            spending.break_even(made, mine or "", other or ""),
            spending.energies(made),
        ]

    def redraw(
        kept: int | None,
        own: str | None,
        api: str | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> str:
        try:
            return spending.break_even(board(kept, values, request), own or "", api or "") if kept is not None else ""
        except LlmopsError as error:
            return render.problem(error)

    def make_report(kept: int | None, request: gr.Request, *values: Any) -> str:  # noqa: ANN401
        if kept is None:
            raise gr.Error("Choose an evaluation first.", print_exception=False)
        path = new_folder() / f"decision-{kept}.html"
        try:
            made = decision.whole(board(kept, values, request))
            export(services.history(request), kept, path, made, language_of_request(request))
        except LlmopsError as error:
            raise gr.Error(render.toast(error), print_exception=False) from None
        return str(path)

    asked = [tab.kept, tab.own, tab.api, *tab.wishes]
    opened.select(list_kept, tab.kept, tab.kept, **QUIET)
    triggers = [tab.kept.change, *(one.change for one in tab.wishes)]
    gr.on(triggers, show, asked, tab.shown, trigger_mode="always_last", **QUIET)
    gr.on([tab.own.input, tab.api.input], redraw, asked, tab.even, trigger_mode="always_last", **QUIET)
    made = tab.report.click(make_report, [tab.kept, *tab.wishes], tab.save, **QUIET)
    made.success(None, None, None, js=save_js("save-decision"), **QUIET)
    cascade_panel.wire(tab.cascade, tab.kept, tab.wishes, chosen, services)


@lru_cache(maxsize=8)
def measured(path: Path, owner: str, kept: int, created: str, count: int) -> tuple[Metrics, ...]:
    """An evaluation's metrics; once for as long as it has no more rows, since each move of a slider asks for them."""
    store = History(path, owner)
    return tuple(measure(store.rows(kept), store.evaluation(kept).labels))
