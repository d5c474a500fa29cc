"""The answers: a fixed pool of places side by side, a comparison painted into them, and Run, Stop and Retry.

One way up: events → fold → render → outputs. Every paint gives every output its full value: unchanged ones cost nothing
on the wire.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llmops.catalog.models import model_kinds
from llmops.compare.recorder import Recorder
from llmops.compat.gradio_internals import EventChain
from llmops.core.candidate import Kind, parse_candidate
from llmops.core.errors import ContextTooLong, InputError, LlmopsError
from llmops.core.view import View
from llmops.ui import render
from llmops.ui.comparison_view import ComparisonView
from llmops.ui.controls import Controls
from llmops.ui.events import QUIET, in_queue
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput
from llmops.ui.visitor import visitor_of

# The tabs lie between Run and its answers: when another run begins, go to where they will be.
_SHOW_RESULTS_JS = """(html) => {
  const run = /data-run="([^"]+)"/.exec(html || "");
  if (!run || run[1] === window.llmopsRun) return;
  window.llmopsRun = run[1];
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  setTimeout(() => document.getElementById("results")?.scrollIntoView({behavior, block: "start"}), 150);
}"""


@dataclass(frozen=True)
class ComparisonColumn:
    """The components of one place."""

    group: gr.Column
    head: gr.HTML
    verdict: gr.HTML
    answer: gr.Textbox
    figures: gr.HTML
    stop: gr.Button
    retry: gr.Button
    cut: gr.Button
    split: gr.Button

    @property
    def painted(self) -> list[Any]:
        """Those that a paint fills, in its order."""
        return [
            self.group,
            self.head,
            self.verdict,
            self.answer,
            self.figures,
            self.stop,
            self.retry,
            self.cut,
            self.split,
        ]


@dataclass(frozen=True)
class ComparisonColumns:
    """The components of all. current: the session's ComparisonView, or None."""

    summary: gr.HTML
    columns: tuple[ComparisonColumn, ...]
    current: gr.State


def build(places: int) -> ComparisonColumns:
    """Lay out the places, all hidden until a run fills them."""
    with gr.Column(elem_id="results"):
        summary = gr.HTML(elem_id="summary", padding=False)
        with gr.Row(elem_classes="lo-columns"):
            columns = tuple(_column(number) for number in range(1, places + 1))
    return ComparisonColumns(summary, columns, gr.State(None))


def _column(number: int) -> ComparisonColumn:
    with gr.Column(visible=False, elem_classes="lo-column", elem_id=f"column-{number}") as group:
        head = gr.HTML(padding=False)
        verdict = gr.HTML(padding=False)
        answer = gr.Textbox(
            label=f"Answer {number}", lines=3, max_lines=14, interactive=False, buttons=["copy"], autoscroll=False
        )
        figures = gr.HTML(padding=False)
        with gr.Row():
            stop = gr.Button(f"Stop {number}", size="sm", min_width=100)
            retry = gr.Button(f"Retry {number}", size="sm", min_width=100)
        cut = gr.Button(f"Cut the text and retry {number}", size="sm", visible=False)
        split = gr.Button(f"Read it in windows and retry {number}", size="sm", visible=False)
    return ComparisonColumn(group, head, verdict, answer, figures, stop, retry, cut, split)


def wire(shown: ComparisonColumns, panel: SharedInput, controls: Controls, services: Services) -> list[EventChain]:
    """Connect running, stopping and retrying; what is returned ends when a run has ended."""
    current, measuring = shown.current, in_queue("measure")
    columns = [component for column in shown.columns for component in column.painted]
    outputs = [current, panel.problem, panel.line, shown.summary, *columns]
    callbacks = _Callbacks(services, len(shown.columns), len(outputs))

    def stop_all(view: ComparisonView | None) -> None:
        _stop(view)

    ended = [
        event(callbacks.run, [current, *controls], outputs, **measuring)
        for event in (panel.run.click, panel.text.submit)
    ]
    panel.stop.click(stop_all, current, None, queue=False, **QUIET)
    panel.line.change(None, panel.line, None, js=_SHOW_RESULTS_JS, **QUIET)
    for number, column in enumerate(shown.columns):
        _wire_column(number, column, [current, *controls], outputs, callbacks)
    return ended


def _wire_column(
    number: int, column: ComparisonColumn, inputs: list[Any], outputs: list[Any], callbacks: "_Callbacks"
) -> None:
    """Connect one place's buttons. inputs: the comparison, then the controls."""
    measuring = in_queue("measure")

    def stop(view: ComparisonView | None) -> None:
        _stop(view, number)

    def retry(view: ComparisonView | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        yield from callbacks.run_again(number, view, Controls(*values))

    def cut(view: ComparisonView | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        yield from callbacks.run_again(number, view, Controls(*values)._replace(long_texts="cut"))

    def split(view: ComparisonView | None, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        yield from callbacks.run_again(number, view, Controls(*values)._replace(long_texts="windows"))

    column.stop.click(stop, inputs[0], None, queue=False, **QUIET)
    column.retry.click(retry, inputs, outputs, **measuring)
    column.cut.click(cut, inputs, outputs, **measuring)
    column.split.click(split, inputs, outputs, **measuring)


def _stop(view: ComparisonView | None, column: int | None = None) -> None:
    if view is not None:
        view.comparison.stop(column)


@dataclass(frozen=True)
class _Callbacks:
    """What running and retrying yield: the comparison, what is wrong, and then what is painted, `outputs` in all."""

    services: Services
    places: int
    outputs: int

    def run(self, previous: ComparisonView | None, request: gr.Request, *values: Any) -> Iterator[list[Any]]:  # noqa: ANN401
        _stop(previous)
        settings = self.services.settings
        try:
            comparison = Controls(*values).comparison(self.services)
            recorder = Recorder(settings.history_path, visitor_of(request, settings), "page", comparison)
            view = ComparisonView(comparison, recorder, self.services)
            yield from self._painted(view, view.run())
        except LlmopsError as error:
            yield self._unpainted(previous, render.problem(error))

    def run_again(self, column: int, view: ComparisonView | None, controls: Controls) -> Iterator[list[Any]]:
        yield [gr.skip()] * self.outputs  # a generator has to yield something, and all may be painted elsewhere
        if view is None or column >= len(view.views):
            return
        try:
            yield from self._painted(view, view.run_again(column, controls.options(self.services)))
        except LlmopsError as error:
            yield self._unpainted(view, render.problem(error))

    def _painted(self, view: ComparisonView, steps: Iterator[None]) -> Iterator[list[Any]]:
        for _ in steps:
            yield [view, "", *painting(view, self.places)]
        if trouble := view.trouble():
            yield self._unpainted(view, render.message(trouble))

    def _unpainted(self, view: ComparisonView | None, problem: str) -> list[Any]:
        return [view, problem, *[gr.skip()] * (self.outputs - 2)]


def painting(view: ComparisonView, places: int) -> list[Any]:
    """Values for the run's line, the summary, and then for each place's `ComparisonColumn.painted`."""
    values: list[Any] = [render.run_line(view.views, view.id), render.summary(view.views)]
    for place in range(places):
        values += _column_painting(view, view.views[place]) if place < len(view.views) else _EMPTY
    return values


def _column_painting(comparison: ComparisonView, view: View) -> list[Any]:
    task, language = comparison.comparison.task, comparison.comparison.options.language
    too_long = view.run is not None and view.run.error is not None and view.run.error.kind == ContextTooLong.kind
    return [
        gr.update(visible=True),
        render.head(view),
        render.verdict(view, task, language),
        gr.update(value=view.text, visible=bool(view.text) or (_writes(view.candidate) and not view.ended)),
        render.figures(view),
        gr.update(interactive=not view.ended),
        gr.update(interactive=view.ended),
        gr.update(visible=too_long),
        gr.update(visible=too_long),
    ]


_EMPTY = [
    gr.update(visible=False), "", "", gr.update(value="", visible=False), "",
    gr.update(interactive=False), gr.update(interactive=False), gr.update(visible=False), gr.update(visible=False),
]  # fmt: skip


def _writes(candidate: str) -> bool:
    """True where the candidate answers in words; an encoder has no text to show."""
    try:
        return parse_candidate(candidate, model_kinds()).kind != Kind.ENCODER
    except InputError:
        return False
