"""A probability for every label: how likely the model finds each answer word after the prompt.

log p(word | prompt) is the sum over the word's tokens; softmax over the labels gives probabilities that sum to 1.
transformers' `decision` pipeline does something near it, but asks its own question with option letters; here the
prompt must be the very one that the answer was generated from. It is one forward pass, all words as one batch over the
prompt's own cache.
"""

import copy
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
) -> dict[str, float]:
    """Label id → probability. prompt: (1, tokens); cache: the cache after generation, which may be cropped here."""
    import torch

    words = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in answers.values()]
    with torch.inference_mode():
        logits = _logits(model, prompt, words, cache)
    scores = []
    for row, word in zip(logits, words, strict=True):
        # row: (1 + longest word, vocabulary); its first line predicts the word's first token
        steps = torch.log_softmax(row[: len(word)].float(), dim=-1)
        scores.append(sum(float(steps[i, token]) for i, token in enumerate(word)))
    shares = torch.softmax(torch.tensor(scores, dtype=torch.float64), dim=0).tolist()
    return dict(zip(answers, shares, strict=True))


def _logits(model: "PreTrainedModel", prompt: "torch.Tensor", words: list[list[int]], cache: Any) -> "torch.Tensor":  # noqa: ANN401
    """(words, 1 + longest, vocabulary): logits after the prompt's last token and after each of the word's tokens."""
    import torch

    length, longest = prompt.shape[1], max(len(word) for word in words)
    # (words, longest), filled up at the right, where causal attention keeps it from mattering
    tail = torch.tensor([word + [word[-1]] * (longest - len(word)) for word in words], device=prompt.device)
    tail = torch.cat([prompt[:, -1:].expand(len(words), 1), tail], dim=1)
    kept = _prompt_cache(cache, length - 1)
    if kept is not None:
        kept.batch_repeat_interleave(len(words))
        mask = torch.ones(len(words), length + longest, dtype=torch.long, device=prompt.device)
        return model(input_ids=tail, past_key_values=kept, attention_mask=mask).logits
    whole = torch.cat([prompt[:, :-1].expand(len(words), -1), tail], dim=1)
    return model(input_ids=whole, use_cache=False, logits_to_keep=longest + 1).logits


def _prompt_cache(cache: Any, tokens: int) -> Any:  # noqa: ANN401
    """The cache of the prompt's first `tokens`, or None where it can't be had (no cache, sliding windows, states)."""
    if cache is None or tokens < 1 or not getattr(cache, "is_croppable", False) or any(cache.is_sliding):
        return None
    extra = cache.get_seq_length() - tokens
    if extra < 0:
        return None
    kept = copy.copy(cache)
    kept.layers = [copy.copy(layer) for layer in cache.layers]
    if extra:
        kept.crop(-extra)
    return kept
