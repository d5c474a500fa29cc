"""What the prompts of a task have in common, read once: instruction and chat marks, up to where the texts begin.

Only batches use it. A run of its own reads its whole prompt, because its time to first token is to say what one request
costs. Entries are bounded in number and bytes, and belong to one loaded model.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmops.engines.decoder import byte_count

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_MAX_ENTRIES = 4  # tasks and languages
_MAX_BYTES = 256_000_000
_SLACK = 8  # tokens: two texts may begin alike, and a prefix that is kept still serves then


def common_length(prompts: Sequence[list[int]]) -> int:
    """Tokens that all prompts begin with; at least one token of each is left to be read."""
    first, last = min(prompts), max(prompts)  # the two that differ earliest
    limit = min(len(prompt) for prompt in prompts) - 1
    return next((i for i in range(limit) if first[i] != last[i]), limit)


class PrefixCache:
    """Caches of prefixes, the least recently used leaving first."""

    def __init__(self) -> None:
        self._caches: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def read(self, model: "PreTrainedModel", prompts: Sequence[list[int]]) -> int:
        """How many tokens of these prompts are in a cache, after reading their common beginning where need be."""
        from transformers import DynamicCache

        common = tuple(prompts[0][: common_length(prompts)]) if len(prompts) > 1 else ()
        cached = self._longest(common)
        if len(cached) < len(common) - _SLACK:
            cache = DynamicCache(config=model.config.get_text_config(decoder=True))
            model(input_ids=_tensor(common, model), past_key_values=cache, logits_to_keep=1)
            self._keep(common, cache)
            cached = self._longest(common)
        return len(cached)

    def rows(self, model: "PreTrainedModel", begin: Sequence[int], count: int) -> Any:  # noqa: ANN401
        """A cache of a beginning that was read, for so many rows; an empty one where there is no beginning."""
        from transformers import DynamicCache

        from llmops.compat.transformers_cache import for_rows

        cache = self._caches.get(tuple(begin))
        if cache is None:
            return DynamicCache(config=model.config.get_text_config(decoder=True))
        self._caches.move_to_end(tuple(begin))
        return for_rows(cache, count)

    def _longest(self, common: tuple[int, ...]) -> tuple[int, ...]:
        return max((prefix for prefix in self._caches if prefix == common[: len(prefix)]), key=len, default=())

    def _keep(self, ids: tuple[int, ...], cache: Any) -> None:  # noqa: ANN401
        self._caches[ids] = cache
        while len(self._caches) > _MAX_ENTRIES or self.bytes > _MAX_BYTES:
            self._caches.popitem(last=False)

    @property
    def bytes(self) -> int:
        """What all entries hold."""
        return sum(byte_count.cache_bytes(cache) or 0 for cache in self._caches.values())


def _tensor(ids: Sequence[int], model: "PreTrainedModel") -> "torch.Tensor":
    import torch

    return torch.tensor([ids], device=model.device)  # (1, tokens)
