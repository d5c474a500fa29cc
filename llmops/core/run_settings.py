"""How a text is run: the settings of a comparison, and of each text of an evaluation or a probe."""

from dataclasses import dataclass, field
from typing import Any

from llmops.core.request import Connection, Generation, Request


@dataclass(frozen=True)
class RunSettings:
    """What holds for every candidate of a run.

    truncate: cut a text that is too long, visibly, instead of failing. all_at_once: local models don't wait for each
    other (timings then disturb each other, and the record says so). unload_after: free each local model after its run,
    and report what stays behind.
    """

    language: str
    generation: Generation = field(default_factory=Generation)
    connection: Connection = field(default_factory=Connection)
    truncate: bool = False
    all_at_once: bool = False
    unload_after: bool = False

    @classmethod
    def of(cls, request: Request) -> "RunSettings":
        """Those that a request carries."""
        return cls(request.language, request.generation, request.connection, request.truncate)

    def record(self, request: Request | None = None) -> dict[str, Any]:
        """The settings a run keeps, a request's own where they differ: no key, no address."""
        generation = request.generation if request is not None else self.generation
        return {
            "language": request.language if request is not None else self.language,
            "max_new_tokens": generation.max_new_tokens,
            "temperature": generation.temperature,
            "seed": generation.seed,
            "truncate": self.truncate,
            "all_at_once": self.all_at_once,
            "unload_after": self.unload_after,
            "local_only": self.connection.local_only,
        }
