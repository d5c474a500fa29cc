"""How a decoder picks its tokens: greedy at temperature 0, else plain sampling with a generator of the request's own.

The model's own generation settings (a repetition penalty, top-k, beams) are left out on purpose: models are compared
under the same rules. Sampling by a generator of one's own makes a seed mean the same whatever else runs.
"""

from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from llmops.core.errors import InputError
from llmops.core.request import Generation

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase

_SEEDS = 2**63


def check(settings: Generation) -> None:
    """Raise InputError for settings that no model can follow."""
    if settings.max_new_tokens < 1:
        raise InputError(f"max new tokens is {settings.max_new_tokens}; at least 1 is needed.", "Raise max new tokens.")
    if not (isfinite(settings.temperature) and 0 <= settings.temperature <= 100):
        raise InputError(f"The temperature is {settings.temperature}; it must be 0 to 100.", "Use 0 for greedy.")


def base_config(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> "GenerationConfig":
    """The model's special tokens and nothing else: generate() fills every gap from the model's own settings."""
    from transformers import GenerationConfig

    own = model.generation_config
    ends = own.eos_token_id if own is not None and own.eos_token_id is not None else tokenizer.eos_token_id
    ends = ends if isinstance(ends, list) else [] if ends is None else [ends]
    pad = next((token for token in (tokenizer.pad_token_id, *ends) if token is not None), 0)
    bos = own.bos_token_id if own is not None else None
    return GenerationConfig(eos_token_id=ends or None, pad_token_id=pad, bos_token_id=bos)


def greedy(base: "GenerationConfig", max_new_tokens: int) -> "GenerationConfig":
    """`base` for so many tokens at most. generate() stays greedy: `processors` does the sampling."""
    from transformers import GenerationConfig

    ids = {"eos_token_id": base.eos_token_id, "pad_token_id": base.pad_token_id, "bos_token_id": base.bos_token_id}
    return GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, num_beams=1, **ids)


def finish(base: "GenerationConfig", ids: Sequence[int]) -> str:
    """Why an answer ended: at an end token (`stop`), or at the most tokens (`length`)."""
    return "stop" if ids and ids[-1] in (base.eos_token_id or ()) else "length"


def processors(settings: Generation, device: str) -> "LogitsProcessorList":
    """Empty for greedy, else the sampler."""
    from transformers import LogitsProcessorList

    return LogitsProcessorList([_sampler()(settings, device)] if settings.temperature > 0 else [])


@cache
def _sampler() -> Any:  # noqa: ANN401
    """The class, made on first use: its base needs torch."""
    import torch
    from transformers import LogitsProcessor

    class Sampler(LogitsProcessor):  # type: ignore[misc]  # mypy does not follow transformers
        """Draws a token and leaves it as the only one that greedy decoding can take."""

        def __init__(self, settings: Generation, device: str) -> None:
            self._temperature = max(settings.temperature, 1e-3)
            self._generator = torch.Generator(device=device).manual_seed(settings.seed % _SEEDS)

        def __call__(self, _input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
            """(1, vocabulary) logits → the same shape, 0 at the drawn token and -inf elsewhere."""
            shares = torch.softmax(scores.float() / self._temperature, dim=-1)
            drawn = torch.multinomial(shares, 1, generator=self._generator)
            return torch.full_like(scores, -torch.inf).scatter_(1, drawn, 0.0)

    return Sampler
