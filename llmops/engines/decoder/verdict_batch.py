"""Verdicts of many prompts in one forward pass, nothing generated.

Prompts lie one behind the other in a few rows without padding; a mask lets each see only itself and the common
beginning, whose cache is shared. Behind its last token every prompt has a branch for each answer word. The logits there
give the words' likelihoods, and show where greedy decoding would say a word and end it: then the verdict is proven.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmops.compat.transformers_models import attention_kind
from llmops.engines.decoder.answer_tokens import AnswerTokens
from llmops.engines.decoder.prefix_cache import PrefixCache

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_ROW_TOKENS = (
    64  # tokens, or the longest prompt: attention costs the square of a row, each row more a little of everything
)
_ATTENTION = ("sdpa", "eager")  # those that take a mask of any shape


def is_supported(model: "PreTrainedModel") -> bool:
    """True where the model's attention takes such a mask."""
    return attention_kind(model) in _ATTENTION


@dataclass
class _Row:
    """Prompts of one row, by number; `tokens` without and `heads` with what logits are needed of."""

    prompts: list[int] = field(default_factory=list)
    tokens: int = 0


def score(
    model: "PreTrainedModel", prefixes: PrefixCache, prompts: Sequence[list[int]], words: AnswerTokens
) -> tuple["torch.Tensor", list[int | None]]:
    """(prompts, labels) log-likelihoods; and for each prompt the label that greedy decoding surely says, or None."""
    import torch

    start = prefixes.read(model, prompts)
    bodies = [prompt[start:] for prompt in prompts]
    branches = [token for word in words.ids for token in word]
    head = 1 + len(branches)  # of each prompt: its last token, then the words
    rows = _pack([len(body) - 1 + head for body in bodies])
    width = max(row.tokens for row in rows)
    heads = head * max(len(row.prompts) for row in rows)
    packed = _Packed(
        torch.zeros(len(rows), width, dtype=torch.long),
        torch.zeros(len(rows), width, dtype=torch.long),
        torch.zeros(len(rows), width, width, dtype=torch.bool),
        torch.ones(width, width, dtype=torch.bool).tril(),
    )
    for number, row in enumerate(rows):
        _write_row(packed, number, row, bodies, words, start)
    seen = packed.seen
    seen |= torch.eye(width, dtype=torch.bool)  # padding sees itself: a softmax over nothing is no number
    mask = torch.cat([torch.ones(len(rows), width, start, dtype=torch.bool), seen], dim=2)[:, None]
    added = torch.zeros(mask.shape, dtype=model.dtype).masked_fill_(~mask, torch.finfo(model.dtype).min)
    logits = model(
        input_ids=packed.ids.to(model.device),
        position_ids=packed.positions.to(model.device),
        attention_mask=added.to(model.device),
        past_key_values=prefixes.rows(model, prompts[0][:start], len(rows)),
        logits_to_keep=heads,
    ).logits  # (rows, heads, vocabulary)
    order = [number for row in rows for number in row.prompts]
    prompt_logits = torch.stack(
        [
            logits[number, heads - head * (len(row.prompts) - i) :][:head]
            for number, row in enumerate(rows)
            for i in range(len(row.prompts))
        ]
    )  # (prompts in `order`, head, vocabulary)
    in_prompt_order = sorted(range(len(order)), key=lambda index: order[index])
    return _read(prompt_logits[in_prompt_order].float(), words)


def _pack(sizes: Sequence[int]) -> list[_Row]:
    """Prompts into rows, the longest first, each into the first row with room."""
    capacity = max(_ROW_TOKENS, max(sizes))
    rows: list[_Row] = []
    for number in sorted(range(len(sizes)), key=lambda prompt: -sizes[prompt]):
        row = next((row for row in rows if row.tokens + sizes[number] <= capacity), None)
        if row is None:
            row = _Row()
            rows.append(row)
        row.prompts.append(number)
        row.tokens += sizes[number]
    return rows


@dataclass(frozen=True)
class _Packed:
    """What the model reads: ids and positions (rows, width), and which token sees which (rows, width, width).

    earlier: (width, width), each token sees those before it and itself.
    """

    ids: "torch.Tensor"
    positions: "torch.Tensor"
    seen: "torch.Tensor"
    earlier: "torch.Tensor"


def _write_row(
    packed: _Packed, index: int, row: _Row, bodies: Sequence[list[int]], words: AnswerTokens, start: int
) -> None:
    """Write one row: bodies from the left, heads at the right end, where logits are kept. start: first position."""
    import torch

    ids, positions, seen, earlier = packed.ids[index], packed.positions[index], packed.seen[index], packed.earlier
    head = 1 + sum(len(word) for word in words.ids)
    at, head_at = 0, len(ids) - head * len(row.prompts)
    for number in row.prompts:
        body = bodies[number][:-1]
        end, count = at + len(body), len(body)
        ids[at:end] = torch.tensor(body, dtype=torch.long)
        positions[at:end] = torch.arange(start, start + count)
        seen[at:end, at:end] = earlier[:count, :count]
        seen[head_at : head_at + head, at:end] = True
        seen[head_at : head_at + head, head_at] = True  # the prompt's last token, seen by its words too
        ids[head_at], positions[head_at] = bodies[number][-1], start + count
        branch = head_at + 1
        for word in words.ids:
            stop = branch + len(word)
            ids[branch:stop] = torch.tensor(word)
            positions[branch:stop] = torch.arange(start + count + 1, start + count + 1 + len(word))
            seen[branch:stop, branch:stop] = earlier[: len(word), : len(word)]
            branch = stop
        at, head_at = end, head_at + head


def _read(logits: "torch.Tensor", words: AnswerTokens) -> tuple["torch.Tensor", list[int | None]]:
    """Scores and proofs out of (prompts, head, vocabulary) logits."""
    import torch

    shares, best = torch.log_softmax(logits, dim=-1), logits.argmax(dim=-1)
    ends = torch.tensor(sorted(words.ends), device=logits.device)
    columns, said_greedily, branch = [], [], 1
    for word in words.ids:
        before = [0, *range(branch, branch + len(word) - 1)]  # places whose logits predict the word's tokens
        tokens = torch.tensor(word, device=logits.device)
        columns.append(shares[:, before, tokens].double().sum(dim=1))
        greedy = (best[:, before] == tokens).all(dim=1) & torch.isin(best[:, branch + len(word) - 1], ends)
        said_greedily.append(greedy.tolist())
        branch += len(word)
    proven = [next((i for i, said in enumerate(row) if said), None) for row in zip(*said_greedily, strict=True)]
    return torch.stack(columns, dim=1).cpu(), proven
