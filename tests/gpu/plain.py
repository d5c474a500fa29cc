"""Decoding written out, without the app and without generate(): what the app's times are compared with."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from llmops.core.request import Request
from llmops.engines.decoder import prompt


@dataclass(frozen=True)
class Plain:
    """Seconds to the first token and per token after it, and the tokens."""

    ttft_s: float
    tpot_s: float
    ids: tuple[int, ...]


def prompt_ids(model: Any, tokenizer: Any, asked: Request) -> torch.Tensor:
    """(1, tokens) of the text in its template, on the model's device."""
    context = prompt.context_length(model.config, tokenizer)
    return prompt.build(asked, tokenizer, context).ids.to(model.device)


@torch.inference_mode()
def decode(model: Any, tokenizer: Any, asked: Request) -> Plain:
    """Greedy, exactly max_new_tokens; each token is read back before the next is made, as a stream needs it."""
    _synchronize(model.device)
    started_s = time.perf_counter()
    step = prompt_ids(model, tokenizer, asked)
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    stamps, made = [], []
    for _ in range(asked.generation.max_new_tokens):
        logits = model(input_ids=step, past_key_values=cache, logits_to_keep=1).logits
        step = logits[:, -1].argmax(dim=-1, keepdim=True)
        made.append(int(step.item()))
        stamps.append(time.perf_counter())
    count = len(stamps)
    return Plain(stamps[0] - started_s, (stamps[-1] - stamps[0]) / max(1, count - 1), tuple(made))


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
