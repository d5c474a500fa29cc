"""Training an encoder on a task's examples, in its turn on the CPU, and keeping it under a name: from plain values.

/train and the command are the same training; the page keeps apart what it shows step by step.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from llmops.api.context import ApiContext, error_in
from llmops.api.tasks import chosen_task
from llmops.core.candidate import DEFAULT_K, base_encoder
from llmops.core.errors import InputError
from llmops.core.given import GivenSettings, Seed, Text, Whole
from llmops.core.request import Job
from llmops.core.task import Task
from llmops.engines.encoder.store import EncoderMeta, EncoderStore
from llmops.engines.encoder.training import Trained, TrainEvent, TrainingSettings, train_named
from llmops.engines.encoder.training_record import training_record
from llmops.runtime.pool import Pool


class GivenTraining(GivenSettings):
    """How an encoder learns."""

    method: Literal["few-shot", "setfit"] = Field("setfit", title="way to learn", description="few-shot or setfit")
    k: Whole = Field(DEFAULT_K, ge=1, le=10_000, description="examples a class, at most")
    seed: Seed = Field(0, description="of examples and training")
    hf_token: Text = Field(None, repr=False, description="Hugging Face token, for a gated base")

    def training(self, base: str) -> TrainingSettings:
        """As the training reads them. base: the model that is trained. Raises InputError for none."""
        return TrainingSettings(base_encoder(base).model, self.method, self.k, self.seed)


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


def train_and_keep(pool: Pool, task: Task, settings: TrainingSettings, name: str, job: Job) -> EncoderMeta:
    """Both at once, for who waits for the end; progress is the job's. A taken name is told before anything is done.

    Raises InputError, Stopped, TooMuch, OutOfMemory, or what fetching raises.
    """
    encoders = EncoderStore(pool.settings, job.owner)
    encoders.new_folder(name)
    unkept: UnkeptEncoder | None = None
    for event in train_encoder(pool, task, settings, job):
        if isinstance(event, UnkeptEncoder):
            unkept = event
        else:
            job.report(event.message, event.fraction)
    if unkept is None:
        raise InputError("Nothing was trained.", "Retry.")
    keep_encoder(unkept, name, encoders)
    return unkept.meta


def train_data(
    context: ApiContext,
    task: Task | str,
    base: str,
    name: str,
    given: str | Mapping[str, Any] | None,
    job: Job,
) -> dict[str, Any]:
    """A kept encoder: what it is called as a candidate, and what it learnt from. given: GivenTraining's settings."""
    answer: dict[str, Any] = {"error": None}
    with error_in(answer, "training") as asker:
        chosen = chosen_task(task, context.settings)
        asked = GivenTraining.read(given)
        job = job.asked_with(replace(job.connection, hf_token=asked.hf_token))
        asker.connection = job.connection
        meta = train_and_keep(context.pool, chosen, asked.training(base or ""), name or "", job)
        answer |= {
            "candidate": f"trained/{name}",
            "base": meta.base,
            "method": meta.method,
            "labels": list(meta.labels),
            "examples": meta.examples,
            "windowed": meta.windowed,
        }
    return answer
