"""What is asked of a model: one text of a task, how to generate, and with whose keys. Knows no engine and no page."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from llmops.core.errors import Stopped
from llmops.core.events import Ahead
from llmops.core.long_texts import LongTexts
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
    """One text of a task, for one model. long_texts: what is done where it is too long; see core.long_texts.

    verdict_only: label and probabilities suffice, so a local decoder may leave its answer unwritten. Greedy only.
    """

    task: Task
    text: str
    language: str
    generation: Generation = field(default_factory=Generation)
    connection: Connection = field(default_factory=Connection)
    stop: threading.Event = field(default_factory=threading.Event)
    long_texts: LongTexts = "refuse"
    verdict_only: bool = False


def _unheard(message: str, fraction: float | None) -> None:
    """Progress that nobody reads."""


@dataclass(frozen=True)
class Job:
    """Work that somebody asked for: with whose keys and addresses, how its progress is told, and what stops it.

    on_queue: told at once and at each change of place while it waits for a device; by default it is progress as any.
    """

    connection: Connection = NOBODY
    report: Report = _unheard
    stop: threading.Event = field(default_factory=threading.Event)
    on_queue: Callable[[Ahead], None] | None = None

    @property
    def owner(self) -> str:
        """Who asks; see Connection."""
        return self.connection.owner

    def queued(self, ahead: Ahead) -> None:
        """Tell what goes first."""
        if self.on_queue is not None:
            self.on_queue(ahead)
        else:
            self.report(f"waiting for the device: {ahead}", None)

    def asked_with(self, connection: Connection) -> "Job":
        """The same work with these keys and addresses."""
        return replace(self, connection=connection)

    def check(self, message: str, remedy: str = "") -> None:
        """Raise Stopped with these words once it is to stop."""
        if self.stop.is_set():
            raise Stopped(message, remedy)


Send = Callable[[Request], Run]
"""Runs one request to its end, beside others; raises LlmopsError."""
