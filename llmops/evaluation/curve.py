"""The learning curve: an encoder trained on k examples a class, several seeds each, scored on held-out texts.

Beside it stand the decoders' accuracies on the same texts, which saw no example: how many labels buy parity. Each
training takes its turn on the CPU, as evaluations do.
"""

import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from llmops.candidate import EMBEDDED_ENCODER, Kind, parse_candidate
from llmops.catalog import kinds
from llmops.engines.base import Connection, Report
from llmops.errors import InputError, LlmopsError, Stopped
from llmops.evaluation.heldout import hold_out
from llmops.evaluation.metrics import Metrics
from llmops.history.curves import Curve, CurvePoint
from llmops.pool import Pool
from llmops.task import Example, Task

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
        if not self.base.strip():
            raise InputError("No base encoder is given.", "Choose one.")


def learning_curve(
    pool: Pool,
    task: Task,
    texts: Sequence[Example],
    settings: CurveSettings,
    report: Report,
    stop: threading.Event,
    owner: str = "",
) -> Generator[CurvePoint, None, None]:
    """A point for each k and seed, small k first. Raises InputError, Stopped or what loading raises."""
    from llmops.encoders import training

    settings.check()
    held_out = hold_out(task, texts, []).texts
    if not held_out:
        raise InputError("There is no text to score.", "Give labelled texts that are not examples to learn from.")
    most = max(Counter(example.label for example in task.split("pool")).values(), default=0)
    ks = sorted({k for k in settings.ks if k <= most})
    if not ks:
        raise InputError(f"The task has at most {most} examples a class to learn from.", "Give a smaller k.")
    scorer = _Scorer(settings, held_out, stop)
    total = len(ks) * len(settings.seeds)
    for number, (k, seed) in enumerate((k, seed) for k in ks for seed in settings.seeds):
        if stop.is_set():
            raise Stopped("Stopped; the points so far are kept.")
        report(f"k = {k}, seed {seed}: {number} of {total} done", number / total)
        with pool.turn("cpu", report, stop, owner):
            yield scorer.point(k, seed, training.pick_examples(task, k, seed))


class _Scorer:
    """Trains and scores. A few-shot head leaves the body as it is, so the held-out vectors are made once."""

    def __init__(self, settings: CurveSettings, texts: Sequence[Example], stop: threading.Event) -> None:
        from llmops.encoders.body import folder_of

        self._settings, self._texts, self._stop = settings, texts, stop
        self._base = settings.base.strip()
        self._folder = folder_of(self._base, Connection(), lambda message, fraction: None, stop)
        self._body = self._fresh()
        self._vectors = self._embed()

    def _fresh(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        from llmops.encoders.body import load_body

        return load_body(self._folder, self._base)

    def _embed(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        from llmops.encoders.body import TorchBody, embed_all

        return embed_all(TorchBody(self._body), [example.text for example in self._texts])

    def point(self, k: int, seed: int, examples: Sequence[Example]) -> CurvePoint:
        """Train on the examples and score on the held-out texts."""
        from sklearn.metrics import accuracy_score, f1_score

        from llmops.encoders.training import Trained, train

        tuned = self._settings.method == "setfit"
        if tuned:
            self._body = self._fresh()
        started_s = time.perf_counter()
        for event in train(self._body, self._settings.method, examples, seed, self._stop):
            if isinstance(event, Trained):
                head = event.head
        taken_s = time.perf_counter() - started_s
        shares = head.probabilities(self._embed() if tuned else self._vectors)
        said = [head.labels[place] for place in shares.argmax(axis=1)]
        true = [example.label for example in self._texts]
        macro_f1 = f1_score(true, said, average="macro", zero_division=0.0)
        return CurvePoint(k, seed, float(accuracy_score(true, said)), float(macro_f1), taken_s)


def zero_shot_lines(measured: Sequence[Metrics]) -> dict[str, float]:
    """Accuracy of every candidate that answers without examples: decoders, APIs, hosted models."""
    lines = {}
    for one in measured:
        try:
            kind = parse_candidate(one.candidate, kinds()).kind
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
