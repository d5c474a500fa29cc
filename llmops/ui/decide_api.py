"""The named endpoints /decide and /cascade, registered: both read kept rows and run nothing."""

from typing import Any

from llmops.api.decision import cascade_data, decide_data
from llmops.ui.endpoints import register
from llmops.ui.services import Services


def wire(services: Services) -> None:
    """Register the endpoints in the current Blocks."""

    def decide(evaluation: int | None = None, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Which candidate: figures with cost and energy, who is ruled out and why, the Pareto front, a verdict.

        Parameters:
            evaluation: its id; none: the newest
        """
        return decide_data(services.settings, evaluation, settings, services.asking().owner)

    def cascade(
        first: str, second: str, evaluation: int | None = None, settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """An encoder where it is sure, else another candidate: a point a threshold, and the best threshold.

        The answer's `candidate` can be run like any other.

        Parameters:
            first: an encoder of the evaluation
            second: another candidate of it
            evaluation: its id; none: the newest
        """
        return cascade_data(services.settings, evaluation, first, second, settings, services.asking().owner)

    register(decide, "decide")
    register(cascade, "cascade")
