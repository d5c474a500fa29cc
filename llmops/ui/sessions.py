"""Gradio's memory of a session, without what its deep links would need: they are off here.

For them it copies every component's configuration into each session, and writes every value into it that the visitor
sends, keys too: 2 to 3 MB a session for an hour after it has closed, and 20 ms of the first request.
"""

from types import SimpleNamespace
from typing import Any

from gradio import state_holder


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
