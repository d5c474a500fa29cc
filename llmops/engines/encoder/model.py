"""A loaded encoder: texts in, labels with probabilities out. It writes no text."""

import gc
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llmops.core.candidate import Candidate
from llmops.core.errors import InputError, LlmopsError, Stopped
from llmops.core.events import Event, Finished, Note, Started
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Source, Timing
from llmops.engines.encoder import body, memory_estimate
from llmops.engines.encoder.head import Head
from llmops.engines.encoder.loading import EncoderParts
from llmops.engines.encoder.long_texts import Reading, embed_readings, read_text
from llmops.hardware.energy import EnergyWindow
from llmops.hardware.memory import PeakMemory, release_memory, reusing_memory

if TYPE_CHECKING:
    import numpy as np

_TEXTS_BETWEEN_CHECKS = 256  # whether the batch was stopped


class EncoderModel:
    """A body with a head (one a language for zero-shot, where descriptions differ)."""

    device = "cpu"
    can_batch = True

    def __init__(
        self,
        candidate: Candidate,
        embedder: body.Body,
        parts: EncoderParts,
        shape: memory_estimate.EncoderShape | None,
        load_s: float | None,
    ) -> None:
        self.notes, self.load_s, self.before_bytes = parts.notes, load_s, parts.measured.before_bytes
        self.weights_bytes: int | None = embedder.weights_bytes
        self._candidate = candidate
        self._body: body.Body | None = embedder
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
        reading = read_text(self._body, request.text, request.long_texts)
        notes = _notes(self._body, reading)
        yield Started()
        for note in notes:
            yield Note(note)
        with EnergyWindow("cpu") as energy_window, PeakMemory("cpu") as peak:
            handed_s = time.perf_counter()
            shares = head.probabilities(self._embed(request))[0]
            e2e_s = time.perf_counter() - handed_s
        run = self._run(request, head, shares, reading, notes)
        yield Finished(
            replace(
                run,
                timing=replace(run.timing, e2e_s=e2e_s),
                memory=replace(run.memory, peak_bytes=peak.extra_bytes),
                source={**run.source, "timing": Source.CLIENT},
                energy=energy_window.energy,
            )
        )

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """Many texts, in batches of similar length; see engines.base.BatchModel."""
        if self._body is None:
            raise InputError("This encoder was unloaded.", "Run again.")
        ids = self._body.tokenizer.ids([request.text for request in requests])
        results: dict[int, Run | LlmopsError] = {}
        readings: dict[int, Reading] = {}
        for number, request in enumerate(requests):
            try:
                readings[number] = read_text(self._body, request.text, request.long_texts, ids[number])
            except LlmopsError as error:
                results[number] = error
        for start in range(0, len(readings), _TEXTS_BETWEEN_CHECKS):
            if requests[0].stop.is_set():
                raise Stopped("Stopped while a batch was running.")
            chosen = list(readings)[start : start + _TEXTS_BETWEEN_CHECKS]
            with reusing_memory():
                vectors = embed_readings(self._body, [readings[number] for number in chosen])
            for number, vector in zip(chosen, vectors, strict=True):
                head = self._head(requests[number])
                shares = head.probabilities(vector[None])[0]
                notes = _notes(self._body, readings[number])
                results[number] = self._run(requests[number], head, shares, readings[number], notes)
        return [results[number] for number in range(len(requests))]

    def _head(self, request: Request) -> Head:
        return self._heads.get(request.language) or next(iter(self._heads.values()))

    def _embed(self, request: Request) -> "np.ndarray":
        """(1, width), from the text itself: what is done with a long one is a part of its time."""
        if self._body is None:
            raise InputError("This encoder was unloaded.", "Run again.")
        return embed_readings(self._body, [read_text(self._body, request.text, request.long_texts)])

    def _run(self, request: Request, head: Head, shares: "np.ndarray", reading: Reading, notes: tuple[str, ...]) -> Run:
        """All but times and peak. shares: (labels,)."""
        probabilities = {label: float(share) for label, share in zip(head.labels, shares, strict=True)}
        ordered = {label: probabilities[label] for label in request.task.label_ids}
        return Run(
            candidate=str(self._candidate),
            label=max(ordered, key=lambda label: ordered[label]),
            probabilities=ordered,
            timing=Timing(prompt_tokens=reading.read_tokens),
            memory=Memory(weights_bytes=self.weights_bytes, device=self.device),
            predicted=self._predicted(reading),
            source=dict.fromkeys(("tokens", "memory", "probabilities"), Source.CLIENT),
            notes=notes,
            finish="stop",
        )

    def _predicted(self, reading: Reading) -> Memory | None:
        """What weights and one text should take; None for an architecture that is not known, and where it is split."""
        if self._shape is None or len(reading.parts) > 1:
            return None
        precision = self._candidate.precision or "fp32"
        weights = memory_estimate.weights_bytes(self._shape, precision)
        return Memory(
            weights, None, memory_estimate.peak_bytes(self._shape, precision, reading.read_tokens), None, self.device
        )

    def close(self) -> None:
        """Drop the weights and give the memory back to the system."""
        self._body = None
        gc.collect()
        release_memory(self.device)


def _notes(embedder: body.Body, reading: Reading) -> tuple[str, ...]:
    """What is to be said of a text's tokens."""
    notes = (reading.note,) if reading.note else ()
    unknown = embedder.tokenizer.unknown([token for ids in reading.ids for token in ids[: embedder.max_tokens]])
    if not unknown:
        return notes
    return (
        *notes,
        f"{unknown:,} of the text's {reading.tokens:,} tokens are not in the encoder's vocabulary: not read.",
    )
