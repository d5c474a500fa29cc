"""How long a decoder's prompts are, from its tokenizer's files alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.compat.transformers_models import LOCAL_ONLY
from llmops.core.request import Generation, Request
from llmops.core.task import Example, Task
from llmops.engines.base import TextLengths
from llmops.engines.decoder import prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_NEAR = 32  # tokens: where a text joins its template, some more or fewer arise
_SHORT = "x"


def measure(folder: Path, task: Task, texts: Sequence[Example], new_tokens: int) -> TextLengths | None:
    """None where an answer of so many tokens leaves no room at all.

    Prompts near the limit are rendered and counted; of the others, template and text are counted each for itself.
    """
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL_ONLY)
    room = prompt.context_length(AutoConfig.from_pretrained(folder, **LOCAL_ONLY), tokenizer) - new_tokens
    if room < 1:
        return None
    around = {language: _around(task, language, tokenizer) for language in task.languages}
    counted = tokenizer([text.text for text in texts], add_special_tokens=False, verbose=False)["input_ids"]
    tokens = []
    for text, ids in zip(texts, counted, strict=True):
        length = len(ids) + around[text.language]
        tokens.append(_exact(task, text, tokenizer) if abs(length - room) <= _NEAR else length)
    return TextLengths(tuple(tokens), room)


def _around(task: Task, language: str, tokenizer: "PreTrainedTokenizerBase") -> int:
    """Tokens of the prompt beside its text."""
    inner = len(tokenizer(_SHORT, add_special_tokens=False)["input_ids"])
    return _exact(task, Example(_SHORT, "", language), tokenizer) - inner


def _exact(task: Task, text: Example, tokenizer: "PreTrainedTokenizerBase") -> int:
    request = Request(task, text.text, text.language, Generation())
    return prompt.lengths(request, [text.text], tokenizer)[0]
