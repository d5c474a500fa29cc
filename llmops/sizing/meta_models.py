"""transformers' own classes without any weights: on the meta device, from a configuration."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import BUILDING

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel


def build_config(settings: Mapping[str, Any], **changes: Any) -> "PretrainedConfig":  # noqa: ANN401
    """transformers' configuration of a mapping; marks of start and end are dropped, for they may lie outside."""
    from transformers import AutoConfig

    arguments = {"pad_token_id": 0, **settings, **changes, "bos_token_id": None, "eos_token_id": None}
    arguments.pop("quantization_config", None)
    return AutoConfig.for_model(arguments.pop("model_type"), **arguments)


def on_meta(config: "PretrainedConfig") -> "PreTrainedModel":
    """A model whose tensors have a shape and no values."""
    import torch
    from transformers import AutoModelForCausalLM

    with BUILDING, torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    return model
