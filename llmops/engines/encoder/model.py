"""A loaded encoder: texts in, labels with probabilities out. It writes no text."""

import gc
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llmops.core.candidate import Candidate
from llmops.core.errors import ContextTooLong, InputError, LlmopsError, Stopped
from llmops.core.events import Event, Finished, Note, Started
from llmops.core.request import Request
from llmops.core.run import Memory, Run, Source, Timing
from llmops.engines.encoder import body, memory_estimate
from llmops.engines.encoder.head import Head
from llmops.engines.encoder.loading import EncoderParts
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
        (ids,) = self._body.tokenizer.ids([request.text])
        notes = _check_tokens(self._body, ids, request.truncate)
        yield Started()
        for note in notes:
            yield Note(note)
        with EnergyWindow("cpu") as energy_window, PeakMemory("cpu") as peak:
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
                energy=energy_window.energy,
            )
        )

    def run_batch(self, requests: Sequence[Request]) -> list[Run | LlmopsError]:
        """Many texts, in batches of similar length; see engines.base.BatchModel."""
        if self._body is None:
            raise InputError("This encoder was unloaded.", "Run again.")
        ids = self._body.tokenizer.ids([request.text for request in requests])
        results: dict[int, Run | LlmopsError] = {}
        notes_of: dict[int, tuple[str, ...]] = {}
        for number, request in enumerate(requests):
            try:
                notes_of[number] = _check_tokens(self._body, ids[number], request.truncate)
            except LlmopsError as error:
                results[number] = error
        for start in range(0, len(notes_of), _TEXTS_BETWEEN_CHECKS):
            if requests[0].stop.is_set():
                raise Stopped("Stopped while a batch was running.")
            chosen = list(notes_of)[start : start + _TEXTS_BETWEEN_CHECKS]
            with reusing_memory():
                vectors = body.embed_all(self._body, [requests[i].text for i in chosen], ids=[ids[i] for i in chosen])
            for number, vector in zip(chosen, vectors, strict=True):
                head = self._head(requests[number])
                shares = head.probabilities(vector[None])[0]
                results[number] = self._run(requests[number], head, shares, len(ids[number]), notes_of[number])
        return [results[number] for number in range(len(requests))]

    def _head(self, request: Request) -> Head:
        return self._heads.get(request.language) or next(iter(self._heads.values()))

    def _run(self, request: Request, head: Head, shares: "np.ndarray", tokens: int, notes: tuple[str, ...]) -> Run:
        """All but times and peak. shares: (labels,)."""
        probabilities = {label: float(share) for label, share in zip(head.labels, shares, strict=True)}
        ordered = {label: probabilities[label] for label in request.task.label_ids}
        read_tokens = min(tokens, self._body.max_tokens) if self._body is not None else tokens
        return Run(
            candidate=str(self._candidate),
            label=max(ordered, key=lambda label: ordered[label]),
            probabilities=ordered,
            timing=Timing(prompt_tokens=read_tokens),
            memory=Memory(weights_bytes=self.weights_bytes, device=self.device),
            predicted=self._predicted(read_tokens),
            source=dict.fromkeys(("tokens", "memory", "probabilities"), Source.CLIENT),
            notes=notes,
            finish="stop",
        )

    def _predicted(self, tokens: int) -> Memory | None:
        """What weights and one text of so many tokens should take; None for an architecture that is not known."""
        if self._shape is None:
            return None
        precision = self._candidate.precision or "fp32"
        weights = memory_estimate.weights_bytes(self._shape, precision)
        return Memory(weights, None, memory_estimate.peak_bytes(self._shape, precision, tokens), None, self.device)

    def close(self) -> None:
        """Drop the weights and give the memory back to the system."""
        self._body = None
        gc.collect()
        release_memory(self.device)


def _check_tokens(embedder: body.Body, ids: Sequence[int], truncate: bool) -> tuple[str, ...]:
    """Notes on a text's tokens. Raises ContextTooLong for too many that may not be cut."""
    notes = _check_length(len(ids), embedder.max_tokens, truncate)
    unknown = embedder.tokenizer.unknown(ids[: embedder.max_tokens])
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
