"""The answer words of a task as a decoder's tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ENDS = (".", ":", "!")  # after these the verdict is read, whatever follows


@dataclass(frozen=True)
class AnswerTokens:
    """Answer words as token ids, by label; and the tokens that surely end a word."""

    labels: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    ends: frozenset[int]


def tokenize_answers(
    tokenizer: "PreTrainedTokenizerBase", answers: dict[str, str], ends: Sequence[int]
) -> AnswerTokens | None:
    """The answer words of a language; None where one has no tokens. ends: end-of-answer tokens."""
    ids = tuple(tuple(tokenizer(word, add_special_tokens=False)["input_ids"]) for word in answers.values())
    if not ids or not all(ids):
        return None
    marks = {tokenizer(mark, add_special_tokens=False)["input_ids"][-1] for mark in _ENDS}
    return AnswerTokens(tuple(answers), ids, frozenset(marks | set(ends)))
