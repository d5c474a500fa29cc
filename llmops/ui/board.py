"""The columns: a fixed pool of places, a comparison painted into them. One way up: events → fold → render → outputs.

A board belongs to one visitor's session. Every paint gives every output its full value: unchanged
ones cost nothing on the wire.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from llmops.catalog.models import model_kinds
from llmops.compare.comparison import Comparison
from llmops.compare.recorder import Recorder
from llmops.core.candidate import Kind, parse_candidate
from llmops.core.errors import ContextTooLong, InputError
from llmops.core.run_settings import RunSettings
from llmops.core.view import View
from llmops.ui import render
from llmops.ui.stream import follow


@dataclass(frozen=True)
class Column:
    """The components of one place."""

    group: gr.Column
    head: gr.HTML
    verdict: gr.HTML
    answer: gr.Textbox
    figures: gr.HTML
    stop: gr.Button
    retry: gr.Button
    cut: gr.Button

    @property
    def painted(self) -> list[Any]:
        """Those that a paint fills, in its order."""
        return [self.group, self.head, self.verdict, self.answer, self.figures, self.stop, self.retry, self.cut]


@dataclass
class Board:
    """A comparison and its views, in the order of its candidates; what ends goes into the history."""

    comparison: Comparison
    recorder: Recorder
    views: list[View] = field(init=False)
    id: str = field(init=False, default_factory=lambda: f"{time.time_ns():x}")

    def __post_init__(self) -> None:
        self.views = [View(candidate) for candidate in self.comparison.candidates]

    def retry(self, column: int, options: RunSettings) -> bool:
        """Run one column again with what the page says now; see Comparison.retry."""
        self.views[column] = View(self.comparison.candidates[column])
        return self.comparison.retry(column, options)

    def follow(self) -> Iterator[None]:
        """Yields when it is time to paint."""
        return follow(self.comparison, self.views, self.recorder)

    def paint(self, places: int) -> list[Any]:
        """Values for the run's line, the summary, and then for each place's `Column.painted`."""
        values: list[Any] = [render.run_line(self.views, self.id), render.summary(self.views)]
        for place in range(places):
            values += self._column(self.views[place]) if place < len(self.views) else _EMPTY
        return values

    def _column(self, view: View) -> list[Any]:
        language = self.comparison.options.language
        too_long = view.run is not None and view.run.error is not None and view.run.error.kind == ContextTooLong.kind
        return [
            gr.update(visible=True),
            render.head(view),
            render.verdict(view, self.comparison.task, language),
            gr.update(value=view.text, visible=bool(view.text) or (_writes(view.candidate) and not view.ended)),
            render.figures(view),
            gr.update(interactive=not view.ended),
            gr.update(interactive=view.ended),
            gr.update(visible=too_long),
        ]


_EMPTY = [
    gr.update(visible=False), "", "", gr.update(value="", visible=False), "",
    gr.update(interactive=False), gr.update(interactive=False), gr.update(visible=False),
]  # fmt: skip


def _writes(candidate: str) -> bool:
    """True where the candidate answers in words; an encoder has no text to show."""
    try:
        return parse_candidate(candidate, model_kinds()).kind != Kind.ENCODER
    except InputError:
        return False


def build(places: int) -> list[Column]:
    """Lay out the places, all hidden until a run fills them."""
    with gr.Row(elem_classes="lo-columns"):
        return [_place(index) for index in range(places)]


def _place(index: int) -> Column:
    number = index + 1
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
    return Column(group, head, verdict, answer, figures, stop, retry, cut)
