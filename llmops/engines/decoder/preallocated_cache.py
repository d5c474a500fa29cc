"""A cache layer with room for what comes: appending a token copies that token, not all that was there before."""

from typing import TYPE_CHECKING, Any

from transformers.cache_utils import DynamicLayer

if TYPE_CHECKING:
    import torch

_SPARE_TOKENS = 64  # tokens, each time it is full


class PreallocatedLayer(DynamicLayer):
    """`keys` and `values` are what is used of two larger tensors. Cropping works as usual: it makes the used part less.

    A copy shares the larger tensors, so only one of the two may go on.
    """

    def __init__(self, keys: "torch.Tensor", values: "torch.Tensor") -> None:
        """(rows, heads, tokens, size) each; they are read, never written to."""
        super().__init__()
        self.keys, self.values = keys, values
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._all_keys, self._all_values = keys, values
        self._owned = False

    def update(
        self,
        key_states: "torch.Tensor",
        value_states: "torch.Tensor",
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Append; all keys and values so far."""
        begin = self.keys.shape[-2]
        end = begin + key_states.shape[-2]
        if not self._owned or end > self._all_keys.shape[-2]:
            self._all_keys = _larger(self.keys, end + _SPARE_TOKENS)
            self._all_values = _larger(self.values, end + _SPARE_TOKENS)
            self._owned = True
        self._all_keys[:, :, begin:end] = key_states
        self._all_values[:, :, begin:end] = value_states
        self.keys, self.values = self._all_keys[:, :, :end], self._all_values[:, :, :end]
        return self.keys, self.values


def _larger(before: "torch.Tensor", tokens: int) -> "torch.Tensor":
    rows, heads, used, size = before.shape
    larger = before.new_empty(rows, heads, tokens, size)
    larger[:, :, :used] = before
    return larger
