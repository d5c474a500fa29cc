"""A piece of a streamed answer, whichever client it comes from."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Chunk:
    """A piece of a streamed answer. logprobs: (token, log probability) alternatives of the first token, where given.

    sent marks the moment before the request leaves: clocks start there, not at building a client.
    """

    text: str = ""
    sent: bool = False
    reasoning: bool = False
    finish: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    thought_tokens: int | None = None
    logprobs: tuple[tuple[str, float], ...] = ()
    at_s: float = field(default_factory=time.perf_counter)


def as_chunk(part: Any) -> Chunk:  # noqa: ANN401
    """A streamed chat completion chunk (openai's or huggingface_hub's, alike by attribute) as ours."""
    choice = part.choices[0] if getattr(part, "choices", None) else None
    delta = getattr(choice, "delta", None)
    content = getattr(delta, "content", None) or ""
    reasoning = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None) or ""
    usage = getattr(part, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    output_details = getattr(usage, "completion_tokens_details", None)
    first = (getattr(getattr(choice, "logprobs", None), "content", None) or [None])[0]
    return Chunk(
        text=content or (reasoning if isinstance(reasoning, str) else ""),
        reasoning=not content and bool(reasoning),
        finish=getattr(choice, "finish_reason", None),
        prompt_tokens=getattr(usage, "prompt_tokens", None),
        output_tokens=getattr(usage, "completion_tokens", None),
        cached_tokens=getattr(details, "cached_tokens", None),
        thought_tokens=getattr(output_details, "reasoning_tokens", None),
        logprobs=tuple(
            (alternative.token, alternative.logprob) for alternative in getattr(first, "top_logprobs", None) or ()
        ),
    )
