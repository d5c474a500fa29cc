"""The Future tab: top models on hosted hardware, with provider and token, and what they would need at home."""

from dataclasses import dataclass

import gradio as gr

from llmops.core.candidate import Epoch, Kind
from llmops.ui import generations, plan_panel, selection
from llmops.ui.services import Services


@dataclass(frozen=True)
class Future:
    """The tab's components."""

    selection: selection.Selection
    token: gr.Textbox
    provider: gr.Dropdown
    planning: plan_panel.PlanPanel


def build() -> Future:
    """Lay out the tab."""
    selection.intro(Epoch.FUTURE)
    chosen = selection.build(Epoch.FUTURE, Kind.HOSTED, "Future candidates")
    with gr.Accordion("Provider and token", open=True), gr.Row():
        token = gr.Textbox(
            label="Hugging Face token",
            type="password",
            info="Kept in this browser session only; HF_TOKEN is used where this is empty.",
            html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )
        provider = gr.Dropdown(
            choices=["auto", "cerebras", "fireworks-ai", "groq", "hf-inference", "nebius", "novita", "together"],
            value="auto",
            allow_custom_value=True,
            label="Provider",
            info="auto: the first that serves the model. Texts go to the provider.",
        )
    planning = plan_panel.build()
    generations.build()
    return Future(chosen, token, provider, planning)


def wire(tab: Future, services: Services) -> None:
    """Connect the tab's own events."""
    selection.wire(tab.selection, Kind.HOSTED)
    plan_panel.wire(tab.planning, tab.token, services)
