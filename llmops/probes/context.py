"""The same finding at several depths of growing filler text: where is it missed, and what does length cost?

A cell is right when the label read is the finding's. Lengths are aimed at in tokens and told as the prompt's own count.
The probe ends where memory, the context or the endpoint ends it, and says so; what was measured stays.
"""

import tomllib
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Self

from pydantic import Field, model_validator

from llmops.core.errors import InputError, LlmopsError, Stopped, rebuilt, redact
from llmops.core.given import GivenSettings, Numbers, Text, Whole, WholeNumbers
from llmops.core.request import Job, Request
from llmops.core.run import Run
from llmops.core.run_settings import GivenRunSettings
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.probes.target import ProbeTarget, check_count
from llmops.runtime.executor import execute
from llmops.runtime.pool import Pool

CHARS_PER_TOKEN = 4.0  # until the first answer tells better


class ContextSettings(GivenSettings):
    """What a context probe does."""

    lengths: WholeNumbers = Field(
        (64, 128, 256, 512, 1024), examples=[[128, 512]], description="tokens of text to aim at"
    )
    depths: Numbers = Field(
        (0.0, 0.25, 0.5, 0.75, 1.0), examples=[[0, 0.5, 1]], description="where the finding stands: 0 start, 1 end"
    )
    finding: Text = Field(None, description="what is hidden; else the task's first held-out example")
    label: Text = Field(None, description="the finding's label")
    seed: Whole = Field(0, ge=0, le=2**32 - 1, description="of the text around the finding, and of sampling")

    @model_validator(mode="after")
    def _cells_can_be_made(self) -> Self:
        if not self.lengths or any(not 1 <= length <= 10_000_000 for length in self.lengths):
            raise InputError(f"The lengths are {list(self.lengths)}.", "Give tokens, 1 to 10,000,000.")
        if not self.depths or any(not 0 <= depth <= 1 for depth in self.depths):
            raise InputError(f"The depths are {list(self.depths)}.", "Give shares from 0 (start) to 1 (end).")
        return self

    def check(self, task: Task) -> None:
        """Raise InputError for a finding whose label the task has not."""
        if self.finding and self.label not in task.label_ids:
            raise InputError(
                f"“{self.label or ''}” is no label of the task.", f"Use one of: {', '.join(task.label_ids)}."
            )


class GivenContext(ContextSettings, GivenRunSettings):
    """A context probe as it is asked for: what it does, and how the candidate runs."""

    @classmethod
    def within(
        cls, given: str | Mapping[str, Any] | None, limits: Settings, called: Mapping[str, str] | None = None
    ) -> Self:
        """As for run settings. Raises TooMuch, too, for more cells than are made here."""
        settings = super().within(given, limits, called)
        check_count("cells", len(settings.lengths) * len(settings.depths), limits)
        longest, asked = int(limits.max_text_chars / CHARS_PER_TOKEN), max(settings.lengths)
        if asked > longest:
            raise InputError(f"{asked:,} tokens are asked.", f"At most {longest:,} tokens are probed here.")
        return settings


@dataclass(frozen=True)
class Cell:
    """One text. right: the finding's label was read; label None: unparsed. Seconds, tokens and bytes as in Run."""

    length: int
    depth: float
    prompt_tokens: int | None
    right: bool
    label: str | None
    ttft_s: float | None
    e2e_s: float | None
    decode_tokens_per_s: float | None
    kv_cache_bytes: int | None
    peak_bytes: int | None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class EndedEarly:
    """Why the probe ended before its last cell, and where."""

    length: int
    message: str


def context_probe(
    pool: Pool, target: ProbeTarget, settings: ContextSettings, job: Job
) -> Generator[Cell | EndedEarly, None, None]:
    """Cells by growing length; ends with EndedEarly where it could not go on. Raises LlmopsError before the first."""
    task, options = target.task, target.settings
    settings.check(task)
    finding, label = _finding(task, options.language, settings)
    candidate, job = target.parsed(), target.job(job)
    lengths = sorted(set(settings.lengths))
    cells = [(length, depth) for length in lengths for depth in settings.depths]
    chars = CHARS_PER_TOKEN
    for done, (length, depth) in enumerate(cells):
        if job.stop.is_set():
            yield EndedEarly(length, "Stopped.")
            return
        text = hide(finding, depth, int(length * chars), options.language, settings.seed)
        request = Request(task, text, options.language, options.generation, options.connection, job.stop)
        try:
            with pool.exclusive(candidate, task, job) as lease:
                job.report(f"{length:,} tokens, finding at {depth:.0%}", done / len(cells))
                run = execute(lease, request, options)
        except LlmopsError as error:  # it could not be had: while it waited, fetched or loaded
            if not done and not isinstance(error, Stopped):
                raise
            yield EndedEarly(length, redact(f"{error.message} {error.remedy}".strip(), options.connection.secrets))
            return
        if run.stopped:
            yield EndedEarly(length, "Stopped.")
            return
        if run.error is not None:
            if not done:
                raise rebuilt(run.error.kind, run.error.message, run.error.remedy)
            yield EndedEarly(length, f"{run.error.message} {run.error.remedy}".strip())
            return
        yield _cell(length, depth, run, label)
        chars = _learn(chars, text, task, run, options.language)


def hide(finding: str, depth: float, characters: int, language: str, seed: int) -> str:
    """`finding` among filler sentences of about so many characters in all, at a share `depth` of the sentences."""
    rng = Random(f"{seed} {characters}")
    pool = filler(language)
    sentences: list[str] = []
    left = characters - len(finding)
    while left > 0:
        order = rng.sample(pool, len(pool))
        for sentence in order:
            if left <= 0:
                break
            sentences.append(sentence)
            left -= len(sentence) + 1
    sentences.insert(round(depth * len(sentences)), finding)
    return " ".join(sentences)


@cache
def filler(language: str) -> list[str]:
    """Sentences that say nothing, in a language (English where there are none)."""
    texts = tomllib.loads((Path(__file__).parent / "filler.toml").read_text(encoding="utf-8"))
    found: list[str] = texts.get(language, texts["en"])
    return found


def _finding(task: Task, language: str, settings: ContextSettings) -> tuple[str, str]:
    """The given finding, or the task's first held-out example."""
    if settings.finding:
        return settings.finding, settings.label or ""
    examples = task.split("test", language) or task.split("pool", language) or task.examples
    if not examples:
        raise InputError("The task has no example to hide.", "Give a finding and its label.")
    return examples[0].text, examples[0].label


def _cell(length: int, depth: float, run: Run, label: str) -> Cell:
    return Cell(
        length=length,
        depth=depth,
        prompt_tokens=run.timing.prompt_tokens,
        right=run.label == label,
        label=run.label,
        ttft_s=run.timing.ttft_s,
        e2e_s=run.timing.e2e_s,
        decode_tokens_per_s=run.timing.decode_rate,
        kv_cache_bytes=run.memory.kv_cache_bytes,
        peak_bytes=run.memory.peak_bytes,
    )


def _learn(chars: float, text: str, task: Task, run: Run, language: str) -> float:
    """Characters a token, from what the model itself counted; the instruction's share is taken off at the same rate."""
    if not run.timing.prompt_tokens:
        return chars
    whole = len(text) + sum(len(message["content"]) for message in task.messages("", language))
    return max(0.5, min(12.0, whole / run.timing.prompt_tokens))
