"""Several prompts of one task through a decoder as one batch: answers, and a probability for each label.

The prompts' common beginning is read once (`prefix`), the rest of them some at a time, padded on the left; the same
reading gives the label likelihoods and starts the answers of all. Greedy only. With `verdict_only` nothing is generated
where `packed` proves the verdict.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from llmops.compat.transformers_models import takes_dynamic_cache
from llmops.engines.decoder import sampling, verdict_batch
from llmops.engines.decoder.answer_tokens import AnswerTokens
from llmops.engines.decoder.output_head import head_of
from llmops.engines.decoder.prefix_cache import PrefixCache

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, PreTrainedModel, StoppingCriteriaList

_ALIKE = 16  # prompts read at a time, nearly of one length: of 32, a third of what was read was padding


@dataclass(frozen=True)
class PromptBatch:
    """Prompts as token ids, and how they are answered."""

    prompts: Sequence[list[int]]
    words: AnswerTokens | None
    max_new_tokens: int
    verdict_only: bool = False


@dataclass(frozen=True)
class BatchAnswer:
    """ids: the generated tokens, or the proven verdict's. shares: label → probability, None where there is none."""

    ids: tuple[int, ...]
    shares: dict[str, float] | None
    proven: bool = False


def supports_batches(model: "PreTrainedModel") -> bool:
    """True where a padded batch over a shared cache means the same as each prompt alone: full attention, positions."""
    from transformers import DynamicCache

    from llmops.compat.transformers_cache import is_plain

    if not takes_dynamic_cache(model):
        return False
    cache: Any = DynamicCache(config=model.config.get_text_config(decoder=True))
    parameters = inspect.signature(model.forward).parameters
    if not is_plain(cache) or not {"position_ids", "logits_to_keep"} <= set(parameters):
        return False
    return verdict_batch.is_supported(model)


def answer_batch(
    model: "PreTrainedModel",
    base_config: "GenerationConfig",
    prefixes: PrefixCache,
    batch: PromptBatch,
    stopping: "StoppingCriteriaList",
) -> list[BatchAnswer]:
    """One answer a prompt, in order. Raises what the model raises."""
    import torch

    count = len(batch.prompts)
    scores: torch.Tensor | None = None
    proven: list[int | None] = [None] * count
    answer_ids: list[tuple[int, ...]] = [()] * count
    with torch.inference_mode():
        if batch.words is not None and batch.verdict_only:
            scores, proven = verdict_batch.score(model, prefixes, batch.prompts, batch.words)
        unproven = [number for number in range(count) if proven[number] is None]
        if unproven:
            read_prompts = _PrefilledPrompts(
                model, base_config.pad_token_id or 0, prefixes, [batch.prompts[number] for number in unproven]
            )
            if batch.words is not None and scores is None:
                scores = read_prompts.score(batch.words)
            answers = read_prompts.generate(sampling.greedy(base_config, batch.max_new_tokens), stopping)
            for number, ids in zip(unproven, answers, strict=True):
                answer_ids[number] = ids
    shares = (
        [None] * count
        if scores is None or batch.words is None
        else [_shares(batch.words.labels, row) for row in scores]
    )
    return [
        BatchAnswer(answer_ids[i], shares[i])
        if label is None or batch.words is None
        else BatchAnswer(batch.words.ids[label], shares[i], proven=True)
        for i, label in enumerate(proven)
    ]


def _shares(labels: Sequence[str], scores: "torch.Tensor") -> dict[str, float] | None:
    """softmax over the labels' log-likelihoods; None where the logits are no numbers (fp16 overflow)."""
    import torch

    if not all(isfinite(score) for score in scores.tolist()):
        return None
    return dict(zip(labels, torch.softmax(scores, dim=0).tolist(), strict=True))


class _PrefilledPrompts:
    """Prompts that have been read: the cache behind them, and the state at each one's last token."""

    def __init__(self, model: "PreTrainedModel", pad: int, prefixes: PrefixCache, prompts: Sequence[list[int]]) -> None:
        import torch

        from llmops.compat.transformers_cache import joined

        self._model, self._output = model, head_of(model)
        common = prefixes.read(model, prompts)
        longest = max(len(ids) for ids in prompts)
        rows = [list(ids[:common]) + [pad] * (longest - len(ids)) + list(ids[common:]) for ids in prompts]
        seen = [[1] * common + [0] * (longest - len(ids)) + [1] * (len(ids) - common) for ids in prompts]
        self._ids = torch.tensor(rows, device=model.device)  # (rows, longest)
        self._mask = torch.tensor(seen, device=model.device)
        self._lengths = self._mask.sum(dim=1, keepdim=True)  # (rows, 1)
        positions = (self._mask.cumsum(dim=1) - 1).clamp(min=0)
        order = list(range(len(prompts)))
        if len(order) > _ALIKE:
            order.sort(key=lambda number: len(prompts[number]))
        lasts, parts = [], []
        for start in range(0, len(order), _ALIKE):
            part = order[start : start + _ALIKE]
            width = max(len(prompts[number]) for number in part) - common
            begin = self._ids.shape[1] - width
            cache = prefixes.rows(model, prompts[0][:common], len(part))
            states = self._output.states(
                1,
                input_ids=self._ids[part, begin:],
                attention_mask=torch.cat([self._mask[part, :common], self._mask[part, begin:]], dim=1),
                position_ids=positions[part, begin:],
                past_key_values=cache,
            )
            lasts.append(states[:, -1])
            parts.append((part, width, cache))
        self._last = torch.empty_like(in_parts := torch.cat(lasts))  # (rows, width)
        self._last[order] = in_parts
        self._cache = parts[0][2] if len(parts) == 1 else joined(parts, common, longest)

    def score(self, words: AnswerTokens) -> "torch.Tensor":
        """(rows, labels) log-likelihoods of the answer words after each prompt."""
        count = len(self._last)
        firsts, rows = [word[0] for word in words.ids], range(count)
        first, _ = self._output.read(
            self._last, [row for row in rows for _ in firsts], [token for _ in rows for token in firsts]
        )
        scores = first.view(count, len(firsts))
        for number, word in enumerate(words.ids):
            if len(word) > 1:
                states = self._after(word[:-1])  # (rows, tokens, width)
                after, _ = self._output.read(states.flatten(0, 1), range(count * (len(word) - 1)), word[1:] * count)
                scores[:, number] += after.view(count, -1).sum(dim=1)
        return scores

    def _after(self, word: Sequence[int]) -> "torch.Tensor":
        """(rows, word's tokens, width): states behind each token of a word put after every prompt."""
        import torch

        from llmops.compat.transformers_cache import drop_last

        count, device = len(word), self._ids.device
        steps = torch.arange(count, device=device)
        states = self._output.states(
            count,
            input_ids=torch.tensor([word], device=device).expand(len(self._ids), count),
            attention_mask=torch.cat([self._mask, self._mask.new_ones(len(self._ids), count)], dim=1),
            position_ids=self._lengths + steps,
            past_key_values=self._cache,
        )
        drop_last(self._cache, count)
        return states

    def generate(self, config: "GenerationConfig", stopping: "StoppingCriteriaList") -> list[tuple[int, ...]]:
        """The answers, each with its end token where it came to one. The cache is used up."""
        from llmops.compat.transformers_cache import drop_last

        drop_last(self._cache, 1)  # generate() reads at least one token
        sequences = self._model.generate(
            inputs=self._ids,
            attention_mask=self._mask,
            past_key_values=self._cache,
            generation_config=config,
            stopping_criteria=stopping,
        )
        ends = set(config.eos_token_id or ())
        return [_until(row, ends) for row in sequences[:, self._ids.shape[1] :].tolist()]


def _until(ids: list[int], ends: set[int]) -> tuple[int, ...]:
    end = next((index + 1 for index, token in enumerate(ids) if token in ends), len(ids))
    return tuple(ids[:end])
