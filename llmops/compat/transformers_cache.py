"""transformers' caches from inside: a layer with room for what comes, and copies that share what was read before.

Imports transformers, so it is imported where a decoder is at work. What counts: a cache is an object with `layers`,
each with `keys` and `values` of (rows, heads, tokens, size), which cropping and repeating replace and never change.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, StaticCache, StaticLayer

MADE_FOR = "transformers 5.23.0"
_SPARE_TOKENS = 64  # each time it is full
_PAIR = ("keys", "values")
COUNTABLE = {"DynamicLayer", "DynamicSlidingWindowLayer", "DynamicIndexedLayer", "LinearAttentionLayer", "DummyLayer"}
"""Kinds of layers whose tensors grow with every token, or not at all; of others it is not known."""


class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]  # mypy does not follow transformers
    """Appending a token copies that token, not all that was there before, as transformers' own layer does.

    `keys` and `values` are what is used of two larger tensors. Cropping works as usual: it makes the used part less.
    A copy shares the larger tensors, so only one of the two may go on.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """(rows, heads, tokens, size) each; they are read, never written to."""
        super().__init__()
        self.keys, self.values = keys, values
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._all_keys, self._all_values = keys, values
        self._owned = False

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *_args: Any,  # noqa: ANN401
        **_kwargs: Any,  # noqa: ANN401
    ) -> tuple[torch.Tensor, torch.Tensor]:
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


def _larger(before: torch.Tensor, tokens: int) -> torch.Tensor:
    rows, heads, used, size = before.shape
    larger = before.new_empty(rows, heads, tokens, size)
    larger[:, :, :used] = before
    return larger


def is_plain(cache: Any) -> bool:  # noqa: ANN401
    """True where all layers keep all keys and values: no sliding window, no state. What is below wants such a cache."""
    return bool(getattr(cache, "is_croppable", False)) and not any(cache.is_sliding)


def static_cache(model: Any, tokens: int) -> Any:  # noqa: ANN401
    """A cache with room for so many tokens of one row, whose tensors stay where they are."""
    return StaticCache(config=model.config.get_text_config(decoder=True), max_cache_len=tokens)


def is_static(cache: Any) -> bool:  # noqa: ANN401
    """True where every layer keeps all keys and values, counted on the device: other kinds count in Python."""
    return all(type(layer) is StaticLayer for layer in cache.layers)


def rewind(cache: Any) -> None:  # noqa: ANN401
    """A static cache begins again; what lies behind its count is never attended to."""
    for layer in cache.layers:
        layer.cumulative_length.zero_()


def as_dynamic(cache: Any, tokens: int) -> Any:  # noqa: ANN401
    """The first tokens of a static cache as a dynamic one that shares its tensors: to be read and cropped."""
    dynamic = DynamicCache()
    for layer in cache.layers:
        shared = DynamicLayer()
        shared.keys, shared.values = layer.keys[:, :, :tokens], layer.values[:, :, :tokens]
        shared.dtype, shared.device, shared.is_initialized = layer.keys.dtype, layer.keys.device, True
        dynamic.layers.append(shared)
    return dynamic


def shared_copy(cache: Any) -> Any:  # noqa: ANN401
    """Another cache with the same tensors; each may be cropped and repeated without the other's notice."""
    copied = copy.copy(cache)
    copied.layers = [copy.copy(layer) for layer in cache.layers]
    return copied


def drop_last(cache: Any, tokens: int) -> None:  # noqa: ANN401
    """Forget the last tokens. crop() once took the length to keep; a positive number raises now."""
    cache.crop(-tokens)


def for_rows(cache: Any, rows: int) -> Any:  # noqa: ANN401
    """The same keys and values under every row; what is appended is the new cache's own. cache: of one row."""
    copied = copy.copy(cache)
    copied.layers = [
        PreallocatedLayer(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1))
        for layer in cache.layers
    ]  # (rows, heads, tokens, size)
    return copied


def joined(parts: Sequence[tuple[list[int], int, Any]], common: int, tokens: int) -> Any:  # noqa: ANN401
    """One cache out of (rows, width of what follows the common beginning, cache) each, padded between the two.

    tokens: of the whole. The parts are used up.
    """
    whole = copy.copy(parts[0][2])
    whole.layers = []
    for number in range(len(parts[0][2].layers)):
        pair = [
            _joined([(*part[:2], part[2].layers[number]) for part in parts], name, common, tokens) for name in _PAIR
        ]
        for _, _, cache in parts:
            cache.layers[number] = None  # so that nothing is held twice but one layer
        whole.layers.append(PreallocatedLayer(*pair))
    return whole


def _joined(parts: Sequence[tuple[list[int], int, Any]], name: str, common: int, tokens: int) -> torch.Tensor:
    """(all rows, heads, tokens, size) of one layer's keys or values."""
    first: torch.Tensor = getattr(parts[0][2], name)
    whole = first.new_zeros(sum(len(rows) for rows, _, _ in parts), first.shape[1], tokens, first.shape[3])
    for rows, width, layer in parts:
        part = getattr(layer, name)
        whole[rows, :, :common] = part[:, :, :common]
        whole[rows, :, tokens - width :] = part[:, :, common:]
    return whole


def tensors_of(layer: object) -> list[torch.Tensor]:
    """Tensors of one dimension and more that a layer holds: keys, values and states; counters are none of them."""
    return list(_tensors_in(vars(layer)))


def _tensors_in(value: object) -> Iterator[torch.Tensor]:
    """In lists and mappings too."""
    if isinstance(value, torch.Tensor):
        if value.dim():
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors_in(item)
