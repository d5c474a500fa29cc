"""The same finding at several depths of growing filler text: where is it missed, and what does length cost?

A cell is right when the label read is the finding's. Lengths are aimed at in tokens and told as the prompt's own count.
The probe ends where memory, the context or the endpoint ends it, and says so; what was measured stays.
"""

import threading
import tomllib
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from llmops.catalog.models import model_kinds
from llmops.compare.comparison import Options
from llmops.core.candidate import parse_candidate
from llmops.core.errors import InputError, LlmopsError, Stopped, redact
from llmops.core.events import Finished
from llmops.core.request import Report, Request
from llmops.core.run import Run
from llmops.core.task import Task
from llmops.runtime.pool import Pool

CHARS_PER_TOKEN = 4.0  # until the first answer tells better


@dataclass(frozen=True)
class Settings:
    """lengths: tokens of text to aim at, ascending; depths: 0 (start) to 1 (end); finding and label: what is hidden."""

    lengths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    depths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    finding: str = ""
    label: str = ""
    seed: int = 0

    def check(self, task: Task) -> None:
        """Raise InputError for what makes no sense."""
        if not self.lengths or any(not 1 <= one <= 10_000_000 for one in self.lengths):
            raise InputError(f"The lengths are {list(self.lengths)}.", "Give tokens, 1 to 10,000,000.")
        if not self.depths or any(not 0 <= one <= 1 for one in self.depths):
            raise InputError(f"The depths are {list(self.depths)}.", "Give shares from 0 (start) to 1 (end).")
        if self.finding and self.label not in task.label_ids:
            raise InputError(f"“{self.label}” is no label of the task.", f"Use one of: {', '.join(task.label_ids)}.")


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
class Ended:
    """Why the probe ended before its last cell, and where."""

    length: int
    message: str


def context_probe(
    pool: Pool,
    task: Task,
    candidate: str,
    options: Options,
    settings: Settings,
    report: Report,
    stop: threading.Event,
) -> Generator[Cell | Ended, None, None]:
    """Cells by growing length; ends with Ended where it could not go on. Raises LlmopsError before the first cell."""
    settings.check(task)
    finding, label = _finding(task, options.language, settings)
    parsed = parse_candidate(candidate, model_kinds()).owned_by(options.connection.owner)
    lengths = sorted(set(settings.lengths))
    chars = CHARS_PER_TOKEN
    done = 0
    for length in lengths:
        for depth in settings.depths:
            if stop.is_set():
                yield Ended(length, "Stopped.")
                return
            text = hide(finding, depth, int(length * chars), options.language, settings.seed)
            request = Request(task, text, options.language, options.generation, options.connection, stop)
            share = done / (len(lengths) * len(settings.depths))
            try:
                with pool.alone(parsed, task, options.connection, report, stop) as lease:
                    report(f"{length:,} tokens, finding at {depth:.0%}", share)
                    run = _run(lease.model, request)
            except LlmopsError as error:
                if not done and not isinstance(error, Stopped):
                    raise
                message = redact(f"{error.message} {error.remedy}".strip(), options.connection.secrets)
                yield Ended(length, message)
                return
            if run.finish == "stopped":
                yield Ended(length, "Stopped.")
                return
            yield _cell(length, depth, run, label)
            done += 1
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


def _finding(task: Task, language: str, settings: Settings) -> tuple[str, str]:
    """The given finding, or the task's first held-out example."""
    if settings.finding.strip():
        return settings.finding.strip(), settings.label
    examples = task.split("test", language) or task.split("pool", language) or task.examples
    if not examples:
        raise InputError("The task has no example to hide.", "Give a finding and its label.")
    return examples[0].text, examples[0].label


def _run(model: Any, request: Request) -> Run:  # noqa: ANN401
    with closing(model.run(request)) as events:
        for event in events:
            if isinstance(event, Finished):
                return event.run
    raise Stopped("The run ended without a result.")


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
