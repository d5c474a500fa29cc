"""transformers' models from inside: names with an underscore, and how its loader and its quantizers see a model.

Its caches are `transformers_cache`. Nothing heavy is imported before it is needed.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

MADE_FOR = "transformers 5.23.0"

BUILDING = threading.RLock()
"""Held wherever a model is built: meanwhile transformers replaces `PreTrainedModel.tie_weights` and torch's default
dtype for the whole process. Two that build at once find weights missing, and may leave the replacement behind for good.
"""

LOCAL_ONLY: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
"""What every `from_pretrained` is called with: none of a model's own code, and no network."""


def causal_class(config: "PretrainedConfig") -> Any:  # noqa: ANN401
    """The class that AutoModelForCausalLM would take, None where it has none; by itself it tells only by raising.

    And it wants a folder to load from, where the class itself loads from tensors that are handed to it too.
    """
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM._model_mapping.get(type(config), None)


def takes_dynamic_cache(model: "PreTrainedModel") -> bool:
    """True where generate() may be handed a DynamicCache; other models make a cache of their own kind."""
    return bool(model._supports_default_dynamic_cache())


def compiles_whole(model: "PreTrainedModel") -> bool:
    """True where transformers holds that a decode step has no branch that depends on what is in a tensor."""
    return bool(getattr(model, "_can_compile_fullgraph", False))


def attention_kind(model: "PreTrainedModel") -> str:
    """How the model computes attention: sdpa, eager, flash_attention_2 …"""
    return str(model.config._attn_implementation)


def blocks_of(model: "PreTrainedModel") -> list["torch.nn.Module"]:
    """The modules between which a forward pass can be left: those that accelerate keeps in one piece, layers mostly."""
    whole = set(getattr(model, "_no_split_modules", None) or ())
    return [
        module
        for module in model.modules()
        if type(module).__name__ in whole or type(module).__name__.endswith(("DecoderLayer", "Block"))
    ]


def layers_of(model: Any) -> Any:  # noqa: ANN401
    """The list of a causal model's decoder layers, in their order."""
    inner = getattr(model, "model", None) or getattr(model, "transformer", model)
    return inner.layers if hasattr(inner, "layers") else inner.h


def tied_names(model: "PreTrainedModel") -> set[str]:
    """Names in the state dictionary that a checkpoint leaves out: they are other tensors once more."""
    return set(model._tied_weights_keys or ()) if model.config.tie_word_embeddings else set()


def unquantized_names(model: "PreTrainedModel") -> set[str]:
    """Linear layers that transformers tells a quantizer to leave as they are: the output, and what is tied to it."""
    from transformers.quantizers.base import get_keys_to_not_convert

    return set(get_keys_to_not_convert(model))


class LazyTensor:
    """What the loader takes for a slice of a safetensors file: a tensor that is made when its turn comes.

    `from_pretrained(None, config=…, state_dict={name: LazyTensor(…)})` reads it like a file, quantizing as it goes.
    """

    def __init__(self, shape: tuple[int, ...], make: Callable[[tuple[int, ...]], "torch.Tensor"]) -> None:
        self.shape, self._make = shape, make

    def __getitem__(self, index: object) -> "torch.Tensor":
        """The whole tensor: `index` is always everything."""
        return self._make(self.shape)
