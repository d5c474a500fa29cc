"""Choosing an epoch's candidates: a list to pick from, a row to build one, and what is known of each model.

The three tabs share this; what only one of them has stands in its own file.
"""

from dataclasses import dataclass
from html import escape as _e

import gradio as gr

from llmops.catalog.models import model_kinds, models
from llmops.core.candidate import DEFAULT_K, METHODS, PRECISIONS, Candidate, Epoch, Kind, parse_candidate
from llmops.core.errors import InputError
from llmops.core.format import count
from llmops.planning.availability import Offer
from llmops.ui import explain, render
from llmops.ui.services import texts


@dataclass(frozen=True)
class Selection:
    """The components of one tab's choice; method and k are None where the epoch has no encoders."""

    chosen: gr.Dropdown
    model: gr.Dropdown
    precisions: gr.CheckboxGroup
    method: gr.Radio | None
    k: gr.Number | None
    add: gr.Button
    table: gr.HTML


_TERMS = {
    Epoch.PAST: ("encoder", "few_shot", "setfit"),
    Epoch.PRESENT: ("decoder", "token", "quantization", "kv_cache"),
    Epoch.FUTURE: ("open_weights", "experts"),
}


def intro(epoch: Epoch) -> None:
    """The epoch's heading, two paragraphs, and the words that are new in them."""
    words = texts()[epoch]
    gr.Markdown(f"## {words['title']}\n\n{words['text']}")
    explain.build(*_TERMS[epoch])


def build(epoch: Epoch, kind: Kind, chosen_label: str) -> Selection:
    """Lay out the choice of one epoch; `kind` is what the row below it builds."""
    chosen = gr.Dropdown(
        choices=[],
        value=[],
        multiselect=True,
        allow_custom_value=True,
        label=chosen_label,
        info="Pick from the list, or type model-id@precision.",
        elem_id=f"{epoch}-candidates",
    )
    encoder = kind == Kind.ENCODER
    with gr.Row(equal_height=True):
        model = gr.Dropdown(
            choices=[spec.id for spec in models() if spec.kind == kind],
            value=next(spec.id for spec in models() if spec.kind == kind),
            allow_custom_value=True,
            label="Model id or folder",
            scale=3,
            min_width=260,
        )
        precisions = gr.CheckboxGroup(
            list(PRECISIONS[kind]),
            value=list(PRECISIONS[kind][:1]),
            label="Precision",
            scale=3,
            min_width=260,
            visible=bool(PRECISIONS[kind]),
        )
        method = gr.Radio(list(METHODS), value="few-shot", label="Method", scale=3, min_width=260) if encoder else None
        k = (
            gr.Number(DEFAULT_K, label="Examples a class", minimum=1, precision=0, scale=1, min_width=160)
            if encoder
            else None
        )
        add = gr.Button("Add", scale=0, min_width=90, elem_id=f"{epoch}-add", elem_classes="lo-side")
    with gr.Accordion("What is known of these models", open=epoch == Epoch.FUTURE):
        table = gr.HTML(padding=False)
    return Selection(chosen, model, precisions, method, k, add, table)


def wire(selection: Selection, kind: Kind) -> None:
    """Connect the row that builds a candidate."""

    def add(
        chosen: list[str] | None, model: str, precisions: list[str], method: str = "", k: float | None = None
    ) -> list[str]:
        try:
            texts = build_texts(kind, model or "", precisions, method, k)
        except InputError as error:
            raise gr.Error(render.toast(error), print_exception=False) from None
        return with_candidates(chosen, texts)

    extra = [part for part in (selection.method, selection.k) if part is not None]
    selection.add.click(
        add,
        [selection.chosen, selection.model, selection.precisions, *extra],
        selection.chosen,
        api_visibility="private",
        show_progress="hidden",
    )


def with_candidates(chosen: list[str] | None, texts: list[str]) -> list[str]:
    """What is chosen, and these behind it; each once."""
    return list(dict.fromkeys([*(chosen or []), *texts]))


def build_texts(kind: Kind, model: str, precisions: list[str], method: str, k: float | None) -> list[str]:
    """Candidate texts out of the row's parts, one a precision. Raises InputError."""
    options = (
        {"kind": str(kind)}
        if model_kinds().get(model) != kind and not model.startswith(("embedded/", "trained/"))
        else {}
    )
    if kind == Kind.ENCODER and not model.startswith("trained/"):
        options = {"method": method} | ({"k": str(int(k))} if k and k != DEFAULT_K and method != "zero-shot" else {})
    if kind in (Kind.OPENAI, Kind.HOSTED):
        return [str(parse_candidate(str(Candidate(kind, model.strip()))))]
    if not precisions:
        raise InputError("No precision is ticked.", "Tick at least one.")
    made = [Candidate(kind, model.strip(), precision, tuple(sorted(options.items()))) for precision in precisions]
    return [str(parse_candidate(str(candidate), model_kinds())) for candidate in made]


def choices(offers: list[Offer], epoch: Epoch) -> list[tuple[str, str]]:
    """(what is shown, candidate) of an epoch's offers; encoders once a method, what is not available says so."""
    rows = []
    for offer in (one for one in offers if one.epoch == epoch):
        badge = f" · {offer.fit}" if offer.fit else ""
        badge += f" · not here: {offer.why_not}" if offer.why_not else ""
        for text in [f"{offer.candidate}?method={method}" for method in offer.methods] or [offer.candidate]:
            rows.append((text + badge, text))
    return rows


def table(offers: list[Offer], epoch: Epoch) -> str:
    """One row a model: licence, gated, parameters, context, note, what it needs, and why it can't run here."""
    body = "".join(_row(name, [o for o in offers if o.name == name]) for name in _names(offers, epoch))
    titles = ("Model", "Licence", "Parameters", "Context", "Notes", "Here")
    header = "".join(f'<th scope="col">{title}</th>' for title in titles)
    rows = f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="lo-scroll" tabindex="0"><table class="lo-models">{rows}</table></div>'


def _names(offers: list[Offer], epoch: Epoch) -> list[str]:
    return list(dict.fromkeys(offer.name for offer in offers if offer.epoch == epoch))


def _row(name: str, same: list[Offer]) -> str:
    first = same[0]
    spec = next((spec for spec in models() if spec.name == name), None)
    size = "" if spec is None or spec.params is None else f"{spec.params / 1e9:.3g} billion"
    if spec is not None and spec.params and spec.active:
        size += f" ({spec.active / 1e9:.3g} billion active)"
    context = count(spec.context) if spec else ""
    licence = first.licence + (", gated" if first.gated else "")
    ready = [one for one in same if one.available]
    here = "ready" if len(ready) == len(same) else first.why_not
    if ready and len(ready) < len(same):
        here = "ready in " + ", ".join(one.candidate.rpartition("@")[2] for one in ready)
    cells = (licence, size, context, f"{first.note} {first.needs}".strip(), here)
    return f'<tr><th scope="row">{_e(name)}</th>' + "".join(f"<td>{_e(cell)}</td>" for cell in cells) + "</tr>"
