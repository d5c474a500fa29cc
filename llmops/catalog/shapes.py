"""A configuration's Shape, the cheapest way that is known."""

from collections.abc import Mapping
from typing import Any

from llmops.catalog.architectures import architectures
from llmops.sizing.counting import count_shape
from llmops.sizing.shape import Shape, is_known, read_shape


def shape_of(config: Mapping[str, Any]) -> Shape:
    """A configuration as a Shape: by formula where there is one, as the catalogue counted it, else counted now.

    Raises InputError.
    """
    if is_known(config):
        return read_shape(config)
    counted = next((row.shape for row in architectures() if row.counted and row.config == config), None)
    return counted or count_shape(config)
