"""What is asked of a model: one text of a task, how to generate, and with whose keys. Knows no engine and no page."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from llmops.core.run import Run
from llmops.core.task import Task

Report = Callable[[str, float | None], None]
"""Loading progress: a sentence and a fraction 0..1 (None where unknown)."""


@dataclass(frozen=True)
class Generation:
    """How a decoder generates. temperature 0 is greedy."""

    max_new_tokens: int = 96
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Connection:
    """Keys and addresses of one request. Never printed, stored or shared: repr shows none of it.

    local_only: no text may leave this machine; the pool hands out no remote model then.
    owner: who asks, an opaque id (`ui/visitor.py`); "" where there is one user only.
    """

    openai_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)
    hf_token: str | None = field(default=None, repr=False)
    provider: str | None = None
    timeout_s: float = 60.0
    retries: int = 2
    local_only: bool = False
    owner: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be cut out of any message."""
        return tuple(secret for secret in (self.openai_key, self.hf_token) if secret)


NOBODY = Connection()
"""Of work that no visitor asked for: no key, and the owner's token where there is one."""


@dataclass(frozen=True)
class Request:
    """One text of a task, for one model. truncate: cut a text that is too long, visibly, instead of failing.

    verdict_only: label and probabilities suffice, so a local decoder may leave its answer unwritten. Greedy only.
    """

    task: Task
    text: str
    language: str
    generation: Generation = field(default_factory=Generation)
    connection: Connection = field(default_factory=Connection)
    stop: threading.Event = field(default_factory=threading.Event)
    truncate: bool = False
    verdict_only: bool = False


Send = Callable[[Request], Run]
"""Runs one request to its end, beside others; raises LlmopsError."""
