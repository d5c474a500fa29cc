"""Gradio's memory of sessions and events, without what its deep links and its monitoring need: both are off here.

For deep links it copies every component's configuration into each session, and writes every value into it that the
visitor sends, keys too: 2 to 3 MB a session for an hour after it has closed, and 20 ms of the first request. For
monitoring it makes a table of all events whenever some more have ended: 30 MB a minute under fifty visitors, which the
library of the table does not give back.
"""

from types import SimpleNamespace
from typing import Any

from gradio import queueing, state_holder


class LightSession(state_holder.SessionState):
    """States and what rendering has added; no copy of the page."""

    def __init__(self, blocks: Any) -> None:  # noqa: ANN401
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]

    def __setitem__(self, key: int, value: Any) -> None:  # noqa: ANN401
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Nothing is kept."""

    def _update_value_in_config(self, key: int, value: object) -> None:
        """Nothing is kept."""


def keep_light() -> None:
    """From now on, in this process."""
    state_holder.SessionState = LightSession  # type: ignore[misc]
    queueing.Queue.compute_analytics_summary = _no_summary  # type: ignore[method-assign]


def _no_summary(queue: queueing.Queue, records: object) -> dict[str, Any]:
    return queue.cached_event_analytics_summary
