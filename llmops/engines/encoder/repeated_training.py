"""One base encoder trained again and again, each time to label the same texts: what a learning curve is made of."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.encoder.body import TorchBody, load_body
from llmops.engines.encoder.files import find_folder
from llmops.engines.encoder.long_texts import embed_readings, read_whole
from llmops.engines.encoder.training import Trained, pick_examples, train

if TYPE_CHECKING:
    import numpy as np
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Labelling:
    """The label that a trained encoder gives to each text, and how long it trained."""

    labels: tuple[str, ...]
    train_s: float


class RepeatedTraining:
    """Trains and labels. A few-shot head leaves the body as it is, so the texts' vectors are made once.

    Nothing is computed before the first training: only then is it this visitor's turn.
    """

    def __init__(self, base: str, method: str, texts: Sequence[str], job: Job, settings: Settings) -> None:
        self._base, self._method, self._texts, self._job = base.strip(), method, texts, job
        self._settings = settings

    @cached_property
    def _folder(self) -> Path:
        return find_folder(self._base, self._job, self._settings)

    @cached_property
    def _untrained(self) -> tuple["SentenceTransformer", "np.ndarray"]:
        """The body as it is, and the texts' vectors, (texts, width)."""
        body = load_body(self._folder, self._base)
        return body, self._embed(body)

    def _embed(self, body: "SentenceTransformer") -> "np.ndarray":
        torch_body = TorchBody(body)
        return embed_readings(torch_body, read_whole(torch_body, self._texts))

    def train(self, task: Task, k: int, seed: int) -> Labelling:
        """Train on k examples a class, drawn with the seed, and label every text. Raises InputError, Stopped."""
        tuned = self._method == "setfit"
        body, vectors = (load_body(self._folder, self._base), None) if tuned else self._untrained
        examples = pick_examples(task, k, seed)
        started_s = time.perf_counter()
        for event in train(body, self._method, examples, seed, self._job.stop):
            if isinstance(event, Trained):
                head = event.head
        train_s = time.perf_counter() - started_s
        shares = head.probabilities(self._embed(body) if vectors is None else vectors)
        return Labelling(tuple(head.labels[index] for index in shares.argmax(axis=1)), train_s)
