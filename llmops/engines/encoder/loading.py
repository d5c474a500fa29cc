"""From a candidate to its parts: a body, a head for each language, and how the weights were read.

A base model is read and learns from the task's pool, or compares with label descriptions; one that was trained here
is read as it was stored.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.compat.sentence_transformers_internals import config_of
from llmops.compat.transformers_models import BUILDING
from llmops.core.candidate import DEFAULT_K, Candidate
from llmops.core.errors import InputError, Stopped
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.encoder import body, files, memory_estimate, training
from llmops.engines.encoder.head import Head, description_head
from llmops.engines.encoder.long_texts import embed_readings, read_whole
from llmops.engines.encoder.store import EncoderStore
from llmops.hardware.memory import LoadMeasurement

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_TRAINED = "trained/"


@dataclass(frozen=True)
class EncoderParts:
    """What loading gives: a body, a head a language, what is to be said, and how the weights were read."""

    model: "SentenceTransformer"
    heads: dict[str, Head]
    notes: tuple[str, ...]
    measured: LoadMeasurement


def is_trained_here(candidate: Candidate) -> bool:
    """True for an encoder of the store, which has a name and no base model's id."""
    return candidate.model.startswith(_TRAINED)


def weights_folder(candidate: Candidate, settings: Settings) -> Path | None:
    """Where the weights lie, without any network; None where they would have to be fetched."""
    if not is_trained_here(candidate):
        return files.local_folder(candidate.model, settings)
    name, encoders = candidate.model.removeprefix(_TRAINED), EncoderStore(settings, candidate.owner)
    if name not in encoders.names():
        return None
    stored = encoders.load(name)
    return stored.folder / "body" if stored.meta.has_body else files.local_folder(stored.meta.base, settings)


def load(candidate: Candidate, task: Task, job: Job, settings: Settings) -> EncoderParts:
    """The parts of a candidate, in fp32. Raises LlmopsError."""
    if is_trained_here(candidate):
        return _load_stored(candidate, task, job, settings)
    return _load_base(candidate, task, job, settings)


def _load_base(candidate: Candidate, task: Task, job: Job, settings: Settings) -> EncoderParts:
    folder = files.find_folder(candidate.model, job, settings)
    model, measured = _read_body(folder, candidate, job)
    if candidate.method == "zero-shot":
        return EncoderParts(model, _description_heads(model, task), (), measured)
    k, seed = int(candidate.option("k") or DEFAULT_K), int(candidate.option("seed") or 0)
    started_s = time.perf_counter()
    for event in training.train(model, candidate.method, training.pick_examples(task, k, seed), seed, job.stop):
        if isinstance(event, training.Trained):
            trained_s = time.perf_counter() - started_s
            note = f"Learnt from {event.examples} examples of the pool, at most {k} a class, in {trained_s:.1f} s."
            notes = _with_long(note, training.long_note(event.windowed))
            return EncoderParts(model, dict.fromkeys(task.languages, event.head), notes, measured)
        if event is not None:
            job.report(event.message, event.fraction)
    raise Stopped("The training was stopped.")


def _load_stored(candidate: Candidate, task: Task, job: Job, settings: Settings) -> EncoderParts:
    stored = EncoderStore(settings, candidate.owner).load(candidate.model.removeprefix(_TRAINED))
    learnt = stored.meta.labels
    if set(learnt) != set(task.label_ids):
        raise InputError(
            f"It was trained on the labels {', '.join(learnt)}; the task has {', '.join(task.label_ids)}.",
            "Choose the task it was trained for, or train another.",
        )
    folder = stored.folder / "body" if stored.meta.has_body else files.find_folder(stored.meta.base, job, settings)
    model, measured = _read_body(folder, candidate, job)
    note = f"Kept encoder: {stored.meta.method} on {stored.meta.base}, {stored.meta.examples} examples."
    notes = _with_long(note, training.long_note(stored.meta.windowed, stored.meta.cut))
    return EncoderParts(model, dict.fromkeys(task.languages, stored.head), notes, measured)


def _with_long(note: str, long: str) -> tuple[str, ...]:
    return (note, long) if long else (note,)


def _read_body(folder: Path, candidate: Candidate, job: Job) -> tuple["SentenceTransformer", LoadMeasurement]:
    job.report("reading the weights", None)
    body.import_libraries()
    with BUILDING, LoadMeasurement("cpu") as measured:
        model = body.load_body(folder, candidate.model)
    return model, measured


def read_shape(model: "SentenceTransformer") -> memory_estimate.EncoderShape | None:
    """None too where layers of its own follow the transformer: their sizes are not in its configuration."""
    _, *following = model
    has_own = any(True for module in following for _ in module.parameters())
    return None if has_own else memory_estimate.read_shape(config_of(model))


def _description_heads(model: "SentenceTransformer", task: Task) -> dict[str, Head]:
    """One head a language, from that language's descriptions."""
    heads, torch_body = {}, body.TorchBody(model)
    for language in task.languages:
        descriptions = [
            label.description.get(language) or next(iter(label.description.values()), "") for label in task.labels
        ]
        if not all(descriptions):
            raise InputError(
                "A label has no description to compare with.", "Describe each label under “Your own task”."
            )
        vectors = embed_readings(torch_body, read_whole(torch_body, descriptions))
        heads[language] = description_head(vectors, task.label_ids)
    return heads
