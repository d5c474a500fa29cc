"""Choosing an epoch's candidates: a list to pick from, a row to build one, and what is known of each model.

The three tabs share this; what only one of them has stands in its own file.
"""

from dataclasses import dataclass

import gradio as gr

from llmops.catalog.models import models
from llmops.core.candidate import DEFAULT_K, METHODS, PRECISIONS, Epoch, Kind
from llmops.core.errors import InputError
from llmops.planning.candidate_texts import candidate_texts
from llmops.ui import explain
from llmops.ui.events import QUIET, toast
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
            texts = candidate_texts(kind, model or "", precisions, method, k)
        except InputError as error:
            raise toast(error) from None
        return with_candidates(chosen, texts)

    of_encoders = [component for component in (selection.method, selection.k) if component is not None]
    inputs = [selection.chosen, selection.model, selection.precisions, *of_encoders]
    selection.add.click(add, inputs, selection.chosen, **QUIET)


def with_candidates(chosen: list[str] | None, texts: list[str]) -> list[str]:
    """What is chosen, and these behind it; each once."""
    return list(dict.fromkeys([*(chosen or []), *texts]))
