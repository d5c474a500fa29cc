"""The lists of kept evaluations to choose from, read anew when their tab is shown."""

from typing import Any

import gradio as gr

from llmops.core.errors import LlmopsError
from llmops.report.titles import evaluation_title
from llmops.ui.services import Services


def evaluation_choice(services: Services, request: gr.Request, chosen: int | None) -> Any:  # noqa: ANN401
    """Every kept evaluation, and which is chosen; none where the history can't be read."""
    try:
        choices = titles(services, request)
    except LlmopsError:
        return gr.update(choices=[], value=None)
    return gr.update(choices=choices, value=chosen)


def refreshed_choice(services: Services, request: gr.Request, chosen: int | None) -> Any:  # noqa: ANN401
    """What was made meanwhile is listed too; the one that is chosen stays, unless it was deleted."""
    update = evaluation_choice(services, request, None)
    return gr.update(choices=update["choices"]) if chosen in (number for _, number in update["choices"]) else update


def titles(services: Services, request: gr.Request) -> list[tuple[str, int]]:
    """(title, id) of each, newest first. Raises HistoryError."""
    evaluations = services.history(request).evaluations.newest()
    return [(evaluation_title(evaluation), evaluation.id) for evaluation in evaluations]
