"""How a text is run: the settings of a comparison, and of each text of an evaluation or a probe.

GivenRunSettings is what page, API and command line give; RunSettings is what the rest of the program works with.
A new setting is a field of GivenRunSettings and of RunSettings or Generation, and the component that shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import Field

from llmops.core.errors import InputError
from llmops.core.given import GivenSettings, Text, Whole
from llmops.core.long_texts import LongTexts
from llmops.core.request import Connection, Generation, Request
from llmops.core.settings import Settings
from llmops.core.task import Task


@dataclass(frozen=True)
class RunSettings:
    """What holds for every candidate of a run.

    long_texts: what is done with a text that is too long. all_at_once: local models don't wait for each other (timings
    then disturb each other, and the record says so). unload_after: free each local model after its run,
    and report what stays behind.
    """

    language: str
    generation: Generation = field(default_factory=Generation)
    connection: Connection = field(default_factory=Connection)
    long_texts: LongTexts = "refuse"
    all_at_once: bool = False
    unload_after: bool = False

    @classmethod
    def of(cls, request: Request) -> "RunSettings":
        """Those that a request carries."""
        return cls(request.language, request.generation, request.connection, request.long_texts)

    def record(self, request: Request | None = None) -> dict[str, Any]:
        """The settings a run keeps, a request's own where they differ: no key, no address."""
        generation = request.generation if request is not None else self.generation
        return {
            "language": request.language if request is not None else self.language,
            "max_new_tokens": generation.max_new_tokens,
            "temperature": generation.temperature,
            "seed": generation.seed,
            "long_texts": self.long_texts,
            "all_at_once": self.all_at_once,
            "unload_after": self.unload_after,
            "local_only": self.connection.local_only,
        }


class GivenRunSettings(GivenSettings):
    """How every candidate runs."""

    # repr=False marks a secret: it is never shown, and the command line takes it from the environment.
    language: Text = Field(None, description="language code of prompt and text; else as the text reads")
    max_new_tokens: Whole = Field(Generation().max_new_tokens, ge=1, description="tokens of an answer, at most")
    temperature: float = Field(Generation().temperature, ge=0, le=2, description="of sampling, from 0 (greedy) to 2")
    seed: Whole = Field(Generation().seed, ge=0, le=2**32 - 1, description="of sampling")
    long_texts: LongTexts = Field(
        "refuse",
        title="way with long texts",
        description="refuse, cut, windows (split, then averaged) or, in an evaluation, leave_out",
    )
    all_at_once: bool = Field(False, description="local models don't take turns; their timings disturb each other")
    unload_after: bool = Field(False, description="free each model after its run and say what stays behind")
    local_only: bool = Field(False, description="no text leaves this machine: remote models fail")
    openai_key: Text = Field(None, repr=False, description="key of OpenAI or of the server at base_url")
    base_url: Text = Field(None, description="address of an OpenAI-compatible server")
    hf_token: Text = Field(None, repr=False, description="Hugging Face token, for gated and hosted models")
    provider: Text = Field(None, description="inference provider of hosted candidates")

    @classmethod
    def within(
        cls, given: str | Mapping[str, Any] | None, limits: Settings, called: Mapping[str, str] | None = None
    ) -> Self:
        """The settings, unless they are above this process's limits or at other visitors' cost. Raises InputError."""
        settings = cls.read(given, {"max_new_tokens": limits.max_new_tokens}, called)
        if limits.public and (settings.all_at_once or settings.unload_after):
            raise InputError(
                "On a public page local models take turns, and stay loaded for others.",
                "Untick “all at once” and “unload after each run”.",
            )
        return settings

    def connection(self, owner: str = "") -> Connection:
        """Keys and addresses. owner: who asks."""
        return Connection(
            openai_key=self.openai_key,
            base_url=self.base_url,
            hf_token=self.hf_token,
            provider=self.provider,
            local_only=self.local_only,
            owner=owner,
        )

    def run_settings(self, task: Task, text: str = "", owner: str = "") -> RunSettings:
        """As the runs need them. Without a language, it is the one of the task's that the text is likeliest in.

        Raises InputError for a language that the task has no prompt in.
        """
        language = self.language or task.language_of(text)
        task.prompt(language)
        return self.in_language(language, owner)

    def in_language(self, language: str, owner: str = "") -> RunSettings:
        """As the runs need them, in a language that is known already."""
        return RunSettings(
            language=language,
            generation=Generation(self.max_new_tokens, self.temperature, self.seed),
            connection=self.connection(owner),
            long_texts=self.long_texts,
            all_at_once=self.all_at_once,
            unload_after=self.unload_after,
        )
