"""Which models a public page runs: the catalogue's, and those the operator adds in LLMOPS_MODELS; no folder on disk.

On a private page everything is allowed. Asked where models are found (`fetch`, the engines), so that no way leads
around it.
"""

from llmops.catalog.architectures import architectures
from llmops.catalog.models import models
from llmops.core.errors import ModelRefused
from llmops.core.settings import Settings


def folders_allowed(settings: Settings) -> bool:
    """True where a model may be given as a place on disk."""
    return not settings.public


def check_model(model: str, settings: Settings) -> None:
    """Raise ModelRefused for a model that strangers may not have loaded or asked."""
    if not settings.public or model in settings.models:
        return
    if any(spec.id == model for spec in models()) or any(row.id == model for row in architectures()):
        return
    raise ModelRefused(
        f"“{model}” is not offered on this public page.",
        "Choose one of the list. Whoever runs the page can add it in LLMOPS_MODELS.",
    )
