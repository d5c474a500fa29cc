"""How a named endpoint is registered: under its name, with all that its docstring says of what it takes."""

import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr

from llmops.api.schemas import documented


def register(endpoint: Callable[..., Any], name: str, **options: Any) -> None:  # noqa: ANN401
    """An endpoint under its name. Left to itself, Gradio shows a docstring up to its parameters only."""
    gr.api(endpoint, api_name=name, api_description=inspect.getdoc(documented(endpoint, name)), **options)
