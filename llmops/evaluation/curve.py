"""The learning curve: an encoder trained on k examples a class, several seeds each, scored on held-out texts.

Beside it stand the decoders' accuracies on the same texts, which saw no example: how many labels buy parity. Each
training takes its turn on the CPU, as evaluations do.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from llmops.catalog.models import model_kinds
from llmops.core.candidate import EMBEDDED_ENCODER, Kind, base_encoder, parse_candidate
from llmops.core.errors import InputError, LlmopsError
from llmops.core.given import GivenSettings, Whole, WholeNumbers
from llmops.core.request import Job
from llmops.core.statistics import accuracy, macro_f1
from llmops.core.task import Example, Task
from llmops.evaluation.heldout import hold_out
from llmops.evaluation.metrics import Metrics
from llmops.history.curves import Curve, CurvePoint
from llmops.runtime.pool import Pool


class CurveSettings(GivenSettings):
    """Which encoder, how it learns, and which points: every k with every seed."""

    base: str = Field(EMBEDDED_ENCODER, description="the encoder")
    method: Literal["few-shot", "setfit"] = Field("few-shot", title="way to learn", description="few-shot or setfit")
    ks: WholeNumbers = Field((1, 2, 4, 8, 16, 32), description="examples a class")
    seeds: WholeNumbers = Field((0, 1, 2), examples=[[0, 1, 2]], description="draws for each k")

    @model_validator(mode="after")
    def _points_can_be_made(self) -> Self:
        if not self.ks or not all(1 <= k <= 10_000 for k in self.ks):
            raise InputError("k counts examples a class, from 1.", "Give some, such as 1, 2, 4, 8.")
        if not 1 <= len(self.seeds) <= 20 or len(self.ks) > 20:
            raise InputError("At most 20 values of k and 20 seeds are run.", "Give fewer.")
        base_encoder(self.base)
        return self


class GivenCurve(CurveSettings):
    """A learning curve as it is asked for."""

    evaluation: Whole | None = Field(None, description="a kept one's id: its texts, task and decoders are taken")


def learning_curve(
    pool: Pool,
    task: Task,
    texts: Sequence[Example],
    settings: CurveSettings,
    job: Job,
) -> Generator[CurvePoint, None, None]:
    """A point for each k and seed, small k first. Raises InputError, Stopped or what loading raises."""
    from llmops.engines.encoder.repeated_training import RepeatedTraining

    held_out = hold_out(task, texts, []).texts
    if not held_out:
        raise InputError("There is no text to score.", "Give labelled texts that are not examples to learn from.")
    most = max(Counter(example.label for example in task.split("pool")).values(), default=0)
    ks = sorted({k for k in settings.ks if k <= most})
    if not ks:
        raise InputError(f"The task has at most {most} examples a class to learn from.", "Give a smaller k.")
    pool.fetch(base_encoder(settings.base), task, job)
    true, texts_to_label = [example.label for example in held_out], [example.text for example in held_out]
    silent = Job(job.connection, stop=job.stop)
    training = RepeatedTraining(settings.base, settings.method, texts_to_label, silent, pool.settings)
    total = len(ks) * len(settings.seeds)
    for number, (k, seed) in enumerate((k, seed) for k in ks for seed in settings.seeds):
        job.check("Stopped; the points so far are kept.")
        job.report(f"k = {k}, seed {seed}: {number} of {total} done", number / total)
        with pool.queues.turn("cpu", job):
            labelling = training.train(task, k, seed)
        said = labelling.labels
        yield CurvePoint(k, seed, accuracy(true, said), macro_f1(true, said, task.label_ids), labelling.train_s)


def zero_shot_lines(measured: Sequence[Metrics]) -> dict[str, float]:
    """Accuracy of every candidate that answers without examples: decoders, APIs, hosted models."""
    lines = {}
    for metrics in measured:
        try:
            kind = parse_candidate(metrics.candidate, model_kinds()).kind
        except LlmopsError:
            continue
        if kind in (Kind.DECODER, Kind.OPENAI, Kind.HOSTED):
            lines[metrics.candidate] = metrics.accuracy
    return lines


def means(points: Sequence[CurvePoint]) -> dict[int, float]:
    """k → mean accuracy over its seeds, k ascending."""
    by_k: dict[int, list[float]] = {}
    for point in sorted(points, key=lambda point: point.k):
        by_k.setdefault(point.k, []).append(point.accuracy)
    return {k: sum(accuracies) / len(accuracies) for k, accuracies in by_k.items()}


def parity(curve: Curve) -> dict[str, int | None]:
    """Line → the smallest k whose mean accuracy reaches it; None where none does."""
    reached = means(curve.points)
    return {
        name: next((k for k, accuracy in reached.items() if accuracy >= level), None)
        for name, level in curve.lines.items()
    }
