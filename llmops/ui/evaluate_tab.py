"""The Evaluate tab: a labelled set through the selected candidates, its metrics, its rows, and what was kept before."""

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from llmops.engines.base import Report
from llmops.errors import InputError, LlmopsError
from llmops.evaluation.batches import How
from llmops.evaluation.runner import Begun, Ended, evaluate, resume
from llmops.evaluation.runner import Progress as TextProgress
from llmops.history.export import FORMATS, export
from llmops.history.store import History, Row
from llmops.labelled import read_labelled
from llmops.task import Example, Task
from llmops.ui import render, results
from llmops.ui.background import Progress, Work, follow
from llmops.ui.controls import Controls
from llmops.ui.services import Services

_WIDTHS = ["52px", "440px", "92px", "110px"]  # number, text, language, true label; verdicts share the rest
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class EvaluateTab:
    """The tab's components. shown: the evaluation that is on the page, its id."""

    file: gr.File
    repeats: gr.Number
    how: gr.CheckboxGroup
    start: gr.Button
    stop: gr.Button
    said: gr.HTML
    kept: gr.Dropdown
    resume: gr.Button
    delete: gr.Button
    note: gr.Textbox
    keep_note: gr.Button
    metrics: gr.HTML
    which: gr.Radio
    rows: gr.Dataframe
    detail: gr.HTML
    downloads: tuple[gr.DownloadButton, ...]
    work: gr.State


def build() -> EvaluateTab:
    """Lay out the tab."""
    gr.Markdown(
        "## Evaluate: proof on labelled texts\n\n"
        "Every selected candidate (Past, Present, Future) answers every text, each in the text's own language: local "
        "ones one after the other, remote ones beside them. Each answer is kept as soon as it is there, so an "
        "evaluation that was stopped can be resumed. Texts that are also examples to learn from are left out."
    )
    with gr.Row():
        file = gr.File(
            label="Labelled texts (CSV, XLSX, JSONL); none: the task's held-out split",
            file_types=[".csv", ".tsv", ".xlsx", ".jsonl"],
            height=130,
            scale=3,
        )
        repeats = gr.Number(1, label="Ask each text so often", precision=0, minimum=1, maximum=100, min_width=160)
    how = gr.CheckboxGroup(
        [
            ("in batches, after a sample that runs alone for its latency", "batched"),
            ("verdict and probabilities only, no explanation", "verdict_only"),
        ],
        value=["batched"],
        label="How local models are asked",
        elem_id="how",
    )
    with gr.Row():
        start = gr.Button("Evaluate", variant="primary", scale=3, elem_id="evaluate")
        stop = gr.Button("Stop evaluation", scale=1, elem_id="stop-evaluation")
    said = gr.HTML(elem_id="evaluate-said", padding=False)
    with gr.Row(equal_height=True):
        kept = gr.Dropdown([], label="Kept evaluations", scale=4, min_width=260, elem_id="kept-evaluations")
        resume = gr.Button("Resume", scale=0, min_width=110, elem_classes="lo-side")
        delete = gr.Button("Delete evaluation", scale=0, min_width=190, elem_classes="lo-side")
    with gr.Row(equal_height=True):
        note = gr.Textbox(label="Note", scale=4, min_width=260)
        keep_note = gr.Button("Keep note", scale=0, min_width=130, elem_classes="lo-side")
    metrics = gr.HTML(elem_id="metrics", padding=False)
    which = gr.Radio(
        [("all", "all"), ("disagreements", "disagree"), ("errors", "wrong")], value="all", label="Rows to show"
    )
    rows = gr.Dataframe(
        label="Texts and verdicts",
        interactive=False,
        wrap=True,
        show_search="filter",
        max_height=420,
        elem_id="rows",
        column_widths=_WIDTHS,
    )
    detail = gr.HTML(elem_id="row-detail", padding=False)
    with gr.Row():
        downloads = tuple(gr.DownloadButton(f"Export {kind.upper()}", min_width=120) for kind in FORMATS)
    return EvaluateTab(
        file, repeats, how, start, stop, said, kept, resume, delete, note, keep_note, metrics, which, rows, detail,
        downloads, gr.State(None),
    )  # fmt: skip


def wire(tab: EvaluateTab, page: gr.Blocks, controls: Controls, services: Services) -> None:
    """Connect running, resuming, reading and exporting."""

    def history() -> History:
        return History(services.settings.history_path)

    def begin(
        previous: Work | None,
        file: str | None,
        repeats: float,
        how: list[str],
        kept: int | None,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        if previous is not None:
            previous.stop.set()
        work = Work()
        state = results.Run()

        def make(report: Report, stop: threading.Event) -> Iterator[Any]:
            chosen = Controls(*values)
            if kept is not None:
                yield from resume(services.pool, history(), kept, chosen.connection(), stop)
                return
            task = chosen.task()
            yield from evaluate(
                services.pool,
                task,
                _examples(file, task, services),
                chosen.candidates(),
                chosen.options(services),
                history(),
                stop,
                repeats=int(repeats or 1),
                how=How(batched="batched" in how, verdict_only="verdict_only" in how),
            )

        yield [work, render.said("starting"), gr.skip()]
        try:
            for item in follow(work, make):
                if isinstance(item, Begun | TextProgress | Ended):
                    state.take(item)
                if not isinstance(item, Progress):
                    yield [work, results.progress(state), gr.skip()]
        except LlmopsError as error:
            yield [work, render.problem(error), gr.skip()]
            return
        yield [work, results.progress(state), _choices(history(), state.evaluation_id)]

    def start(
        previous: Work | None,
        file: str | None,
        repeats: float,
        how: list[str],
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        yield from begin(previous, file, repeats, how, None, *values)

    def go_on(
        previous: Work | None,
        file: str | None,
        repeats: float,
        how: list[str],
        kept: int | None,
        *values: Any,  # noqa: ANN401
    ) -> Iterator[list[Any]]:
        if kept is None:
            error = InputError("No kept evaluation is chosen.", "Choose one, and select the same candidates.")
            yield [previous, render.problem(error), gr.skip()]
            return
        yield from begin(previous, file, repeats, how, kept, *values)

    def stop(work: Work | None) -> None:
        if work is not None:
            work.stop.set()

    def show(kept: int | None, which: str) -> list[Any]:
        if kept is None:
            return ["", "", gr.update(value=None), "", *[gr.update(value=None)] * len(FORMATS)]
        try:
            found = history().evaluation(kept)
            rows = history().rows(kept)
            files = _exports(history(), kept) if rows else [None] * len(FORMATS)
        except LlmopsError as error:
            return [render.problem(error), gr.skip(), gr.skip(), "", *[gr.skip()] * len(FORMATS)]
        table = gr.update(value=results.table(rows, which))
        updates = [gr.update(value=one) for one in files]
        return [results.metrics(found, rows), found.note, table, "", *updates]

    def filter_rows(kept: int | None, which: str) -> Any:  # noqa: ANN401
        return gr.update(value=results.table(_rows(history(), kept), which))

    def open_row(kept: int | None, event: gr.SelectData) -> str:
        place = event.row_value[0] if event.row_value else None
        rows = [row for row in _rows(history(), kept) if str(row.place + 1) == str(place)]
        return results.answers(rows)

    def delete(kept: int | None) -> list[Any]:
        if kept is None:
            return [render.said("Choose one first."), gr.skip()]
        try:
            history().delete(kept)
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        return [render.said(f"Deleted evaluation {kept}."), _choices(history(), None)]

    def keep_note(kept: int | None, note: str) -> list[Any]:
        if kept is None:
            return [render.said("Choose one first."), gr.skip()]
        history().annotate(kept, note)
        return [render.said("The note is kept."), _choices(history(), kept)]

    running = {**_QUIET, "concurrency_id": "evaluate", "concurrency_limit": 2}
    asked = [tab.work, tab.file, tab.repeats, tab.how]
    told = [tab.work, tab.said, tab.kept]
    tab.start.click(start, [*asked, *controls], told, **running)
    tab.resume.click(go_on, [*asked, tab.kept, *controls], told, **running)
    tab.stop.click(stop, tab.work, None, queue=False, **_QUIET)
    shown = [tab.metrics, tab.note, tab.rows, tab.detail, *tab.downloads]
    tab.kept.change(show, [tab.kept, tab.which], shown, **_QUIET)
    tab.which.change(filter_rows, [tab.kept, tab.which], tab.rows, **_QUIET)
    tab.rows.select(open_row, tab.kept, tab.detail, **_QUIET)
    tab.delete.click(delete, tab.kept, [tab.said, tab.kept], **_QUIET)
    tab.keep_note.click(keep_note, [tab.kept, tab.note], [tab.said, tab.kept], **_QUIET)
    page.load(lambda: _choices(history(), None), None, tab.kept, **_QUIET)


def _examples(file: str | None, task: Task, services: Services) -> list[Example]:
    """The uploaded set, every sound row of it, or the task's held-out split. Raises TaskFileError."""
    if file is None:
        return list(task.split("test"))
    return list(read_labelled(Path(file), task, services.settings).examples)


def _choices(history: History, chosen: int | None) -> Any:  # noqa: ANN401
    found = history.evaluations()
    choices = [(_title(one.id, one.created, one.task_name, one.candidates, one.note), one.id) for one in found]
    return gr.update(choices=choices, value=chosen)


def _title(number: int, created: str, task: str, candidates: tuple[str, ...], note: str) -> str:
    head = f"{number} · {created[:16].replace('T', ' ')} · {task} · {len(candidates)} candidates"
    return f"{head} · {note[:60]}" if note else head


def _rows(history: History, kept: int | None) -> list[Row]:
    return history.rows(kept) if kept is not None else []


def _exports(history: History, kept: int) -> list[str]:
    folder = Path(tempfile.mkdtemp())
    paths = [folder / f"evaluation-{kept}.{kind}" for kind in FORMATS]
    for path in paths:
        export(history, kept, path)
    return [str(path) for path in paths]
