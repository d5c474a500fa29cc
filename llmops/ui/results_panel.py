"""What a kept evaluation shows: figures and plots, the rows to filter and read, and exports made when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.compat.gradio_internals import EventChain
from llmops.compat.gradio_page import save_js
from llmops.core.errors import LlmopsError
from llmops.history.evaluations import LabelledAnswer
from llmops.report.export import FORMATS, export
from llmops.report.figures import figures
from llmops.ui import render, results
from llmops.ui.downloads import new_folder
from llmops.ui.events import QUIET, toast
from llmops.ui.language import language_of_request
from llmops.ui.results import ANY, Filter
from llmops.ui.services import Services

# Of number, text, language and true label; the verdicts share the rest.
_WIDTHS: list[str | int] = ["52px", "440px", "92px", "110px"]


@dataclass(frozen=True)
class ResultsPanel:
    """The panel's components. number: the page of rows that is shown."""

    metrics: gr.HTML
    which: gr.Radio
    who: gr.Dropdown
    label: gr.Dropdown
    language: gr.Dropdown
    words: gr.Textbox
    rows: gr.Dataframe
    before: gr.Button
    after: gr.Button
    counted: gr.HTML
    number: gr.State
    detail: gr.HTML
    exports: tuple[tuple[gr.Button, gr.DownloadButton], ...]
    export_status: gr.HTML


def build() -> ResultsPanel:
    """Lay out the panel."""
    metrics = gr.HTML(elem_id="metrics", padding=False)
    with gr.Row(equal_height=True):
        which = gr.Radio(
            [("all", "all"), ("disagreements", "disagree"), ("errors", "wrong")],
            value="all",
            label="Rows to show",
            elem_id="which",
            min_width=300,
        )
        who = gr.Dropdown([ANY], value=ANY, label="Errors of", min_width=200, elem_id="who")
        label = gr.Dropdown([ANY], value=ANY, label="True label", min_width=120, elem_id="rows-label")
        language = gr.Dropdown([ANY], value=ANY, label="Language of the text", min_width=120, elem_id="rows-language")
        words = gr.Textbox(label="Search in texts", min_width=200, elem_id="rows-search")
    rows = gr.Dataframe(
        label="Texts and verdicts; click a row to read every answer in full",
        interactive=False,
        wrap=True,
        max_height=420,
        elem_id="rows",
        column_widths=_WIDTHS,
    )
    with gr.Row(equal_height=True):
        before = gr.Button("Previous rows", size="sm", scale=0, min_width=130)
        counted = gr.HTML(elem_id="rows-counted", padding=False)
        after = gr.Button("Next rows", size="sm", scale=0, min_width=130)
    detail = gr.HTML(elem_id="row-detail", padding=False)
    with gr.Row():
        exports = tuple(_export(kind) for kind in FORMATS)
    return ResultsPanel(
        metrics, which, who, label, language, words, rows, before, after, counted, gr.State(0), detail, exports,
        gr.HTML(elem_id="export-said", padding=False),
    )  # fmt: skip


def _export(kind: str) -> tuple[gr.Button, gr.DownloadButton]:
    """The button to press, and the one that holds the file: made only when asked for, since it takes a while."""
    name = "HTML report" if kind == "html" else kind.upper()
    return (
        gr.Button(f"Export {name}", min_width=120),
        gr.DownloadButton(name, elem_id=f"save-{kind}", elem_classes="lo-unseen"),
    )


def wire(panel: ResultsPanel, evaluation: gr.Dropdown, resumed: EventChain, services: Services) -> None:
    """Connect showing, filtering, reading and exporting. resumed: after it, the evaluation has more rows."""

    def show(number: int | None, request: gr.Request) -> list[Any]:
        if number is None:
            return ["", *[gr.update(choices=[ANY], value=ANY)] * 3, *_page([], Filter(), 0), ""]
        try:
            history = services.history(request)
            evaluation, rows = history.evaluations.get(number), history.evaluations.rows(number)
        except LlmopsError as error:
            return [render.problem(error), *[gr.skip()] * 6, ""]
        languages, candidates = ({getattr(row, name): None for row in rows} for name in ("language", "candidate"))
        lists = [gr.update(choices=[ANY, *names], value=ANY) for names in (evaluation.labels, languages, candidates)]
        first = [row for row in rows if row.repeat == 0]
        return [figures(evaluation, rows), *lists, *_page(first, Filter(), 0), ""]

    table = [panel.rows, panel.counted, panel.number]
    shown = [panel.metrics, panel.label, panel.language, panel.who, *table, panel.detail]
    evaluation.change(show, evaluation, shown, **QUIET)
    resumed.then(show, evaluation, shown, **QUIET)
    _wire_rows(panel, evaluation, services)
    for kind, (ask, save) in zip(FORMATS, panel.exports, strict=True):
        _wire_export(kind, ask, save, panel, evaluation, services)


def _wire_rows(panel: ResultsPanel, evaluation: gr.Dropdown, services: Services) -> None:
    """Connect filtering, turning pages and opening a row."""
    chosen = [panel.which, panel.label, panel.language, panel.who, panel.words]
    table = [panel.rows, panel.counted, panel.number]

    def previous_page(number: int | None, page: int, request: gr.Request, *values: str) -> list[Any]:
        return _page(_verdicts(services, number, request), Filter(*values), page - 1)

    def next_page(number: int | None, page: int, request: gr.Request, *values: str) -> list[Any]:
        return _page(_verdicts(services, number, request), Filter(*values), page + 1)

    def refilter(number: int | None, request: gr.Request, *values: str) -> list[Any]:
        return _page(_verdicts(services, number, request), Filter(*values), 0)

    def open_row(number: int | None, event: gr.SelectData, request: gr.Request) -> str:
        place = event.row_value[0] if event.row_value else None
        if number is None or place is None:
            return ""
        return results.answers(services.history(request).evaluations.answers(number, int(place) - 1))

    for component in (panel.which, panel.label, panel.language, panel.who):
        component.input(refilter, [evaluation, *chosen], table, **QUIET)
    panel.words.change(refilter, [evaluation, *chosen], table, trigger_mode="always_last", **QUIET)
    panel.before.click(previous_page, [evaluation, panel.number, *chosen], table, **QUIET)
    panel.after.click(next_page, [evaluation, panel.number, *chosen], table, **QUIET)
    panel.rows.select(open_row, evaluation, panel.detail, **QUIET)


def _wire_export(
    kind: str,
    ask: gr.Button,
    save: gr.DownloadButton,
    panel: ResultsPanel,
    evaluation: gr.Dropdown,
    services: Services,
) -> None:
    def make(number: int | None, request: gr.Request) -> list[Any]:
        if number is None:
            raise gr.Error("Choose an evaluation first.", print_exception=False)
        path = new_folder() / f"evaluation-{number}.{kind}"
        try:
            export(services.history(request), number, path, language=language_of_request(request))
        except LlmopsError as error:
            raise toast(error) from None
        return [str(path), render.message(f"{path.name} is made.")]

    packed = ask.click(make, evaluation, [save, panel.export_status], **{**QUIET, "show_progress": "full"})
    packed.success(None, None, None, js=save_js(f"save-{kind}"), **QUIET)


def _verdicts(services: Services, number: int | None, request: gr.Request) -> list[LabelledAnswer]:
    return [] if number is None else services.history(request).evaluations.verdicts(number)


def _page(rows: Sequence[LabelledAnswer], chosen: Filter, number: int) -> list[Any]:
    table, sentence, page = results.page(rows, chosen, number)
    return [gr.update(value=table), render.message(sentence if rows else ""), page]
