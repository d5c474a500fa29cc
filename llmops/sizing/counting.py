"""A decoder's sizes counted on transformers' own classes: for every family that `shape` has no formulas for.

Parameters on the meta device; the cache by running the same architecture with a small hidden size and vocabulary, all
weights zero: what is kept depends on heads and head sizes alone. Takes torch and some seconds, so results are kept.
`python -m llmops count` prints what a catalogue row needs.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llmops.core.errors import InputError
from llmops.sizing.shape import LayerCache, Shape, text_config

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

_SMALL = {
    "intermediate_size": 16, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16,
    "intermediate_size_mlp": 16, "vocab_size": 64, "vocab_size_per_layer_input": 64, "hidden_size_per_layer_input": 8,
}  # fmt: skip
_EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts")
_NEEDED = ("model_type", "num_hidden_layers", "hidden_size", "vocab_size")
_SHORT, _LONG = 4, 8  # tokens; below any window
_COUNTABLE = {"DynamicLayer", "DynamicSlidingWindowLayer", "DynamicIndexedLayer", "LinearAttentionLayer", "DummyLayer"}


def count_shape(config: Mapping[str, Any]) -> Shape:
    """A configuration as a Shape. Raises InputError where transformers has no decoder for it."""
    return _counted(json.dumps(text_config(config), sort_keys=True, default=str))


@lru_cache(maxsize=64)
def _counted(text: str) -> Shape:
    settings: dict[str, Any] = json.loads(text)
    try:
        return _count(settings)
    except InputError:
        raise
    except Exception as error:  # whatever a library says of a configuration that somebody else wrote
        first = (str(error.__cause__ or error).splitlines() or [""])[0][:200]
        raise InputError(
            f"transformers can't build this model ({first or type(error).__name__}).", "Choose another model."
        ) from error


def made_config(settings: Mapping[str, Any], **changes: Any) -> "PretrainedConfig":  # noqa: ANN401
    """transformers' configuration of a mapping; marks of start and end are dropped, for they may lie outside."""
    from transformers import AutoConfig

    given = {"pad_token_id": 0, **settings, **changes, "bos_token_id": None, "eos_token_id": None}
    given.pop("quantization_config", None)
    return AutoConfig.for_model(given.pop("model_type"), **given)


def _count(settings: dict[str, Any]) -> Shape:
    if missing := [name for name in _NEEDED if not settings.get(name)]:
        raise InputError(
            f"The configuration is none of a decoder ({', '.join(missing)} missing).", "Choose a causal language model."
        )
    config = made_config(settings)
    known = config.to_dict()
    if known.get("is_decoder") is False:  # an encoder's causal class would have an output layer of random numbers
        raise InputError(f"A {settings['model_type']} model is no decoder.", "Choose a causal language model.")
    model = _on_meta(config)
    linear = _linear(model)
    embedding, head, experts, small = _rest(model, {id(module.weight) for module in linear})
    count = next((known[name] for name in _EXPERTS if known.get(name)), 0)
    count = count if experts else 0
    per_token = known.get("num_experts_per_tok") or known.get("top_k_experts") or known.get("num_experts_per_token")
    heads = int(known["num_attention_heads"])
    head_dim = known.get("v_head_dim") or known.get("head_dim") or known["hidden_size"] // heads
    wide = int(known.get("moe_intermediate_size") or known.get("intermediate_size") or 4 * known["hidden_size"])
    return Shape(
        model_type=str(settings["model_type"]),
        layers=int(known["num_hidden_layers"]),
        hidden=int(known["hidden_size"]),
        width=heads * int(head_dim),
        vocab=int(known["vocab_size"]),
        tied=head == 0,
        context=int(known["max_position_embeddings"]),
        embedding=embedding,
        head=head,
        linear=sum(module.weight.numel() for module in linear),
        linear_rows=sum(module.weight.shape[0] for module in linear),
        linear_count=len(linear),
        largest=max(module.weight.numel() for module in linear),
        small=small,
        active_width=int(per_token or 1) * wide if count else int(known["intermediate_size"]),
        cache=_cache(settings, config),
        expert_params=experts,
        experts=int(count),
        experts_per_token=int(per_token or 1) if count else 0,
    )


def _on_meta(config: "PretrainedConfig") -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        made: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    return made


def _linear(model: "PreTrainedModel") -> list[Any]:
    """The layers that bitsandbytes replaces: plain linear ones, but those that transformers tells it to leave."""
    from torch import nn
    from transformers.quantizers.base import get_keys_to_not_convert

    left = set(get_keys_to_not_convert(model))
    return [module for name, module in model.named_modules() if type(module) is nn.Linear and name not in left]


def _rest(model: "PreTrainedModel", linear: set[int]) -> tuple[int, int, int, int]:
    """Parameters of (looked-up tables, the output layer where it is not one of them, experts, everything else)."""
    from torch import nn

    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    output = model.get_output_embeddings()
    out = id(output.weight) if output is not None else 0
    embedding = head = experts = small = 0
    for name, parameter in model.named_parameters():
        size = parameter.numel()
        if id(parameter) in tables:
            embedding += size
        elif id(parameter) == out and not model.config.tie_word_embeddings:
            head += size
        elif id(parameter) == out or id(parameter) in linear:
            continue
        elif ".experts." in name:
            experts += size
        else:
            small += size
    return embedding, head, experts, small


def _cache(settings: dict[str, Any], config: "PretrainedConfig") -> tuple[LayerCache, ...]:
    """What the layers keep, read off a real cache at two lengths."""
    known = config.to_dict()
    changes: dict[str, Any] = {name: size for name, size in _SMALL.items() if known.get(name)}
    changes |= {name: 16 for name in _EXPERTS if (known.get(name) or 0) > 16}
    heads = int(known["num_attention_heads"])
    changes["hidden_size"] = heads * -(-64 // heads)  # some want a multiple
    if not known.get("head_dim") and not known.get("kv_lora_rank"):
        changes["head_dim"] = known["hidden_size"] // heads
    small = made_config(settings, **changes)
    model = _on_meta(small).to_empty(device="cpu").eval()
    import torch

    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.zero_()
    short, long = _filled(model, small, _SHORT), _filled(model, small, _LONG)
    kinds = Counter(_kept(one, other) for one, other in zip(short, long, strict=True))
    if not any(values or state for values, _, state, _ in kinds):
        raise InputError(
            "It keeps nothing of what it has read, so it is no decoder.", "Choose a causal language model."
        )
    return tuple(
        LayerCache(count, values, window, state, state_fp32)
        for (values, window, state, state_fp32), count in kinds.items()
        if values or state or state_fp32
    )


def _filled(model: "PreTrainedModel", config: "PretrainedConfig", tokens: int) -> list[Any]:
    """The cache's layers after a prompt of so many tokens."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=config)
    with torch.inference_mode():
        model.to(torch.bfloat16)(torch.ones((1, tokens), dtype=torch.long), past_key_values=cache)
    return list(cache.layers)


def _kept(short: Any, long: Any) -> tuple[int, int | None, int, int]:  # noqa: ANN401
    """(values a token, window, state in the model's format, state in fp32) of one layer."""
    kind = type(short).__name__
    if kind not in _COUNTABLE:
        raise InputError(f"Its cache is of a kind that can't be counted here ({kind}).", "Choose another model.")
    full = [sum(t.numel() for t in tensors_in(vars(one)) if t.element_size() == 2) for one in (short, long)]
    fixed = sum(t.numel() for t in tensors_in(vars(short)) if t.element_size() == 4)
    values = (full[1] - full[0]) // (_LONG - _SHORT)
    return values, getattr(short, "sliding_window", None) if values else None, full[0] - values * _SHORT, fixed


def tensors_in(value: Any) -> Iterator["torch.Tensor"]:  # noqa: ANN401
    """Tensors of one dimension and more in an object's attributes, lists and mappings too."""
    import torch

    if isinstance(value, torch.Tensor):
        if value.dim():
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from tensors_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one)
