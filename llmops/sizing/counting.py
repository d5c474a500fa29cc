"""A decoder's sizes counted on transformers' own classes: for every family that `shape` has no formulas for.

Parameters on the meta device; the cache is `counted_cache`'s part. Takes torch and some seconds, so results are kept.
`python -m llmops count` prints what a catalogue row needs.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import unquantized_names
from llmops.core.errors import InputError
from llmops.sizing.counted_cache import EXPERT_COUNTS, count_cache
from llmops.sizing.meta_models import build_config, on_meta
from llmops.sizing.shape import Shape, text_config

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_NEEDED = ("model_type", "num_hidden_layers", "hidden_size", "vocab_size")


def count_shape(config: Mapping[str, Any]) -> Shape:
    """A configuration as a Shape. Raises InputError where transformers has no decoder for it."""
    return _count_cached(json.dumps(text_config(config), sort_keys=True, default=str))


@lru_cache(maxsize=64)
def _count_cached(text: str) -> Shape:
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


def _count(settings: dict[str, Any]) -> Shape:
    if missing := [name for name in _NEEDED if not settings.get(name)]:
        raise InputError(
            f"The configuration is none of a decoder ({', '.join(missing)} missing).", "Choose a causal language model."
        )
    config = build_config(settings)
    values = config.to_dict()
    if values.get("is_decoder") is False:  # an encoder's causal class would have an output layer of random numbers
        raise InputError(f"A {settings['model_type']} model is no decoder.", "Choose a causal language model.")
    model = on_meta(config)
    linear = _linear_layers(model)
    embedding, head, experts, small = _parameters_by_group(model, {id(module.weight) for module in linear})
    expert_count = next((values[name] for name in EXPERT_COUNTS if values.get(name)), 0)
    expert_count = expert_count if experts else 0
    per_token = values.get("num_experts_per_tok") or values.get("top_k_experts") or values.get("num_experts_per_token")
    heads = int(values["num_attention_heads"])
    head_dim = values.get("v_head_dim") or values.get("head_dim") or values["hidden_size"] // heads
    expert_width = int(
        values.get("moe_intermediate_size") or values.get("intermediate_size") or 4 * values["hidden_size"]
    )
    return Shape(
        model_type=str(settings["model_type"]),
        layers=int(values["num_hidden_layers"]),
        hidden=int(values["hidden_size"]),
        width=heads * int(head_dim),
        vocab=int(values["vocab_size"]),
        tied=head == 0,
        context=int(values["max_position_embeddings"]),
        embedding=embedding,
        head=head,
        linear=sum(module.weight.numel() for module in linear),
        linear_rows=sum(module.weight.shape[0] for module in linear),
        linear_count=len(linear),
        largest=max(module.weight.numel() for module in linear),
        small=small,
        active_width=int(per_token or 1) * expert_width if expert_count else int(values["intermediate_size"]),
        cache=count_cache(settings, config),
        expert_params=experts,
        experts=int(expert_count),
        experts_per_token=int(per_token or 1) if expert_count else 0,
    )


def _linear_layers(model: "PreTrainedModel") -> list[Any]:
    """The layers that bitsandbytes replaces: plain linear ones, but those that transformers tells it to leave."""
    from torch import nn

    unquantized = unquantized_names(model)
    return [module for name, module in model.named_modules() if type(module) is nn.Linear and name not in unquantized]


def _parameters_by_group(model: "PreTrainedModel", linear_ids: set[int]) -> tuple[int, int, int, int]:
    """Parameters of (looked-up tables, the output layer where it is not one of them, experts, everything else)."""
    from torch import nn

    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    output = model.get_output_embeddings()
    output_id = id(output.weight) if output is not None else 0
    embedding = head = experts = small = 0
    for name, parameter in model.named_parameters():
        size = parameter.numel()
        if id(parameter) in tables:
            embedding += size
        elif id(parameter) == output_id and not model.config.tie_word_embeddings:
            head += size
        elif id(parameter) == output_id or id(parameter) in linear_ids:
            continue
        elif ".experts." in name:
            experts += size
        else:
            small += size
    return embedding, head, experts, small
