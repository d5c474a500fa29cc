"""What can be selected, as an epoch's list to choose from and as a table of what is known of each model."""

from collections.abc import Sequence
from html import escape as _e

from llmops.catalog.models import models
from llmops.core.candidate import Epoch
from llmops.core.format import count
from llmops.planning.availability import Offer

_TITLES = ("Model", "Licence", "Parameters", "Context", "Notes", "Here")


def choices(offers: Sequence[Offer], epoch: Epoch) -> list[tuple[str, str]]:
    """(what is shown, candidate) of an epoch's offers; encoders once a method, what is not available says so."""
    rows = []
    for offer in (offer for offer in offers if offer.epoch == epoch):
        badge = f" · {offer.fit}" if offer.fit else ""
        badge += f" · not here: {offer.why_not}" if offer.why_not else ""
        for text in [f"{offer.candidate}?method={method}" for method in offer.methods] or [offer.candidate]:
            rows.append((text + badge, text))
    return rows


def table(offers: Sequence[Offer], epoch: Epoch) -> str:
    """One row a model: licence, gated, parameters, context, note, what it needs, and why it can't run here."""
    names = dict.fromkeys(offer.name for offer in offers if offer.epoch == epoch)
    body = "".join(_row(name, [offer for offer in offers if offer.name == name]) for name in names)
    header = "".join(f'<th scope="col">{title}</th>' for title in _TITLES)
    rows = f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="lo-scroll" tabindex="0"><table class="lo-models">{rows}</table></div>'


def _row(name: str, offers: Sequence[Offer]) -> str:
    first = offers[0]
    spec = next((spec for spec in models() if spec.name == name), None)
    size = "" if spec is None or spec.params is None else f"{spec.params / 1e9:.3g} billion"
    if spec is not None and spec.params and spec.active:
        size += f" ({spec.active / 1e9:.3g} billion active)"
    context = count(spec.context) if spec else ""
    licence = first.licence + (", gated" if first.gated else "")
    cells = (licence, size, context, f"{first.note} {first.needs}".strip(), _readiness(offers))
    return f'<tr><th scope="row">{_e(name)}</th>' + "".join(f"<td>{_e(cell)}</td>" for cell in cells) + "</tr>"


def _readiness(offers: Sequence[Offer]) -> str:
    """In which precisions a model is ready here, or why in none."""
    ready = [offer for offer in offers if offer.available]
    if len(ready) == len(offers):
        return "ready"
    precisions = ", ".join(offer.candidate.rpartition("@")[2] for offer in ready)
    return f"ready in {precisions}" if ready else offers[0].why_not
