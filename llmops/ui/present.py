"""The Present tab: local decoders in their precisions, and an OpenAI-compatible endpoint as the baseline."""

from dataclasses import dataclass

import gradio as gr

from llmops.core.candidate import Candidate, Epoch, Kind
from llmops.core.errors import LlmopsError
from llmops.core.request import Connection
from llmops.core.settings import Settings
from llmops.ui import selection


@dataclass(frozen=True)
class Present:
    """The tab's components."""

    selection: selection.Selection
    key: gr.Textbox
    base_url: gr.Textbox
    model: gr.Dropdown
    list_models: gr.Button
    add: gr.Button
    server_status: gr.Textbox


def build() -> Present:
    """Lay out the tab."""
    selection.intro(Epoch.PRESENT)
    chosen = selection.build(Epoch.PRESENT, Kind.DECODER, "Present candidates")
    with gr.Accordion(
        "OpenAI, or any compatible server (vLLM, llama.cpp, Ollama, TGI, transformers serve)", open=False
    ):
        with gr.Row():
            key = gr.Textbox(
                label="OpenAI key",
                type="password",
                info="Kept in this browser session only; OPENAI_API_KEY is used where this is empty.",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )
            base_url = gr.Textbox(
                label="Server address (base URL)",
                placeholder="http://localhost:8000/v1",
                info="Empty: OpenAI itself. The text is sent to this address.",
            )
        with gr.Row(equal_height=True):
            model = gr.Dropdown(
                choices=["gpt-5.4-mini"],
                value="gpt-5.4-mini",
                allow_custom_value=True,
                label="Endpoint model",
                info="Any name can be typed.",
                scale=3,
                min_width=260,
            )
            list_models = gr.Button("List models", scale=0, min_width=120, elem_classes="lo-side")
            add = gr.Button("Add endpoint", scale=0, min_width=120, elem_classes="lo-side")
        server_status = gr.Textbox(label="The server says", visible=False, interactive=False)
    return Present(chosen, key, base_url, model, list_models, add, server_status)


def wire(tab: Present, settings: Settings) -> None:
    """Connect the tab's own events."""
    selection.wire(tab.selection, Kind.DECODER)

    def list_models(key: str, base_url: str) -> tuple[object, object]:
        from llmops.engines.remote.openai_engine import list_models

        try:
            connection = Connection(openai_key=key.strip() or None, base_url=base_url.strip() or None)
            names = list_models(connection, settings)
        except LlmopsError as error:
            return gr.update(), gr.update(value=f"{error.message} {error.remedy}".strip(), visible=True)
        sentence = f"{len(names)} models." if names else "The server lists no model; type a name."
        return gr.update(choices=names), gr.update(value=sentence, visible=True)

    def add(chosen: list[str] | None, model: str) -> list[str]:
        return selection.with_candidates(chosen, [str(Candidate(Kind.OPENAI, model.strip()))] if model else [])

    tab.list_models.click(
        list_models, [tab.key, tab.base_url], [tab.model, tab.server_status], api_visibility="private"
    )
    tab.add.click(add, [tab.selection.chosen, tab.model], tab.selection.chosen, api_visibility="private")
