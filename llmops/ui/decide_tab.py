"""The Decide tab: one kept evaluation, limits and prices in; verdict, Pareto plot, cost, break-even, energy out."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.compat.gradio_page import save_js
from llmops.core.errors import LlmopsError
from llmops.decision.decision_report import DecisionReport
from llmops.decision.kept_decision import break_even_pair, kept_decision_report
from llmops.report import decision, spending
from llmops.report.export import export
from llmops.ui import cascade_panel, decide_inputs, explain, render
from llmops.ui.cascade_panel import CandidateLists, CascadePanel
from llmops.ui.decide_inputs import DecisionInputs
from llmops.ui.downloads import new_folder
from llmops.ui.evaluation_choice import titles
from llmops.ui.events import QUIET, toast
from llmops.ui.language import language_of_request
from llmops.ui.services import Services

_NOTHING = ["", "", "", "", gr.skip(), gr.skip(), "", ""]  # of all but the status


@dataclass(frozen=True)
class DecideTab:
    """The tab's components."""

    evaluation: gr.Dropdown
    inputs: DecisionInputs
    status: gr.HTML
    verdict: gr.HTML
    plot: gr.HTML
    table: gr.HTML
    costs: gr.HTML
    own: gr.Dropdown
    api: gr.Dropdown
    break_even: gr.HTML
    energy: gr.HTML
    report: gr.Button
    save: gr.DownloadButton
    cascade: CascadePanel

    @property
    def shown(self) -> list[Any]:
        """What a decision fills, in its order."""
        figures = [self.verdict, self.plot, self.table, self.costs]
        return [self.status, *figures, self.own, self.api, self.break_even, self.energy]


def build() -> DecideTab:
    """Lay out the tab."""
    gr.Markdown(
        "## Decide: limits first, then what is left\n\n"
        "From an evaluation that was kept (the Evaluate tab makes one): who is ruled out and why, quality against what "
        "it takes, and a verdict made of these figures alone. Nothing is run again."
    )
    explain.build("pareto", "cascade")
    evaluation = gr.Dropdown([], label="Evaluation to decide on", elem_id="decide-evaluation")
    inputs = decide_inputs.build()
    status = gr.HTML(elem_id="decide-said", padding=False)
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
    cascade = cascade_panel.build()
    return DecideTab(
        evaluation, inputs, status, verdict, plot, table, costs, own, api, even, energy, report, save, cascade
    )


def wire(tab: DecideTab, opened: gr.Tab, lists: CandidateLists, services: Services) -> None:
    """Connect. opened: the tab itself, so that evaluations made meanwhile are listed; lists: the three selections."""

    def list_kept(evaluation: int | None, request: gr.Request) -> Any:  # noqa: ANN401
        try:
            choices = titles(services, request)
        except LlmopsError as error:
            raise toast(error) from None
        ids = [number for _, number in choices]
        return gr.update(choices=choices, value=evaluation if evaluation in ids else next(iter(ids), None))

    def show(
        evaluation: int | None,
        own: str | None,
        api: str | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> list[Any]:
        if evaluation is None:
            return [render.message("Evaluate first: then there is something to decide on."), *_NOTHING]
        try:
            report = kept_decision_report(services.history(request), evaluation, DecisionInputs(*values).given())
        except LlmopsError as error:
            return [render.problem(error), *[gr.skip()] * len(_NOTHING)]
        return ["", *_painted(report, *break_even_pair(report, own, api))]

    def redraw(
        evaluation: int | None,
        own: str | None,
        api: str | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> str:
        if evaluation is None:
            return ""
        try:
            report = kept_decision_report(services.history(request), evaluation, DecisionInputs(*values).given())
            return spending.break_even(report, own or "", api or "")
        except LlmopsError as error:
            return render.problem(error)

    inputs = [tab.evaluation, tab.own, tab.api, *tab.inputs]
    opened.select(list_kept, tab.evaluation, tab.evaluation, **QUIET)
    changes = [tab.evaluation.change, *(component.change for component in tab.inputs)]
    gr.on(changes, show, inputs, tab.shown, trigger_mode="always_last", **QUIET)
    gr.on([tab.own.input, tab.api.input], redraw, inputs, tab.break_even, trigger_mode="always_last", **QUIET)
    _wire_report(tab, services)
    cascade_panel.wire(tab.cascade, tab.evaluation, tab.inputs, lists, services)


def _wire_report(tab: DecideTab, services: Services) -> None:
    """Connect the report: made when asked for, then saved."""

    def make_report(evaluation: int | None, request: gr.Request, *values: Any) -> str:  # noqa: ANN401
        if evaluation is None:
            raise gr.Error("Choose an evaluation first.", print_exception=False)
        path = new_folder() / f"decision-{evaluation}.html"
        history = services.history(request)
        try:
            report = kept_decision_report(history, evaluation, DecisionInputs(*values).given())
            export(history, evaluation, path, decision.whole(report), language_of_request(request))
        except LlmopsError as error:
            raise toast(error) from None
        return str(path)

    report = tab.report.click(make_report, [tab.evaluation, *tab.inputs], tab.save, **QUIET)
    report.success(None, None, None, js=save_js("save-decision"), **QUIET)


def _painted(report: DecisionReport, own: str, api: str) -> list[Any]:
    """A decision as all but the first of `DecideTab.shown`. own, api: the pair whose break-even is drawn."""
    return [
        decision.verdict(report),
        decision.pareto(report),
        decision.candidates(report),
        spending.costs(report),
        gr.update(choices=[cost.candidate for cost in report.owns], value=own or None),
        gr.update(choices=[cost.candidate for cost in report.apis], value=api or None),
        spending.break_even(report, own, api),
        spending.energies(report),
    ]
