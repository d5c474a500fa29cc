"""A probability for every label: how likely the model finds each answer word after the prompt.

log p(word | prompt) is the sum over the word's tokens; softmax over the labels gives probabilities that sum to 1.
transformers' `decision` pipeline is not used: it asks its own question with option letters, and here the prompt must be
the very one that the answer was generated from. All words go as one batch over the prompt's own cache.
"""

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def label_probabilities(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: "torch.Tensor",
    answers: dict[str, str],
    cache: Any = None,  # noqa: ANN401
) -> dict[str, float] | None:
    """Label id → probability; None where a word has no tokens or the logits are no numbers (fp16 overflow).

    prompt: (1, tokens). cache: the cache after generation; it is copied, never changed.
    """
    import torch

    words = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in answers.values()]
    if not words or not all(words):
        return None
    with torch.inference_mode():
        logits = _logits(model, prompt, words, cache)
    scores = []
    for row, word in zip(logits, words, strict=True):
        # row: (1 + longest word, vocabulary); its first line predicts the word's first token
        steps = torch.log_softmax(row[: len(word)].float(), dim=-1)
        scores.append(sum(float(steps[i, token]) for i, token in enumerate(word)))
    if not all(isfinite(score) for score in scores):
        return None
    shares = torch.softmax(torch.tensor(scores, dtype=torch.float64), dim=0).tolist()
    return dict(zip(answers, shares, strict=True))


def _logits(
    model: "PreTrainedModel",
    prompt: "torch.Tensor",
    words: list[list[int]],
    cache: Any,  # noqa: ANN401
) -> list["torch.Tensor"]:
    """One (1 + word's tokens or more, vocabulary) for each word: logits from the prompt's last token on."""
    import torch

    length, longest = prompt.shape[1], max(len(word) for word in words)
    # (words, longest), filled up at the right, where causal attention keeps it from mattering
    filled = torch.tensor([word + [word[-1]] * (longest - len(word)) for word in words], device=prompt.device)
    prompt_cache = _prompt_cache(cache, length - 1)
    if prompt_cache is not None:
        tail = torch.cat([prompt[:, -1:].expand(len(words), 1), filled], dim=1)
        prompt_cache.batch_repeat_interleave(len(words))
        mask = torch.ones(len(words), length + longest, dtype=torch.long, device=prompt.device)
        return list(model(input_ids=tail, past_key_values=prompt_cache, attention_mask=mask).logits)
    # Without a cache that can be cropped (sliding windows, states): word by word, so that memory stays one prompt's.
    return [_alone(model, torch.cat([prompt, word[None]], dim=1), longest) for word in filled]


def _alone(model: "PreTrainedModel", ids: "torch.Tensor", longest: int) -> "torch.Tensor":
    """(1 + longest, vocabulary) of one prompt with its word, read afresh."""
    logits: torch.Tensor = model(input_ids=ids, use_cache=False, logits_to_keep=longest + 1).logits
    return logits[0]


def _prompt_cache(cache: Any, tokens: int) -> Any:  # noqa: ANN401
    """A copy of the cache for the prompt's first `tokens`; None where it can't be had."""
    from llmops.compat.transformers_cache import drop_last, is_plain, shared_copy

    if cache is None or tokens < 1 or not is_plain(cache):
        return None
    extra = cache.get_seq_length() - tokens
    if extra < 0:
        return None
    prompt_cache = shared_copy(cache)
    drop_last(prompt_cache, extra)
    return prompt_cache
