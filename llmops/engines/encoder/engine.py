"""The encoder engine: a label and a probability for each label, on the CPU. Writes no text.

zero-shot, few-shot head or SetFit, in fp32 or int8. Bodies, heads, training and the store are in `encoders/`.
"""

import gc
import hashlib
import json
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llmops.core.candidate import DEFAULT_K, Candidate
from llmops.core.errors import ContextTooLong, InputError, LlmopsError, Stopped
from llmops.core.events import Event, Finished, Note, Started
from llmops.core.request import Connection, Job, Report, Request
from llmops.core.run import Memory, Run, Source, Timing
from llmops.core.settings import Settings
from llmops.core.task import Task
from llmops.engines.encoder import body, int8, memory_estimate, store, training
from llmops.engines.encoder.head import Head, description_head
from llmops.hardware.energy import EnergyWindow
from llmops.hardware.memory import LoadMeasurement, PeakMemory, release_memory, reusing_memory

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from sentence_transformers import SentenceTransformer

_KEPT = "trained/"
_STRETCH = 256  # texts between two looks at Stop
_INT8_SHARE = 0.3  # of fp32's bytes: a quarter, and what stays in floating point; only for the estimate


class EncoderEngine:
    """Makes EncoderModels."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, candidate: Candidate, task: Task) -> str:
        """Two tasks never share: what a head learnt is part of the model."""
        learnt = [[e.text, e.label, e.language] for e in task.split("pool")]
        described = [[label.id, label.description] for label in task.labels]
        digest = hashlib.sha256(json.dumps([learnt, described], sort_keys=True).encode()).hexdigest()[:16]
        return f"{candidate.owner}:{candidate}#{digest}" if _is_kept(candidate) else f"{candidate}#{digest}"

    def device(self, candidate: Candidate, connection: Connection) -> str:
        """Encoders run on the CPU."""
        return "cpu"

    def estimate_bytes(self, candidate: Candidate) -> int | None:
        """The size of the weights file, where it is on disk."""
        folder = self._weights_folder(candidate)
        files = list(folder.glob("*.safetensors")) if folder else []
        size = sum(file.stat().st_size for file in files)
        if not size:
            return None
        return int(size * _INT8_SHARE) if candidate.precision == "int8" else size

    def fetch(self, candidate: Candidate, job: Job) -> None:
        """The files alone; a kept encoder's base was fetched when it was trained. See engines.base.FetchingEngine."""
        if not _is_kept(candidate):
            body.folder_of(candidate.model, job, self._settings)

    def load(self, candidate: Candidate, task: Task, job: Job) -> "EncoderModel":
        """Fetch, train where the method asks for it, and make the int8 copy where wanted. Raises LlmopsError."""
        way = self._load_kept if _is_kept(candidate) else self._load_fresh
        parts = way(candidate, task, job)
        if job.stop.is_set():
            raise Stopped("Stopped while loading.")
        shape = _shape(parts.model)
        if candidate.precision != "int8":
            return EncoderModel(candidate, body.TorchBody(parts.model), parts, shape, parts.reading.load_s)
        folder = int8.int8_copy(parts.model, self._settings.data_dir, job.report)
        with LoadMeasurement("cpu") as compiling:
            small = int8.OpenVinoBody(parts.model, folder)
        return EncoderModel(candidate, small, parts, shape, (parts.reading.load_s or 0) + (compiling.load_s or 0))

    def _load_fresh(self, candidate: Candidate, task: Task, job: Job) -> "_Parts":
        folder = body.folder_of(candidate.model, job, self._settings)
        model, reading = _read(folder, candidate, job.report)
        if candidate.method == "zero-shot":
            return _Parts(model, _description_heads(model, task), (), reading)
        k, seed = int(candidate.option("k") or DEFAULT_K), int(candidate.option("seed") or 0)
        started_s = time.perf_counter()
        for event in training.train(model, candidate.method, training.pick_examples(task, k, seed), seed, job.stop):
            if isinstance(event, training.Trained):
                taken_s = time.perf_counter() - started_s
                note = f"Learnt from {event.examples} examples of the pool, at most {k} a class, in {taken_s:.1f} s."
                return _Parts(model, dict.fromkeys(task.languages, event.head), (note,), reading)
            if event is not None:
                job.report(event.message, event.fraction)
        raise Stopped("The training was stopped.")

    def _load_kept(self, candidate: Candidate, task: Task, job: Job) -> "_Parts":
        kept = store.EncoderStore(self._settings, candidate.owner).load(candidate.model.removeprefix(_KEPT))
        learnt = kept.meta.labels
        if set(learnt) != set(task.label_ids):
            raise InputError(
                f"It was trained on the labels {', '.join(learnt)}; the task has {', '.join(task.label_ids)}.",
                "Choose the task it was trained for, or train another.",
            )
        folder = kept.folder / "body" if kept.meta.has_body else body.folder_of(kept.meta.base, job, self._settings)
        model, reading = _read(folder, candidate, job.report)
        note = f"Kept encoder: {kept.meta.method} on {kept.meta.base}, {kept.meta.examples} examples."
        return _Parts(model, dict.fromkeys(task.languages, kept.head), (note,), reading)

    def _weights_folder(self, candidate: Candidate) -> "Path | None":
        if not _is_kept(candidate):
            return body.known_folder(candidate.model, self._settings)
        name = candidate.model.removeprefix(_KEPT)
        encoders = store.EncoderStore(self._settings, candidate.owner)
        if name not in encoders.names():
            return None
        kept = encoders.load(name)
        return kept.folder / "body" if kept.meta.has_body else body.known_folder(kept.meta.base, self._settings)


def make(settings: Settings) -> EncoderEngine:
    """See engines.Engines."""
    return EncoderEngine(settings)


@dataclass(frozen=True)
class _Parts:
    """What loading gives: a body, a head a language, what is to be said, and how the weights were read."""

    model: "SentenceTransformer"
    heads: dict[str, Head]
    notes: tuple[str, ...]
    reading: LoadMeasurement


class EncoderModel:
    """A body with a head (one a language for zero-shot, where descriptions differ)."""

    device = "cpu"
    can_batch = True

    def __init__(
        self,
        candidate: Candidate,
        loaded: body.Body,
        parts: _Parts,
        shape: memory_estimate.EncoderShape | None,
        load_s: float | None,
    ) -> None:
        self.notes, self.load_s, self.before_bytes = parts.notes, load_s, parts.reading.before_bytes
        self.weights_bytes: int | None = loaded.weights_bytes
        self._candidate = candidate
        self._body: body.Body | None = loaded
        self._heads = parts.heads
        self._shape = shape

    def warm_up(self) -> None:
        """Texts of several lengths: the first of a shape costs more."""
        if self._body is not None:
            for text in ("a", "a short sentence to warm up", "word " * 60):
                self._body.embed([text])

    def run(self, request: Request) -> Generator[Event, None, None]:
        """One label; see engines.base.Model.run."""
        if self._body is None:
            raise InputError("This encoder was unloaded.", "Run again.")
        head = self._head(request)
        (ids,) = self._body.tokens.ids([request.text])
        notes = _check_tokens(self._body, ids, request.truncate)
        yield Started()
        for note in notes:
            yield Note(note)
        with EnergyWindow("cpu") as spent, PeakMemory("cpu") as peak:
            handed_s = time.perf_counter()
            shares = head.probabilities(self._body.embed([request.text]))[0]
            e2e_s = time.perf_counter() - handed_s
        run = self._run(request, head, shares, len(ids), notes)
        yield Finished(
            replace(
                run,
                timing=replace(run.timing, e2e_s=e2e_s),
                memory=replace(run.memory, peak_bytes=peak.extra_bytes),
                source={**run.source, "timing": Source.CLIENT},
                energy=spent.energy,
            )
        )

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """Many texts, in batches of similar length; see engines.base.BatchModel."""
        if self._body is None:
            raise InputError("This encoder was unloaded.", "Run again.")
        ids = self._body.tokens.ids([request.text for request in requests])
        done: dict[int, Run | LlmopsError] = {}
        told: dict[int, tuple[str, ...]] = {}
        for number, request in enumerate(requests):
            try:
                told[number] = _check_tokens(self._body, ids[number], request.truncate)
            except LlmopsError as error:
                done[number] = error
        for start in range(0, len(told), _STRETCH):
            if requests[0].stop.is_set():
                raise Stopped("Stopped while a batch was running.")
            chosen = list(told)[start : start + _STRETCH]
            with reusing_memory():
                vectors = body.embed_all(self._body, [requests[i].text for i in chosen], ids=[ids[i] for i in chosen])
            for number, vector in zip(chosen, vectors, strict=True):
                head = self._head(requests[number])
                shares = head.probabilities(vector[None])[0]
                done[number] = self._run(requests[number], head, shares, len(ids[number]), told[number])
        return [done[number] for number in range(len(requests))]

    def _head(self, request: Request) -> Head:
        return self._heads.get(request.language) or next(iter(self._heads.values()))

    def _run(self, request: Request, head: Head, shares: "np.ndarray", tokens: int, notes: tuple[str, ...]) -> Run:
        """All but times and peak. shares: (labels,)."""
        probabilities = {label: float(share) for label, share in zip(head.labels, shares, strict=True)}
        ordered = {label: probabilities[label] for label in request.task.label_ids}
        read = min(tokens, self._body.max_tokens) if self._body is not None else tokens
        return Run(
            candidate=str(self._candidate),
            label=max(ordered, key=lambda label: ordered[label]),
            probabilities=ordered,
            timing=Timing(prompt_tokens=read),
            memory=Memory(weights_bytes=self.weights_bytes, device=self.device),
            predicted=self._predicted(read),
            source=dict.fromkeys(("tokens", "memory", "probabilities"), Source.CLIENT),
            notes=notes,
            finish="stop",
        )

    def _predicted(self, tokens: int) -> Memory | None:
        """What weights and one text of so many tokens should take; None for an architecture that is not known."""
        if self._shape is None:
            return None
        precision = self._candidate.precision or "fp32"
        held = memory_estimate.weights_bytes(self._shape, precision)
        return Memory(held, None, memory_estimate.peak_bytes(self._shape, precision, tokens), None, self.device)

    def close(self) -> None:
        """Drop the weights and give the memory back to the system."""
        self._body = None
        gc.collect()
        release_memory(self.device)


def _check_tokens(loaded: body.Body, ids: Sequence[int], truncate: bool) -> tuple[str, ...]:
    """What is to be said of a text's tokens. Raises ContextTooLong for too many that may not be cut."""
    notes = _check_length(len(ids), loaded.max_tokens, truncate)
    unknown = loaded.tokens.unknown(ids[: loaded.max_tokens])
    if not unknown:
        return notes
    return (*notes, f"{unknown:,} of the text's {len(ids):,} tokens are not in the encoder's vocabulary: not read.")


def _check_length(tokens: int, limit: int, truncate: bool) -> tuple[str, ...]:
    if tokens <= limit:
        return ()
    if not truncate:
        raise ContextTooLong(
            f"The text has {tokens:,} tokens; this encoder reads {limit:,}.",
            "Shorten it, or have long texts cut (run settings, or truncate in a program).",
        )
    return (f"The text was cut: {tokens - limit:,} of its {tokens:,} tokens were left out.",)


def _read(folder: "Path", candidate: Candidate, report: Report) -> tuple["SentenceTransformer", LoadMeasurement]:
    report("reading the weights", None)
    body.import_libraries()
    with LoadMeasurement("cpu") as reading:
        model = body.load_body(folder, candidate.model)
    return model, reading


def _shape(model: "SentenceTransformer") -> memory_estimate.EncoderShape | None:
    """None too where layers of its own follow the transformer: their sizes are not in its configuration."""
    _, *others = model
    own = any(True for module in others for _ in module.parameters())
    return None if own else memory_estimate.read_shape(model[0].auto_model.config.to_dict())


def _description_heads(model: "SentenceTransformer", task: Task) -> dict[str, Head]:
    """One head a language, from that language's descriptions."""
    heads = {}
    for language in task.languages:
        words = [label.description.get(language) or next(iter(label.description.values()), "") for label in task.labels]
        if not all(words):
            raise InputError(
                "A label has no description to compare with.", "Describe each label under “Your own task”."
            )
        heads[language] = description_head(body.TorchBody(model).embed(words), task.label_ids)
    return heads


def _is_kept(candidate: Candidate) -> bool:
    return candidate.model.startswith(_KEPT)
