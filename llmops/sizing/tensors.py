"""Tensors inside objects: a cache's layers hold theirs in attributes, lists and mappings."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def tensors_in(value: Any) -> Iterator["torch.Tensor"]:  # noqa: ANN401
    """Tensors of one dimension and more in an object's attributes, lists and mappings too."""
    import torch

    if isinstance(value, torch.Tensor):
        if value.dim():
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
