"""The cascade within the Decide tab: simulate it from the kept rows, then add it to the candidates."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from llmops.api.decision import read_cascade
from llmops.catalog import prices
from llmops.core.candidate import Epoch
from llmops.core.errors import InputError, LlmopsError
from llmops.core.typed_numbers import optional_number
from llmops.decision.stages import cascade_candidate, stage_choices
from llmops.decision.threshold_search import GOALS
from llmops.report import cascade as drawn
from llmops.ui import render
from llmops.ui.decide_inputs import DecisionInputs, field
from llmops.ui.events import QUIET
from llmops.ui.selection import with_candidates
from llmops.ui.services import Services


class CandidateLists(NamedTuple):
    """The candidate lists of the three epochs: components, then values."""

    past: Any  # list[str]
    present: Any
    future: Any


class CascadeInputs(NamedTuple):
    """What a simulation asks of its panel: components while the page is built, their values in a callback."""

    first: Any  # str | None, a candidate
    second: Any
    goal: Any  # str
    max_cost: Any  # str, a number as typed
    max_p95_s: Any
    max_leaving: Any  # percent
    min_macro_f1: Any
    seed: Any  # float | None

    def given(self) -> dict[str, Any]:
        """Goal, seed and bounds as `read_cascade` reads them. Raises InputError."""
        percent = optional_number(self.max_leaving)
        return {
            "goal": self.goal,
            "seed": int(self.seed or 0),
            "max_cost": optional_number(self.max_cost),
            "max_p95_s": optional_number(self.max_p95_s),
            "max_leaving": None if percent is None else percent / 100,
            "min_macro_f1": optional_number(self.min_macro_f1),
        }


@dataclass(frozen=True)
class CascadePanel:
    """The panel's components."""

    inputs: CascadeInputs
    simulate: gr.Button
    curve: gr.HTML
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
    curve = gr.HTML(elem_id="cascade", padding=False)
    with gr.Row(equal_height=True):
        threshold = gr.Number(None, label="Threshold, 0 to 1", minimum=0, maximum=1, step=0.01, elem_id="threshold")
        add = gr.Button("Add this cascade as a candidate", scale=2, elem_id="add-cascade", elem_classes="lo-side")
    added = gr.HTML(elem_id="cascade-added", padding=False)
    inputs = CascadeInputs(first, second, goal, max_cost, max_p95_s, max_leaving, min_macro_f1, seed)
    return CascadePanel(inputs, simulate, curve, threshold, add, added)


def wire(
    panel: CascadePanel, evaluation: gr.Dropdown, decision: DecisionInputs, lists: CandidateLists, services: Services
) -> None:
    """Connect simulating and adding. evaluation: whose rows are read; decision: its prices and machines hold here."""

    def offer(evaluation: int | None, request: gr.Request) -> list[Any]:
        try:
            names = services.history(request).evaluations.get(evaluation).candidates if evaluation is not None else ()
        except LlmopsError:
            names = ()
        stages = stage_choices(names)
        first = gr.update(choices=list(stages.firsts), value=stages.first)
        second = gr.update(choices=list(stages.seconds), value=stages.second)
        return [first, second, "", gr.update(value=None), ""]

    def simulate(evaluation: int | None, request: gr.Request, *values: Any) -> list[Any]:  # noqa: ANN401
        inputs, decision = CascadeInputs(*values[:count]), DecisionInputs(*values[count:])
        try:
            given, history = inputs.given() | decision.assumed(), services.history(request)
            if evaluation is None or not inputs.first or not inputs.second:
                raise InputError("A cascade needs an encoder and another one.", "Evaluate both, then choose them.")
            evaluated, rows = history.evaluations.get(evaluation), history.evaluations.rows(evaluation)
            simulation = read_cascade(evaluated, rows, inputs.first, inputs.second, given)
        except LlmopsError as error:
            return [render.problem(error), gr.skip()]
        sign = prices.find_currency(given.get("currency") or "USD").sign
        threshold = simulation.choice.threshold if simulation.choice else gr.skip()
        return [drawn.cascade(simulation, sign), threshold]

    def add(first: str | None, second: str | None, threshold: float | None, *values: Any) -> list[Any]:  # noqa: ANN401
        try:
            candidate = cascade_candidate(first, second, threshold)
        except LlmopsError as error:
            return [render.problem(error), *[gr.skip()] * len(values)]
        place = (Epoch.PAST, Epoch.PRESENT, Epoch.FUTURE).index(candidate.epoch)
        updates: list[Any] = [gr.skip()] * len(values)
        updates[place] = with_candidates(values[place], [str(candidate)])
        sentence = f"Added to {candidate.epoch.capitalize()}: run it, evaluate it, or copy it from there."
        return [render.message(sentence), *updates]

    count = len(panel.inputs)
    first, second = panel.inputs.first, panel.inputs.second
    evaluation.change(offer, evaluation, [first, second, panel.curve, panel.threshold, panel.added], **QUIET)
    inputs = [evaluation, *panel.inputs, *decision]
    panel.simulate.click(simulate, inputs, [panel.curve, panel.threshold], **QUIET)
    panel.add.click(add, [first, second, panel.threshold, *lists], [panel.added, *lists], **QUIET)
