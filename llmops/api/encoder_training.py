"""Training an encoder on a task's examples, in its turn on the CPU, and keeping it under a name: from plain values."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from llmops.core.candidate import base_encoder
from llmops.core.errors import InputError
from llmops.core.request import Job
from llmops.core.task import Task
from llmops.engines.encoder.store import EncoderMeta, EncoderStore
from llmops.engines.encoder.training import Trained, TrainEvent, TrainingSettings, train_named
from llmops.engines.encoder.training_record import training_record
from llmops.runtime.pool import Pool


@dataclass
class UnkeptEncoder:
    """A trained encoder that has no name yet. trained: None once it is kept, or has made room for newer ones."""

    trained: Trained | None
    meta: EncoderMeta


class UnkeptEncoders:
    """All that wait to be kept: each may hold a model's weights, so only the newest few are held."""

    _MOST = 4

    def __init__(self) -> None:
        self._with_body: deque[UnkeptEncoder] = deque()

    def hold(self, unkept: UnkeptEncoder) -> None:
        """One more; the oldest is dropped where there are too many."""
        if unkept.meta.has_body:
            self._with_body.append(unkept)
        while len(self._with_body) > self._MOST:
            self._with_body.popleft().trained = None


def train_encoder(pool: Pool, task: Task, settings: TrainingSettings, job: Job) -> Iterator[TrainEvent | UnkeptEncoder]:
    """Fetch the base and train it; the encoder comes last. Raises InputError, Stopped, or what fetching raises."""
    pool.fetch(base_encoder(settings.base), task, job)
    with pool.queues.slices("cpu", job) as yield_turn:
        for event in train_named(task, settings, pool.settings, job, yield_turn):
            if isinstance(event, Trained):
                yield _unkept(event, training_record(task, settings, event))
            elif event is not None:
                yield event


def _unkept(trained: Trained, meta: EncoderMeta) -> UnkeptEncoder:
    """A few-shot head leaves the base as it is, so its model is not wanted again."""
    return UnkeptEncoder(trained if meta.has_body else replace(trained, model=None), meta)  # type: ignore[arg-type]


def keep_encoder(unkept: UnkeptEncoder | None, name: str, encoders: EncoderStore) -> None:
    """Keep it under a name, once. Raises InputError, TooMuch, OutOfMemory."""
    if unkept is None or unkept.trained is None:
        raise InputError("Nothing is trained, or others have trained since.", "Press Train first.")
    encoders.save(name, unkept.trained.model, unkept.trained.head, unkept.meta)
    unkept.trained = None
