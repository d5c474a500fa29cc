"""The History tab: what was kept, to open, replay, lay side by side, annotate, delete, take in and hand out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.compare.replay import views
from llmops.compat.gradio_page import save_js
from llmops.core.errors import InputError, LlmopsError
from llmops.evaluation.side_by_side import side_by_side
from llmops.history.exchange import hand_out, take_in
from llmops.history.store import History
from llmops.report.curve import curve
from llmops.report.figures import figures
from llmops.report.kept_lists import kept_table
from llmops.report.ladder import beside
from llmops.report.page import how_made
from llmops.report.tables import more
from llmops.report.titles import machine_title
from llmops.ui import render
from llmops.ui.downloads import new_folder
from llmops.ui.events import QUIET
from llmops.ui.replay import replayed
from llmops.ui.services import Services

_KINDS = [("evaluations", "evaluation"), ("single comparisons", "comparison"), ("learning curves", "curve")]


@dataclass(frozen=True)
class HistoryTab:
    """The tab's components. opened: the id of what is shown, of the chosen kind."""

    kind: gr.Radio
    refresh: gr.Button
    rows: gr.Dataframe
    status: gr.HTML
    note: gr.Textbox
    keep_note: gr.Button
    delete: gr.Button
    shown: gr.HTML
    first: gr.Dropdown
    second: gr.Dropdown
    set_beside: gr.Button
    beside: gr.HTML
    file: gr.File
    hand_out: gr.Button
    save: gr.DownloadButton
    opened: gr.State


def build() -> HistoryTab:
    """Lay out the tab."""
    gr.Markdown(
        "## History\n\n"
        "Comparisons, evaluations and learning curves are kept with machine, library versions, settings and seed. "
        "Click a row to open it; a comparison is replayed as it was painted."
    )
    with gr.Row(equal_height=True):
        kind = gr.Radio(_KINDS, value="evaluation", label="Show", scale=4, elem_id="history-kind")
        refresh = gr.Button("Refresh", scale=0, min_width=110, elem_classes="lo-side", elem_id="history-refresh")
    rows = gr.Dataframe(
        label="Kept", interactive=False, wrap=True, max_height=320, show_search="filter", elem_id="history-found"
    )
    status = gr.HTML(elem_id="history-said", padding=False)
    with gr.Row(equal_height=True):
        note = gr.Textbox(label="Note on what is open", scale=4, min_width=260, elem_id="history-note")
        keep_note = gr.Button("Keep note", scale=0, min_width=130, elem_classes="lo-side")
        delete = gr.Button("Delete it", scale=0, min_width=130, elem_classes="lo-side", elem_id="history-delete")
    shown = gr.HTML(elem_id="history-shown", padding=False)
    gr.Markdown("### Two evaluations side by side: another day, another setting, another machine")
    with gr.Row(equal_height=True):
        first = gr.Dropdown([], label="A", scale=3, min_width=240, elem_id="history-a")
        second = gr.Dropdown([], label="B", scale=3, min_width=240, elem_id="history-b")
        set_beside = gr.Button("Lay side by side", scale=0, min_width=160, elem_classes="lo-side")
    side_by_side_html = gr.HTML(elem_id="history-beside", padding=False)
    with gr.Row():
        file = gr.File(
            label="Another machine's history (sqlite): take it in",
            file_types=[".sqlite"],
            height=170,
            elem_classes="lo-file",
        )
        with gr.Column(min_width=240):
            hand_out_button = gr.Button("Hand out mine as a file", elem_id="history-out")
            save = gr.DownloadButton("history.sqlite", elem_id="save-history", elem_classes="lo-unseen")
    return HistoryTab(
        kind, refresh, rows, status, note, keep_note, delete, shown, first, second, set_beside, side_by_side_html,
        file, hand_out_button, save, gr.State(None),
    )  # fmt: skip


def wire(tab: HistoryTab, opened: gr.Tab, page: gr.Blocks, services: Services) -> None:
    """Connect listing, opening, changing and exchanging. opened: the tab itself, so that what was made meanwhile is
    listed."""
    _wire_lists(tab, opened, page, services)
    _wire_changes(tab, services)
    _wire_side_by_side(tab, services)
    _wire_exchange(tab, services)


def _wire_lists(tab: HistoryTab, opened: gr.Tab, page: gr.Blocks, services: Services) -> None:
    """What is kept, and opening one of it."""

    def listed(kind: str, request: gr.Request) -> list[Any]:
        """The lists alone: what is open, and A and B, stay."""
        try:
            history = services.history(request)
            rows = kept_table(kind, history)
            titles = [(machine_title(evaluation), evaluation.id) for evaluation in history.evaluations.newest()]
        except LlmopsError as error:
            return [gr.skip(), gr.skip(), gr.skip(), render.problem(error)]
        return [gr.update(value=rows), gr.update(choices=titles), gr.update(choices=titles), ""]

    def listed_and_closed(kind: str, request: gr.Request) -> list[Any]:
        return [*listed(kind, request), None, "", ""]

    def open_row(kind: str, event: gr.SelectData, request: gr.Request) -> list[Any]:
        number = int(event.row_value[0]) if event.row_value else 0
        try:
            return [number, *_opened(kind, number, services.history(request)), ""]
        except LlmopsError as error:
            return [None, "", "", render.problem(error)]

    lists = [tab.rows, tab.first, tab.second, tab.status]
    in_order: dict[str, Any] = {**QUIET, "concurrency_id": "history-lists"}  # the last one asked for is what stands
    opened.select(listed, tab.kind, lists, **in_order)
    everything = [*lists, tab.opened, tab.note, tab.shown]
    gr.on([tab.kind.change, tab.refresh.click, page.load], listed_and_closed, tab.kind, everything, **in_order)
    tab.rows.select(open_row, tab.kind, [tab.opened, tab.note, tab.shown, tab.status], **QUIET)


def _wire_changes(tab: HistoryTab, services: Services) -> None:
    """A note on what is open, and deleting it."""

    def keep_note(kind: str, number: int | None, note: str, request: gr.Request) -> list[Any]:
        return change(kind, number, request, lambda history, number: _annotate(kind, history, number, note))

    def delete(kind: str, number: int | None, request: gr.Request) -> list[Any]:
        return [*change(kind, number, request, lambda history, number: _delete(kind, history, number)), None, "", ""]

    def change(kind: str, number: int | None, request: gr.Request, apply: Callable[[History, int], str]) -> list[Any]:
        """`apply` changes what is open and tells so in a sentence."""
        try:
            if number is None:
                raise InputError("Nothing is open.", "Click a row first.")
            history = services.history(request)
            return [render.message(apply(history, number)), gr.update(value=kept_table(kind, history))]
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]

    tab.keep_note.click(keep_note, [tab.kind, tab.opened, tab.note], [tab.status, tab.rows], **QUIET)
    tab.delete.click(delete, [tab.kind, tab.opened], [tab.status, tab.rows, tab.opened, tab.note, tab.shown], **QUIET)


def _wire_side_by_side(tab: HistoryTab, services: Services) -> None:
    """Two evaluations, A and B."""

    def set_beside(first: int | None, second: int | None, request: gr.Request) -> str:
        try:
            if first is None or second is None:
                raise InputError("Two evaluations are needed.", "Choose A and B.")
            return beside(side_by_side(services.history(request), first, second))
        except LlmopsError as error:
            return render.problem(error)

    tab.set_beside.click(set_beside, [tab.first, tab.second], tab.beside, **QUIET)


def _wire_exchange(tab: HistoryTab, services: Services) -> None:
    """The history as a file: another machine's taken in, the own one handed out."""

    def upload(path: str | None, request: gr.Request) -> str:
        if path is None:
            return ""
        try:
            added = take_in(services.history(request), Path(path), Path(path).name)
        except LlmopsError as error:
            return render.problem(error)
        numbers = ", ".join(map(str, added))
        return render.message(f"Taken in: evaluations {numbers}." if added else "Nothing new is in it.")

    def download(request: gr.Request) -> str:
        path = new_folder() / "history.sqlite"
        hand_out(services.history(request), path)
        return str(path)

    uploaded = tab.file.upload(upload, tab.file, tab.status, **QUIET)
    uploaded.success(lambda: None, None, tab.file, **QUIET)
    packed = tab.hand_out.click(download, None, tab.save, **QUIET)
    packed.success(None, None, None, js=save_js("save-history"), **QUIET)


def _annotate(kind: str, history: History, number: int, note: str) -> str:
    history.kinds[kind].annotate(number, note)
    return "The note is kept."


def _delete(kind: str, history: History, number: int) -> str:
    history.kinds[kind].delete(number)
    return f"Deleted {kind} {number}."


def _opened(kind: str, number: int, history: History) -> list[str]:
    """(note, HTML) of one of them. Raises HistoryError."""
    if kind == "comparison":
        comparison = history.comparisons.get(number)
        return [comparison.note, replayed(comparison, views(history, number))]
    if kind == "curve":
        kept_curve = history.curves.get(number)
        return [kept_curve.note, curve(kept_curve)]
    evaluation, rows = history.evaluations.get(number), history.evaluations.rows(number)
    return [evaluation.note, figures(evaluation, rows) + more("How it was made", how_made(evaluation))]
