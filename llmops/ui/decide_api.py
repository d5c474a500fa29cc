"""The named endpoints /decide and /cascade: both read kept rows and run nothing."""

from typing import Any

import gradio as gr

from llmops.api.decision import cascade_data, decide_data
from llmops.ui.services import Services
from llmops.ui.visitor import visitor_of


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""

    def decide(
        request: gr.Request, evaluation: int | None = None, settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Which candidate: figures with cost and energy, who is ruled out and why, the Pareto front, a verdict.

        evaluation: its id; none: the newest. settings: an object with any of stays_here, no_gpu, max_memory_gb,
        max_p95_s, max_cost (for 1,000 requests), min_macro_f1, licences, keep_unknown, margin, axis (cost, latency,
        energy, memory), weights (quality and the axes), prices (candidate: [USD a million tokens read, written]),
        cpu_machine, gpu_machine, cpu_usd_hour, gpu_usd_hour, cpu_watts, gpu_watts, currency, per_usd, grid, g_per_kwh,
        utilisation, together (requests come many at once: times of batches count).
        """
        return decide_data(services.settings, evaluation, settings, visitor_of(request, services.settings))

    def cascade(
        request: gr.Request,
        first: str,
        second: str,
        evaluation: int | None = None,
        settings: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """An encoder where it is sure, else another candidate: a point a threshold, and the best threshold.

        first: an encoder of the evaluation. second: another candidate of it. evaluation: its id; none: the newest.
        settings: an object with any of goal (quality, cost, latency,
        energy, privacy), seed, max_cost, max_p95_s, max_leaving, min_macro_f1, and the prices and machines of /decide.
        The answer's `candidate` can be run like any other.
        """
        owner = visitor_of(request, services.settings)
        return cascade_data(services.settings, evaluation, first, second, settings, owner)

    gr.api(decide, api_name="decide")
    gr.api(cascade, api_name="cascade")
