"""The parameters of a chat completion: what is asked for, without what the endpoint is known to refuse."""

from dataclasses import dataclass
from typing import Any

from llmops.core.request import Request


@dataclass
class AcceptedParameters:
    """What this endpoint and model take, learnt from their refusals, so that only the first call pays for it."""

    completion_tokens: bool  # max_completion_tokens (OpenAI) rather than max_tokens (most others)
    temperature: bool = True
    seed: bool = True
    stream_options: bool = True
    logprobs: bool = True

    def learn(self, parameter: str) -> bool:
        """Send it no longer (or the other name of the limit); False where there is nothing left to change."""
        if parameter in ("max_tokens", "max_completion_tokens"):
            current = "max_completion_tokens" if self.completion_tokens else "max_tokens"
            if parameter != current:
                return False
            self.completion_tokens = not self.completion_tokens
            return True
        name = "logprobs" if parameter == "top_logprobs" else parameter
        if not getattr(self, name, False):
            return False
        setattr(self, name, False)
        return True


def completion_arguments(
    model: str, request: Request, accepted: AcceptedParameters, top_logprobs: int
) -> dict[str, Any]:
    """A streamed chat completion's arguments, without what the endpoint is known to refuse."""
    generation = request.generation
    limit = "max_completion_tokens" if accepted.completion_tokens else "max_tokens"
    arguments: dict[str, Any] = {
        "model": model,
        "messages": request.task.messages(request.text, request.language),
        "stream": True,
        limit: generation.max_new_tokens,
    }
    if accepted.temperature:
        arguments["temperature"] = generation.temperature
    if accepted.seed:
        arguments["seed"] = generation.seed
    if accepted.stream_options:
        arguments["stream_options"] = {"include_usage": True}
    if accepted.logprobs:
        arguments |= {"logprobs": True, "top_logprobs": top_logprobs}
    return arguments
