"""What can be selected, as an epoch's list to choose from and as a table of what is known of each model."""

from collections.abc import Sequence
from html import escape as _e

from llmops.catalog.models import models
from llmops.core.candidate import Epoch
from llmops.core.format import count
from llmops.planning.availability import CandidateOption

_TITLES = ("Model", "Licence", "Parameters", "Context", "Notes", "Here")


def choices(options: Sequence[CandidateOption], epoch: Epoch) -> list[tuple[str, str]]:
    """(what is shown, candidate) of an epoch's options; encoders once a method, what is not available says so."""
    rows = []
    for option in (option for option in options if option.epoch == epoch):
        badge = f" · {option.fit}" if option.fit else ""
        badge += f" · not here: {option.why_not}" if option.why_not else ""
        for text in [f"{option.candidate}?method={method}" for method in option.methods] or [option.candidate]:
            rows.append((text + badge, text))
    return rows


def table(options: Sequence[CandidateOption], epoch: Epoch) -> str:
    """One row a model: licence, gated, parameters, context, note, what it needs, and why it can't run here."""
    names = dict.fromkeys(option.name for option in options if option.epoch == epoch)
    body = "".join(_row(name, [option for option in options if option.name == name]) for name in names)
    header = "".join(f'<th scope="col">{title}</th>' for title in _TITLES)
    rows = f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="lo-scroll" tabindex="0"><table class="lo-models">{rows}</table></div>'


def _row(name: str, options: Sequence[CandidateOption]) -> str:
    first = options[0]
    spec = next((spec for spec in models() if spec.name == name), None)
    size = "" if spec is None or spec.params is None else f"{spec.params / 1e9:.3g} billion"
    if spec is not None and spec.params and spec.active:
        size += f" ({spec.active / 1e9:.3g} billion active)"
    context = count(spec.context) if spec else ""
    licence = first.licence + (", gated" if first.gated else "")
    cells = (licence, size, context, f"{first.note} {first.needs}".strip(), _readiness(options))
    return f'<tr><th scope="row">{_e(name)}</th>' + "".join(f"<td>{_e(cell)}</td>" for cell in cells) + "</tr>"


def _readiness(options: Sequence[CandidateOption]) -> str:
    """In which precisions a model is ready here, or why in none."""
    ready = [option for option in options if option.available]
    if len(ready) == len(options):
        return "ready"
    precisions = ", ".join(option.candidate.rpartition("@")[2] for option in ready)
    return f"ready in {precisions}" if ready else options[0].why_not
