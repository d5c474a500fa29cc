"""The learning curve: an encoder trained on k examples a class, several seeds each, scored on held-out texts.

Beside it stand the decoders' accuracies on the same texts, which saw no example: how many labels buy parity. Each
training takes its turn on the CPU, as evaluations do.
"""

import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.catalog.models import model_kinds
from llmops.core.candidate import EMBEDDED_ENCODER, Kind, base_encoder, parse_candidate
from llmops.core.errors import InputError, LlmopsError
from llmops.core.request import Job
from llmops.core.task import Example, Task
from llmops.evaluation.heldout import hold_out
from llmops.evaluation.metrics import Metrics
from llmops.history.curves import Curve, CurvePoint
from llmops.runtime.pool import Pool

if TYPE_CHECKING:
    import numpy as np
    from sentence_transformers import SentenceTransformer

_METHODS = ("few-shot", "setfit")


@dataclass(frozen=True)
class CurveSettings:
    """Which encoder, how it learns, and which points: every k with every seed."""

    base: str = EMBEDDED_ENCODER
    method: str = "few-shot"
    ks: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    seeds: tuple[int, ...] = (0, 1, 2)

    def check(self) -> None:
        """Raises InputError."""
        if self.method not in _METHODS:
            raise InputError(f"“{self.method}” is no way to learn.", f"Use one of: {', '.join(_METHODS)}.")
        if not self.ks or not all(1 <= k <= 10_000 for k in self.ks):
            raise InputError("k counts examples a class, from 1.", "Give some, such as 1, 2, 4, 8.")
        if not 1 <= len(self.seeds) <= 20 or len(self.ks) > 20:
            raise InputError("At most 20 values of k and 20 seeds are run.", "Give fewer.")
        base_encoder(self.base)


def learning_curve(
    pool: Pool,
    task: Task,
    texts: Sequence[Example],
    settings: CurveSettings,
    job: Job,
) -> Generator[CurvePoint, None, None]:
    """A point for each k and seed, small k first. Raises InputError, Stopped or what loading raises."""
    from llmops.engines.encoder import training

    settings.check()
    held_out = hold_out(task, texts, []).texts
    if not held_out:
        raise InputError("There is no text to score.", "Give labelled texts that are not examples to learn from.")
    most = max(Counter(example.label for example in task.split("pool")).values(), default=0)
    ks = sorted({k for k in settings.ks if k <= most})
    if not ks:
        raise InputError(f"The task has at most {most} examples a class to learn from.", "Give a smaller k.")
    pool.fetch(base_encoder(settings.base), task, job)
    scorer = _Scorer(settings, held_out, Job(job.connection, stop=job.stop))
    total = len(ks) * len(settings.seeds)
    for number, (k, seed) in enumerate((k, seed) for k in ks for seed in settings.seeds):
        job.check("Stopped; the points so far are kept.")
        job.report(f"k = {k}, seed {seed}: {number} of {total} done", number / total)
        with pool.queues.turn("cpu", job):
            yield scorer.point(k, seed, training.pick_examples(task, k, seed))


class _Scorer:
    """Trains and scores. A few-shot head leaves the body as it is, so the held-out vectors are made once.

    Nothing is computed before the first point: only then is it this visitor's turn.
    """

    def __init__(self, settings: CurveSettings, texts: Sequence[Example], job: Job) -> None:
        self._settings, self._texts, self._job = settings, texts, job
        self._base = settings.base.strip()

    @cached_property
    def _folder(self) -> Path:
        from llmops.engines.encoder.body import folder_of

        return folder_of(self._base, self._job)

    @cached_property
    def _same(self) -> tuple["SentenceTransformer", "np.ndarray"]:
        """The body as it is, and the held-out texts' vectors."""
        body = self._fresh()
        return body, self._embed(body)

    def _fresh(self) -> "SentenceTransformer":
        from llmops.engines.encoder.body import load_body

        return load_body(self._folder, self._base)

    def _embed(self, body: "SentenceTransformer") -> "np.ndarray":
        from llmops.engines.encoder.body import TorchBody, embed_all

        return embed_all(TorchBody(body), [example.text for example in self._texts])

    def point(self, k: int, seed: int, examples: Sequence[Example]) -> CurvePoint:
        """Train on the examples and score on the held-out texts."""
        from sklearn.metrics import accuracy_score, f1_score

        from llmops.engines.encoder.training import Trained, train

        tuned = self._settings.method == "setfit"
        body, vectors = (self._fresh(), None) if tuned else self._same
        started_s = time.perf_counter()
        for event in train(body, self._settings.method, examples, seed, self._job.stop):
            if isinstance(event, Trained):
                head = event.head
        taken_s = time.perf_counter() - started_s
        shares = head.probabilities(self._embed(body) if vectors is None else vectors)
        said = [head.labels[place] for place in shares.argmax(axis=1)]
        true = [example.label for example in self._texts]
        macro_f1 = f1_score(true, said, average="macro", zero_division=0.0)
        return CurvePoint(k, seed, float(accuracy_score(true, said)), float(macro_f1), taken_s)


def zero_shot_lines(measured: Sequence[Metrics]) -> dict[str, float]:
    """Accuracy of every candidate that answers without examples: decoders, APIs, hosted models."""
    lines = {}
    for one in measured:
        try:
            kind = parse_candidate(one.candidate, model_kinds()).kind
        except LlmopsError:
            continue
        if kind in (Kind.DECODER, Kind.OPENAI, Kind.HOSTED):
            lines[one.candidate] = one.accuracy
    return lines


def means(points: Sequence[CurvePoint]) -> dict[int, float]:
    """k → mean accuracy over its seeds, k ascending."""
    by_k: dict[int, list[float]] = {}
    for point in sorted(points, key=lambda one: one.k):
        by_k.setdefault(point.k, []).append(point.accuracy)
    return {k: sum(found) / len(found) for k, found in by_k.items()}


def parity(curve: Curve) -> dict[str, int | None]:
    """Line → the smallest k whose mean accuracy reaches it; None where none does."""
    reached = means(curve.points)
    return {
        name: next((k for k, accuracy in reached.items() if accuracy >= level), None)
        for name, level in curve.lines.items()
    }
