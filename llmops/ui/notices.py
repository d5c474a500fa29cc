"""Above everything else: what went wrong with the last process, or is about to; nothing where all is well."""

from typing import Any

import gradio as gr

from llmops.public.crash_notice import notices
from llmops.ui import render
from llmops.ui.events import QUIET
from llmops.ui.services import Services


def build() -> gr.HTML:
    """Lay out the place, empty."""
    return gr.HTML(visible=False, elem_id="notices", padding=False)


def wire(notice: gr.HTML, page: gr.Blocks, services: Services) -> None:
    """Fill it when a page is opened."""

    def show() -> Any:  # noqa: ANN401
        sentences = notices(services.crash_notice, services.settings, services.asking().owner)
        return gr.update(value=render.message("Please note:", sentences), visible=bool(sentences))

    page.load(show, None, notice, **QUIET)
