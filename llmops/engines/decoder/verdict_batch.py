"""Verdicts of many prompts in one forward pass, nothing generated.

Prompts lie one behind the other in a few rows without padding; a mask lets each see only itself and the common
beginning, whose cache is shared. Behind its last token every prompt has a branch for each answer word. What is likely
there gives the words' likelihoods, and shows where greedy decoding would say a word and end it: then the verdict is
proven. The output layer is asked only where a word goes on, and at the end of a word that is said greedily so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmops.compat.transformers_models import attention_kind
from llmops.engines.decoder.answer_tokens import AnswerTokens
from llmops.engines.decoder.output_head import OutputHead, head_of
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
    output = head_of(model)
    states = output.states(
        heads,
        input_ids=packed.ids.to(model.device),
        position_ids=packed.positions.to(model.device),
        attention_mask=added.to(model.device),
        past_key_values=prefixes.rows(model, prompts[0][:start], len(rows)),
    )  # (rows, heads, width)
    where = {
        number: (index, heads - head * (len(row.prompts) - i))
        for index, row in enumerate(rows)
        for i, number in enumerate(row.prompts)
    }
    of_prompts = [states[index, at : at + head] for index, at in (where[number] for number in range(len(prompts)))]
    return _read(output, of_prompts, words)


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


def _read(
    output: OutputHead, states: Sequence["torch.Tensor"], words: AnswerTokens
) -> tuple["torch.Tensor", list[int | None]]:
    """Scores and proofs. states: of each prompt (head, width)."""
    import torch

    inner, at_word, ends = _places(words)
    tokens = [token for word in words.ids for token in word]
    places = [prompt * len(inner) + place for prompt in range(len(states)) for place in at_word]
    likelihoods, best = output.read(torch.cat([of_prompt[inner] for of_prompt in states]), places, tokens * len(states))
    lengths = [len(word) for word in words.ids]
    per_word = torch.split(likelihoods.view(len(states), -1), lengths, dim=1)  # of each word (prompts, its tokens)
    greedy = best[torch.tensor(places)].view(len(states), -1) == torch.tensor(tokens)
    said = torch.stack(
        [matches.all(dim=1) for matches in torch.split(greedy, lengths, dim=1)], dim=1
    )  # (prompts, words)
    candidates = [(prompt, word) for prompt, word in said.nonzero().tolist()]
    proven: list[int | None] = [None] * len(states)
    if candidates:
        _, after = output.read(torch.stack([states[prompt][ends[word]] for prompt, word in candidates]))
        for (prompt, word), token in reversed(list(zip(candidates, after.tolist(), strict=True))):
            if token in words.ends:
                proven[prompt] = word  # of several the first
    return torch.stack([word.sum(dim=1) for word in per_word], dim=1), proven


def _places(words: AnswerTokens) -> tuple[list[int], list[int], list[int]]:
    """Places in a head that predict words' tokens; for each token of each word its number among them; words' ends."""
    inner, at_word, ends, branch = [0], list[int](), list[int](), 1
    for word in words.ids:
        at_word += [0, *range(len(inner), len(inner) + len(word) - 1)]
        inner += range(branch, branch + len(word) - 1)
        branch += len(word)
        ends.append(branch - 1)
    return inner, at_word, ends
