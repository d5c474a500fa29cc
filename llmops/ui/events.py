"""What all event listeners of the page share: how they look, how they queue, who may call them."""

from typing import Any

import gradio as gr

from llmops.core.errors import LlmopsError
from llmops.ui import render

AT_ONCE = 64
"""How many callbacks of a kind may run at once: who waits does so in the device's fair queue, not in Gradio's."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""No bar of Gradio's over the outputs, and no endpoint for programs."""


def in_queue(name: str) -> dict[str, Any]:
    """The same, for callbacks that share one of Gradio's queues; `AT_ONCE` of them run beside each other."""
    return {**QUIET, "concurrency_id": name, "concurrency_limit": AT_ONCE}


def toast(error: LlmopsError) -> gr.Error:
    """An error to raise where the page has no place for it: Gradio shows it for a while."""
    return gr.Error(render.toast(error), print_exception=False)
