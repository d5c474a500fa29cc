"""Why not just a cloud API? Nine sides: in general (words/cloud.toml), and what the last runs say about each."""

from collections.abc import Mapping, Sequence
from html import escape as _e

import gradio as gr

from llmops.core.errors import LlmopsError
from llmops.core.run import Run
from llmops.decision import cloud
from llmops.decision.assumptions import assume
from llmops.hardware.machine import hardware
from llmops.history.store import History
from llmops.ui.comparison_view import ComparisonView
from llmops.ui.explain import words
from llmops.ui.services import Services
from llmops.ui.visitor import visitor_of

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


def say(runs: Sequence[Run], history: History) -> str:
    """What these runs say, and the owner's last evaluation."""
    sentences = cloud.from_runs(runs, assume({}, hardware().describe()))
    try:
        last = next((kept for kept in history.evaluations.newest() if not kept.origin), None)
        more = cloud.from_evaluation(last.id, history.evaluations.rows(last.id)) if last else {}
    except LlmopsError:
        more = {}  # the runs are what was asked for; the history says elsewhere what is wrong with it
    return sides({side: [*sentences.get(side, []), *more.get(side, [])] for side in cloud.SIDES})


def wire(ended: Sequence[gr.events.Dependency], current: gr.State, shown: gr.HTML, services: Services) -> None:
    """Fill in the figures when a run has ended."""

    def fill(comparison: ComparisonView | None, request: gr.Request) -> str:
        views = comparison.views if comparison is not None else []
        runs = [view.run for view in views if view.run is not None]
        return say(runs, History(services.settings.history_path, visitor_of(request, services.settings)))

    for event in ended:
        event.then(fill, current, shown, show_progress="hidden", api_visibility="private")
