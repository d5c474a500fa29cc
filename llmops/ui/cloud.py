"""Why not just a cloud API? Nine sides: in general (words/cloud.toml), and what the last runs say about each."""

from collections.abc import Mapping, Sequence
from html import escape as _e

import gradio as gr

from llmops.compat.gradio_internals import EventChain
from llmops.decision import cloud
from llmops.ui.comparison_view import ComparisonView
from llmops.ui.events import QUIET
from llmops.ui.explain import words
from llmops.ui.services import Services

_MOST = 6  # sentences a side


def build() -> gr.HTML:
    """Lay out the accordion, without figures yet."""
    with gr.Accordion("Why not just a cloud API? Nine sides, with the figures of this run", open=False):
        return gr.HTML(sides({}), padding=False, elem_id="cloud")


def sides(sentences: Mapping[str, Sequence[str]]) -> str:
    """The nine sides as HTML; `sentences`: side → what the runs say of it."""
    return f'<div class="lo-cloud">{"".join(_side(side, sentences.get(side, ())) for side in cloud.SIDES)}</div>'


def _side(side: str, sentences: Sequence[str]) -> str:
    name, text = (_e(words("cloud")[side][part]["en"], quote=False) for part in ("name", "text"))
    items = "".join(f"<li>{_e(sentence)}</li>" for sentence in sentences[:_MOST])
    here = (
        f'<ul class="lo-here">{items}</ul>'
        if sentences
        else '<p class="lo-here lo-nothing">No figure from a run yet.</p>'
    )
    return f"<section><h3>{name}</h3><p>{text}</p>{here}</section>"


def wire(ended: Sequence[EventChain], current: gr.State, shown: gr.HTML, services: Services) -> None:
    """Fill in the figures when a run has ended."""

    def fill(comparison: ComparisonView | None, request: gr.Request) -> str:
        views = comparison.views if comparison is not None else []
        runs = [view.run for view in views if view.run is not None]
        return sides(cloud.from_runs_and_history(runs, services.history(request)))

    for event in ended:
        event.then(fill, current, shown, **QUIET)
