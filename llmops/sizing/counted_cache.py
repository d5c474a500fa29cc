"""What a decoder's layers keep, read off a real cache at two lengths: for families that `shape` has no formulas for.

The same architecture runs with a small hidden size and vocabulary, all weights zero: what is kept depends on heads and
head sizes alone. Takes torch and some seconds.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from llmops.core.errors import InputError
from llmops.sizing.meta_models import build_config, on_meta
from llmops.sizing.shape import LayerCache

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

EXPERT_COUNTS = ("n_routed_experts", "num_local_experts", "num_experts")
"""Names under which configurations have the number of experts."""
_SMALL = {
    "intermediate_size": 16, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16,
    "intermediate_size_mlp": 16, "vocab_size": 64, "vocab_size_per_layer_input": 64, "hidden_size_per_layer_input": 8,
}  # fmt: skip
_SHORT, _LONG = 4, 8  # tokens; below any window


def count_cache(settings: dict[str, Any], config: "PretrainedConfig") -> tuple[LayerCache, ...]:
    """Caches by kind of layer. Raises InputError where nothing is kept, or in a kind that is not known here."""
    attributes = config.to_dict()
    changes: dict[str, Any] = {name: size for name, size in _SMALL.items() if attributes.get(name)}
    changes |= {name: 16 for name in EXPERT_COUNTS if (attributes.get(name) or 0) > 16}
    heads = int(attributes["num_attention_heads"])
    changes["hidden_size"] = heads * -(-64 // heads)  # some want a multiple
    if not attributes.get("head_dim") and not attributes.get("kv_lora_rank"):
        changes["head_dim"] = attributes["hidden_size"] // heads
    small = build_config(settings, **changes)
    model = on_meta(small).to_empty(device="cpu").eval()
    import torch

    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.zero_()
    short, long = _layers_after_prompt(model, small, _SHORT), _layers_after_prompt(model, small, _LONG)
    kinds = Counter(_layer_cache(*pair) for pair in zip(short, long, strict=True))
    if not any(values or state for values, _, state, _ in kinds):
        raise InputError(
            "It keeps nothing of what it has read, so it is no decoder.", "Choose a causal language model."
        )
    return tuple(
        LayerCache(count, values, window, state, state_fp32)
        for (values, window, state, state_fp32), count in kinds.items()
        if values or state or state_fp32
    )


def _layers_after_prompt(model: "PreTrainedModel", config: "PretrainedConfig", tokens: int) -> list[Any]:
    """The cache's layers after a prompt of so many tokens."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=config)
    with torch.inference_mode():
        model.to(torch.bfloat16)(torch.ones((1, tokens), dtype=torch.long), past_key_values=cache)
    return list(cache.layers)


def _layer_cache(short: Any, long: Any) -> tuple[int, int | None, int, int]:  # noqa: ANN401
    """(values a token, window, state in the model's format, state in fp32) of one layer."""
    from llmops.compat.transformers_cache import COUNTABLE, tensors_of

    layer_kind = type(short).__name__
    if layer_kind not in COUNTABLE:
        raise InputError(f"Its cache is of a kind that can't be counted here ({layer_kind}).", "Choose another model.")
    counts = [sum(t.numel() for t in tensors_of(layer) if t.element_size() == 2) for layer in (short, long)]
    fixed = sum(t.numel() for t in tensors_of(short) if t.element_size() == 4)
    values = (counts[1] - counts[0]) // (_LONG - _SHORT)
    return values, getattr(short, "sliding_window", None) if values else None, counts[0] - values * _SHORT, fixed
