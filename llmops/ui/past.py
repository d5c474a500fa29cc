"""The Past tab: encoders, their method and precision, and training one on the task's examples."""

from dataclasses import dataclass

import gradio as gr

from llmops.core.candidate import Epoch, Kind
from llmops.ui import selection, training_panel
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput


@dataclass(frozen=True)
class Past:
    """The tab's components."""

    selection: selection.Selection
    training: training_panel.TrainingPanel


def build() -> Past:
    """Lay out the tab."""
    selection.intro(Epoch.PAST)
    chosen = selection.build(Epoch.PAST, Kind.ENCODER, "Past candidates")
    return Past(chosen, training_panel.build())


def wire(tab: Past, shared: SharedInput, token: gr.Textbox, services: Services) -> None:
    """Connect the tab's own events; the token is for a gated base encoder."""
    selection.wire(tab.selection, Kind.ENCODER)
    training_panel.wire(tab.training, shared, tab.selection, token, services)
