"""The cascade within the Decide tab: simulate it from the kept rows, then add it to the candidates."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from llmops.api.decision import read_cascade
from llmops.catalog import prices
from llmops.catalog.models import model_kinds
from llmops.core.candidate import Epoch, Kind, cascade, parse_candidate
from llmops.core.errors import InputError, LlmopsError
from llmops.decision.cascade import GOALS
from llmops.report import cascade as drawn
from llmops.ui import render
from llmops.ui.decide_inputs import Wishes, field, number
from llmops.ui.events import QUIET
from llmops.ui.services import Services


class Chosen(NamedTuple):
    """The candidate lists of the three epochs: components, then values."""

    past: Any  # list[str]
    present: Any
    future: Any


@dataclass(frozen=True)
class CascadePanel:
    """The panel's components."""

    first: gr.Dropdown
    second: gr.Dropdown
    goal: gr.Radio
    max_cost: gr.Textbox
    max_p95_s: gr.Textbox
    max_leaving: gr.Textbox
    min_macro_f1: gr.Textbox
    seed: gr.Number
    simulate: gr.Button
    said: gr.HTML
    threshold: gr.Number
    add: gr.Button
    added: gr.HTML


def build() -> CascadePanel:
    """Lay out the panel."""
    gr.Markdown(
        "### Cascade\n\n"
        "An encoder answers where it is sure; below a threshold another candidate does. The curve is made from kept "
        "answers; the best threshold is chosen on one half of the texts and reported on the other."
    )
    with gr.Row():
        first = gr.Dropdown([], label="First stage: an encoder", elem_id="cascade-first", min_width=260)
        second = gr.Dropdown([], label="Second stage, where it is not sure", elem_id="cascade-second", min_width=260)
    goal = gr.Radio(list(GOALS), value="quality", label="Best in")
    with gr.Row():
        max_cost = field("Cost of 1,000, at most (cascade)")
        max_p95_s = field("p95, s, at most (cascade)")
        max_leaving = field("Texts that may leave, %")
        min_macro_f1 = field("Macro-F1, at least (cascade)")
        seed = gr.Number(0, label="Seed of the halves", precision=0, minimum=0, min_width=140)
    simulate = gr.Button("Simulate the cascade", variant="primary", elem_id="simulate")
    said = gr.HTML(elem_id="cascade", padding=False)
    with gr.Row(equal_height=True):
        threshold = gr.Number(None, label="Threshold, 0 to 1", minimum=0, maximum=1, step=0.01, elem_id="threshold")
        add = gr.Button("Add this cascade as a candidate", scale=2, elem_id="add-cascade", elem_classes="lo-side")
    added = gr.HTML(elem_id="cascade-added", padding=False)
    return CascadePanel(
        first, second, goal, max_cost, max_p95_s, max_leaving, min_macro_f1, seed, simulate, said, threshold, add, added
    )


def wire(panel: CascadePanel, kept: gr.Dropdown, wishes: Wishes, chosen: Chosen, services: Services) -> None:
    """Connect simulating and adding."""

    def offer(evaluation: int | None, request: gr.Request) -> list[Any]:
        try:
            names = services.history(request).evaluation(evaluation).candidates if evaluation is not None else ()
        except LlmopsError:
            names = ()
        firsts, seconds = stages(names)
        first = next(iter(firsts), None)
        second = next((one for one in [*(name for name in seconds if name not in firsts), *firsts[1:]]), None)
        updates = [gr.update(choices=firsts, value=first), gr.update(choices=seconds, value=second)]
        return [*updates, "", gr.update(value=None), ""]

    def simulate(
        evaluation: int | None,
        first: str | None,
        second: str | None,
        goal: str,
        max_cost: str,
        max_p95_s: str,
        max_leaving: str,
        min_macro_f1: str,
        seed: float | None,
        request: gr.Request,
        *values: Any,  # noqa: ANN401
    ) -> list[Any]:
        try:
            share = number(max_leaving)
            given = {
                "goal": goal,
                "seed": int(seed or 0),
                "max_cost": number(max_cost),
                "max_p95_s": number(max_p95_s),
                "max_leaving": None if share is None else share / 100,
                "min_macro_f1": number(min_macro_f1),
            }
            if evaluation is None or not first or not second:
                raise InputError("A cascade needs an encoder and another one.", "Evaluate both, then choose them.")
            assumed = Wishes(*values).assumed()
            store = services.history(request)
            found = store.evaluation(evaluation)
            made = read_cascade(found, store.rows(evaluation), first, second, given | assumed)
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        sign = prices.find_currency(assumed.get("currency") or "USD").sign
        return [drawn.cascade(made, sign), made.choice.threshold if made.choice else gr.skip()]

    def add(first: str | None, second: str | None, threshold: float | None, *lists: Any) -> list[Any]:  # noqa: ANN401
        try:
            if not first or not second or threshold is None:
                raise InputError("No cascade is simulated yet.", "Press Simulate, or type a threshold.")
            stages_ = [parse_candidate(one, model_kinds()) for one in (first, second)]
            made = cascade(stages_[0], stages_[1], threshold)
        except LlmopsError as error:
            return [render.problem(error), *[gr.skip()] * len(lists)]
        place = (Epoch.PAST, Epoch.PRESENT, Epoch.FUTURE).index(made.epoch)
        longer = [
            list(dict.fromkeys([*(one or []), str(made)])) if index == place else gr.skip()
            for index, one in enumerate(lists)
        ]
        said = f"Added to {made.epoch.capitalize()}: run it, evaluate it, or copy it from there."
        return [render.said(said), *longer]

    bounds = [panel.goal, panel.max_cost, panel.max_p95_s, panel.max_leaving, panel.min_macro_f1, panel.seed]
    cleared = [panel.first, panel.second, panel.said, panel.threshold, panel.added]
    kept.change(offer, kept, cleared, **QUIET)
    panel.simulate.click(
        simulate, [kept, panel.first, panel.second, *bounds, *wishes], [panel.said, panel.threshold], **QUIET
    )
    panel.add.click(add, [panel.first, panel.second, panel.threshold, *chosen], [panel.added, *chosen], **QUIET)


def stages(names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """(encoders, everything that may be a second stage) among candidates."""
    firsts, seconds = [], []
    for name in names:
        try:
            kind = parse_candidate(name, model_kinds()).kind
        except InputError:
            continue
        firsts += [name] if kind == Kind.ENCODER else []
        seconds += [name] if kind != Kind.CASCADE else []
    return firsts, seconds
