"""Texts without labels through one candidate: what it says of each, as it comes. Nothing is scored, nothing kept.

Local models take many at a time, in turns on the device, so that others are not kept waiting for all of them.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from llmops.core.candidate import Candidate
from llmops.core.errors import Stopped
from llmops.core.long_texts import LongTexts
from llmops.core.request import Job, Request
from llmops.core.run import Run, RunError
from llmops.core.run_settings import GivenRunSettings, RunSettings
from llmops.core.task import Task
from llmops.data import words
from llmops.evaluation.batch_sizes import BatchSize
from llmops.runtime.executor import execute, execute_batch
from llmops.runtime.lease import Lease
from llmops.runtime.pool import Pool


class GivenClassification(GivenRunSettings):
    """How texts are labelled. One that is too long has a label all the same, unless it is told otherwise."""

    long_texts: LongTexts = Field(
        "windows", title="way with long texts", description="refuse, cut or windows: split, then averaged"
    )


@dataclass(frozen=True)
class UnlabelledText:
    """number: its row in the caller's file."""

    number: int
    text: str
    language: str


@dataclass(frozen=True)
class UnlabelledAnswer:
    """What is said of a text. confidence: the label's probability, 0 to 1, None where the candidate tells none.

    error: why there is no label.
    """

    label: str | None = None
    confidence: float | None = None
    error: RunError | None = None

    @classmethod
    def of(cls, run: Run) -> "UnlabelledAnswer":
        """A run's label, or why it has none."""
        if run.error is not None:
            return cls(error=run.error)
        if run.label is None:
            return cls(error=RunError("unparsed", "The answer names no label.", "Compare the text to read it."))
        return cls(run.label, (run.probabilities or {}).get(run.label))


@dataclass(frozen=True)
class Classification:
    """One candidate's way with the texts of a task. settings: of every text; the language is each text's own."""

    task: Task
    candidate: Candidate
    settings: RunSettings

    def request(self, text: UnlabelledText, job: Job) -> Request:
        """The verdict suffices: no explanation is asked for."""
        settings = self.settings
        return Request(
            self.task,
            text.text,
            text.language,
            settings.generation,
            settings.connection,
            job.stop,
            long_texts=settings.long_texts,
            verdict_only=settings.generation.temperature == 0,
        )


def in_languages(task: Task, texts: Sequence[tuple[int, str, str]], usual: str | None = None) -> list[UnlabelledText]:
    """(number, text, language as it was written, "" for none) of each, in the task's language that it says.

    Where it says none of the task's: usual; else the one that the text reads like.
    """
    read = task.languages_of([text for _, text, _ in texts]) if usual is None else [usual] * len(texts)
    written = [words.language_code(language) for _, _, language in texts]
    return [
        UnlabelledText(number, text, said if said in task.languages else likely)
        for (number, text, _), said, likely in zip(texts, written, read, strict=True)
    ]


def classify(
    pool: Pool, work: Classification, texts: Sequence[UnlabelledText], job: Job
) -> Iterator[tuple[UnlabelledText, Run]]:
    """A run a text, by language and length and not in the texts' order; failures are the run's `error`.

    Raises Stopped, and what loading raises.
    """
    job = replace(job, connection=work.settings.connection)
    rest = sorted(texts, key=lambda text: (text.language, len(text.text)))
    size, done = BatchSize(), 0
    while rest:
        job.check("Stopped; what is done is kept.")
        with pool.exclusive(work.candidate, work.task, job) as lease:
            started_s = time.perf_counter()  # loading is no pace
            part = _next(rest, size.texts if _takes_batches(lease, work) else 1)
            del rest[: len(part)]
            requests = [work.request(text, job) for text in part]
            if len(part) > 1:
                runs = execute_batch(lease, requests, work.settings)
            else:
                runs = [execute(lease, requests[0], work.settings)]
            seconds = time.perf_counter() - started_s
        if any(run.stopped for run in runs):
            raise Stopped("Stopped; what is done is kept.")
        if len(part) > 1:
            size.took(seconds)
        done += len(part)
        left_s = len(rest) * seconds / len(part)
        job.report(f"{done:,} of {len(texts):,} texts, {left_s:.0f} s left", done / len(texts))
        yield from zip(part, runs, strict=True)


def _takes_batches(lease: Lease, work: Classification) -> bool:
    """Sampling is by one generator a text."""
    return bool(getattr(lease.model, "can_batch", False)) and work.settings.generation.temperature == 0


def _next(rest: Sequence[UnlabelledText], most: int) -> list[UnlabelledText]:
    """Texts of one language, so that a batch has one prompt."""
    return [text for text in rest[:most] if text.language == rest[0].language]
