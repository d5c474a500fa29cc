"""The Past tab: encoders, their method and precision, and training one on your own examples."""

from dataclasses import dataclass

from llmops.candidate import Epoch, Kind
from llmops.ui import selection
from llmops.ui.services import Services
from llmops.ui.shared_input import SharedInput


@dataclass(frozen=True)
class Past:
    """The tab's components."""

    selection: selection.Selection


def build(services: Services) -> Past:
    """Lay out the tab."""
    selection.intro(Epoch.PAST)
    return Past(selection.build(Epoch.PAST, Kind.ENCODER, "Past candidates"))


def wire(tab: Past, shared: SharedInput, services: Services) -> None:
    """Connect the tab's own events."""
    selection.wire(tab.selection, Kind.ENCODER)
