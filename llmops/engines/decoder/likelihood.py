"""A probability for every label: how likely the model finds each answer word after the prompt.

log p(word | prompt) is the sum over the word's tokens; softmax over the labels gives probabilities that sum to 1.
transformers' `decision` pipeline is not used: it asks its own question with option letters, and here the prompt must be
the very one that the answer was generated from. Words go as batches over the prompt's own cache, as many
as copies of it may lie side by side.
"""

from math import isfinite
from typing import TYPE_CHECKING, Any

from llmops.engines.decoder import byte_count
from llmops.engines.decoder.output_head import OutputHead, head_of

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_COPIES_BYTES = 256_000_000  # of the prompt's cache, one copy a word


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
    output = head_of(model)
    with torch.inference_mode():
        states = _states(output, prompt, words, cache)
        places = [(row, step) for row, word in enumerate(words) for step in range(len(word))]
        flat = torch.stack([states[row][step] for row, step in places])
        likelihoods, _ = output.read(flat, range(len(places)), [token for word in words for token in word])
    scores = [float(of_word.sum()) for of_word in torch.split(likelihoods, [len(word) for word in words])]
    if not all(isfinite(score) for score in scores):
        return None
    shares = torch.softmax(torch.tensor(scores, dtype=torch.float64), dim=0).tolist()
    return dict(zip(answers, shares, strict=True))


def _states(
    output: OutputHead,
    prompt: "torch.Tensor",
    words: list[list[int]],
    cache: Any,  # noqa: ANN401
) -> list["torch.Tensor"]:
    """One (1 + longest word, width) for each word: states from the prompt's last token on."""
    import torch

    length, longest = prompt.shape[1], max(len(word) for word in words)
    # (words, longest), filled up at the right, where causal attention keeps it from mattering
    filled = torch.tensor([word + [word[-1]] * (longest - len(word)) for word in words], device=prompt.device)
    states: list[torch.Tensor] = []
    for part in torch.split(filled, _words_at_a_time(cache)):
        prompt_cache = _prompt_cache(cache, length - 1)
        if prompt_cache is None:
            # Without a cache that can be cropped (sliding windows, states): word by word, one prompt's memory.
            states += [_alone(output, torch.cat([prompt, word[None]], dim=1), longest) for word in part]
            continue
        tail = torch.cat([prompt[:, -1:].expand(len(part), 1), part], dim=1)
        prompt_cache.batch_repeat_interleave(len(part))
        mask = torch.ones(len(part), length + longest, dtype=torch.long, device=prompt.device)
        states += output.states(longest + 1, input_ids=tail, past_key_values=prompt_cache, attention_mask=mask)
    return states


def _words_at_a_time(cache: Any) -> int:  # noqa: ANN401
    """As many words as copies of the prompt's cache may lie side by side."""
    one_bytes = byte_count.cache_bytes(cache) if cache is not None else None
    return max(1, _COPIES_BYTES // max(1, one_bytes or 1))


def _alone(output: OutputHead, ids: "torch.Tensor", longest: int) -> "torch.Tensor":
    """(1 + longest, width) of one prompt with its word, read afresh."""
    return output.states(longest + 1, input_ids=ids, use_cache=False)[0]


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
