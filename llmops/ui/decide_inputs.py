"""What the Decide tab asks: limits, axis, weights, prices, machines; one NamedTuple of components, then of values."""

from typing import Any, NamedTuple

import gradio as gr

from llmops.catalog import prices
from llmops.catalog.models import models
from llmops.core.typed_numbers import optional_number
from llmops.decision.assumptions import UTILISATION
from llmops.decision.decide import AXES, Limits

_PRICE_HEADERS = ["Candidate", "USD per million read", "USD per million written"]
_AXIS_NAMES = {"cost": "cost", "latency": "p95 latency", "energy": "energy", "memory": "memory"}


class DecisionInputs(NamedTuple):
    """Components while the page is built, their values in a callback. Empty fields are no limit and no edit."""

    stays_here: Any  # bool
    no_gpu: Any  # bool
    keep_unknown: Any  # bool
    max_memory_gb: Any  # float | None
    max_p95_s: Any
    max_cost: Any
    min_macro_f1: Any
    margin: Any  # points
    licences: Any  # list[str]
    axis: Any  # str
    weigh_quality: Any  # 0 to 10
    weigh_cost: Any
    weigh_latency: Any
    weigh_energy: Any
    weigh_memory: Any
    utilisation: Any  # percent
    together: Any  # bool
    currency: Any  # str
    per_usd: Any  # float | None
    grid: Any  # str
    g_per_kwh: Any
    cpu_machine: Any  # str | None
    cpu_usd_hour: Any
    cpu_watts: Any
    gpu_machine: Any
    gpu_usd_hour: Any
    gpu_watts: Any
    prices: Any  # rows of _PRICE_HEADERS

    def given(self) -> dict[str, Any]:
        """As the object that decision.decision_report reads."""
        limits = {
            "stays_here": bool(self.stays_here),
            "no_gpu": bool(self.no_gpu),
            "keep_unknown": bool(self.keep_unknown),
            "max_memory_gb": optional_number(self.max_memory_gb),
            "max_p95_s": optional_number(self.max_p95_s),
            "max_cost": optional_number(self.max_cost),
            "min_macro_f1": optional_number(self.min_macro_f1),
            "margin": (self.margin or 0) / 100,
            "licences": list(self.licences or []),
            "axis": self.axis,
        }
        weights = {
            "quality": self.weigh_quality,
            "cost": self.weigh_cost,
            "latency": self.weigh_latency,
            "energy": self.weigh_energy,
            "memory": self.weigh_memory,
        }
        weights = {name: weight for name, weight in weights.items() if weight}
        return limits | self.assumed() | ({"weights": weights} if weights else {})

    def assumed(self) -> dict[str, Any]:
        """Prices, machines, currency and grid alone, as the cascade reads them."""
        assumptions = {
            "currency": self.currency,
            "per_usd": optional_number(self.per_usd),
            "grid": self.grid,
            "g_per_kwh": optional_number(self.g_per_kwh),
            "cpu_machine": self.cpu_machine or None,
            "cpu_usd_hour": optional_number(self.cpu_usd_hour),
            "cpu_watts": optional_number(self.cpu_watts),
            "gpu_machine": self.gpu_machine or None,
            "gpu_usd_hour": optional_number(self.gpu_usd_hour),
            "gpu_watts": optional_number(self.gpu_watts),
            "utilisation": (self.utilisation or 0) / 100,
            "together": bool(self.together),
            "prices": _edited_prices(self.prices),
        }
        return {name: value for name, value in assumptions.items() if value is not None}


def _edited_prices(rows: Any) -> dict[str, list[float]]:  # noqa: ANN401  (list of rows)
    """Candidate → its two prices, where they are not the catalogue's; a row that is not filled in is left out."""
    known = {price.model: [price.input_usd, price.output_usd] for price in prices.token_prices()}
    edited = {}
    for row in rows or []:
        name, *cells = [*row, None, None][:3]
        name = str(name or "").strip()
        values = [value for cell in cells if (value := optional_number("" if cell is None else cell)) is not None]
        if name and len(values) == 2 and values != known.get(name):
            edited[name] = values
    return edited


def build() -> DecisionInputs:
    """Lay out the fields."""
    with gr.Accordion("Hard limits: what is ruled out", open=True):
        with gr.Row():
            stays_here = gr.Checkbox(False, label="Data must not leave this machine", min_width=240)
            no_gpu = gr.Checkbox(False, label="There is no GPU", min_width=200)
            keep_unknown = gr.Checkbox(False, label="Keep candidates whose figure is not known", min_width=240)
        with gr.Row():
            max_memory_gb = field("Memory here, GB, at most")
            max_p95_s = field("p95 latency, s, at most")
            max_cost = field("Cost of 1,000 requests, at most")
            min_macro_f1 = field("Macro-F1, 0 to 1, at least")
        with gr.Row():
            licences = gr.Dropdown(
                sorted({spec.licence for spec in models()}),
                multiselect=True,
                value=[],
                label="Licences allowed (none chosen: all)",
                scale=3,
                min_width=260,
            )
            margin = gr.Slider(
                0, 20, value=100 * Limits.margin, step=1, label="Points of accuracy given up for the axis", scale=2
            )
    axis = gr.Radio([(_AXIS_NAMES[axis], axis) for axis in AXES], value="cost", label="Quality against")
    with gr.Accordion("Weights (all at 0: none, the front decides)", open=False), gr.Row():
        weigh_quality, weigh_cost = _weight("quality"), _weight("cost")
        weigh_latency, weigh_energy, weigh_memory = _weight("p95 latency"), _weight("energy"), _weight("memory")
    with gr.Row():
        utilisation = gr.Slider(
            1, 100, value=100 * UTILISATION, step=1, label="Utilisation of own machines, %", min_width=260,
            elem_id="utilisation",
        )  # fmt: skip
        together = gr.Checkbox(
            False,
            label="Requests come many at once",
            info="Times of texts that shared a batch count, where there are any.",
            min_width=240,
        )
        currency = gr.Radio(
            [currency.code for currency in prices.currencies()], value="USD", label="Currency", min_width=160
        )
        grid = gr.Dropdown(
            [(f"{grid.name}, {grid.g_per_kwh:g} g/kWh ({grid.year})", grid.id) for grid in prices.grids()],
            value=prices.grids()[0].id,
            label="Power grid",
            min_width=220,
        )
    with gr.Accordion("Prices and machines (edit them: they differ and they age)", open=False):
        with gr.Row():
            per_usd = field("One USD in that currency", "as in the catalogue")
            g_per_kwh = field("Your own grid, g CO2 a kWh", "as in the catalogue")
        machines = [machine.name for machine in prices.machines()]
        cpus, gpus = ([name for name in machines if name.startswith("CPU") == is_cpu] for is_cpu in (True, False))
        with gr.Row():
            cpu_machine = gr.Dropdown(["", *cpus], value="", label="CPU machine (empty: as it ran)", min_width=220)
            cpu_usd_hour = field("CPU machine, USD an hour", "as in the catalogue")
            cpu_watts = field("CPU machine, W at work", "as in the catalogue")
        with gr.Row():
            gpu_machine = gr.Dropdown(["", *gpus], value="", label="GPU (empty: as it ran)", min_width=220)
            gpu_usd_hour = field("GPU, USD an hour", "as in the catalogue")
            gpu_watts = field("GPU, W at work", "as in the catalogue")
        tokens = gr.Dataframe(
            [[price.model, price.input_usd, price.output_usd] for price in prices.token_prices()],
            headers=_PRICE_HEADERS,
            datatype=["str", "number", "number"],
            type="array",
            row_count=len(prices.token_prices()) + 1,
            interactive=True,
            label="Prices by tokens; any candidate can be added",
            elem_id="token-prices",
        )
    return DecisionInputs(
        stays_here, no_gpu, keep_unknown, max_memory_gb, max_p95_s, max_cost, min_macro_f1, margin, licences, axis,
        weigh_quality, weigh_cost, weigh_latency, weigh_energy, weigh_memory,
        utilisation, together, currency, per_usd, grid, g_per_kwh, cpu_machine, cpu_usd_hour, cpu_watts,
        gpu_machine, gpu_usd_hour, gpu_watts, tokens,
    )  # fmt: skip


def field(label: str, otherwise: str = "no limit") -> gr.Textbox:
    """An optional number; Gradio's own number field has no way to be empty at first."""
    return gr.Textbox("", label=label, placeholder=otherwise, min_width=190, max_lines=1)


def _weight(name: str) -> gr.Slider:
    return gr.Slider(0, 10, value=0, step=1, label=f"Weight of {name}", min_width=150)
