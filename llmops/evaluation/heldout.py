"""Which texts count: none that a candidate has learnt from or that stands in a prompt.

They are the same ones for all candidates, so that these stay comparable.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, parse_candidate
from llmops.core.errors import LlmopsError
from llmops.core.task import Example, Task
from llmops.engines.encoder.store import EncoderStore
from llmops.engines.encoder.training_record import plain, text_mark

POOL = "examples of the task's pool"
PROMPT = "in the prompt"
_FEW_WORDS = 4  # a shorter text can stand in a prompt by chance ("yes")


@dataclass(frozen=True)
class HeldOut:
    """texts: those that count. why: reason → how many were left out for it. unknown: kept encoders without a record."""

    texts: tuple[Example, ...]
    why: dict[str, int]
    unknown: tuple[str, ...] = ()

    @property
    def left_out(self) -> int:
        """How many do not count."""
        return sum(self.why.values())


def hold_out(
    task: Task, examples: Sequence[Example], candidates: Sequence[str], encoders: EncoderStore | None = None
) -> HeldOut:
    """Leave out what the task's pool holds, what a kept encoder was trained on, and what a prompt says already.

    encoders: those that the asking owner keeps; None where none is a candidate.
    """
    pool = {plain(example.text) for example in task.split("pool")}
    prompts = [plain(f"{prompt.instruction} {prompt.system} {prompt.user}") for prompt in task.prompts.values()]
    learnt, unknown = _learnt(candidates, encoders) if encoders is not None else ({}, ())
    kept, why = [], dict[str, int]()
    for example in examples:
        reason = _reason(plain(example.text), pool, prompts, learnt)
        if reason is None:
            kept.append(example)
        else:
            why[reason] = why.get(reason, 0) + 1
    return HeldOut(tuple(kept), why, unknown)


def _reason(text: str, pool: set[str], prompts: Sequence[str], learnt: dict[str, frozenset[str]]) -> str | None:
    if text in pool:
        return POOL
    marked = text_mark(text)
    for name, marks in learnt.items():
        if marked in marks:
            return f"{name} was trained on them"
    if len(text.split()) >= _FEW_WORDS and any(text in prompt for prompt in prompts):
        return PROMPT
    return None


def _learnt(candidates: Sequence[str], encoders: EncoderStore) -> tuple[dict[str, frozenset[str]], tuple[str, ...]]:
    """Kept encoder → marks of its training texts; and those that keep no such record. Missing ones fail later."""
    marks: dict[str, frozenset[str]] = {}
    unknown = []
    for candidate in _stages(candidates):
        try:
            if candidate.kind != Kind.ENCODER or not candidate.model.startswith("trained/"):
                continue
            meta = encoders.load(candidate.model.removeprefix("trained/")).meta
        except LlmopsError:
            continue
        if meta.learnt is None:
            unknown.append(candidate.model)
        else:
            marks[candidate.model] = frozenset(meta.learnt)
    return marks, tuple(dict.fromkeys(unknown))


def _stages(candidates: Sequence[str]) -> Iterator[Candidate]:
    """Every candidate, a cascade's stages one by one; what can't be read fails later."""
    for text in candidates:
        with suppress(LlmopsError):
            candidate = parse_candidate(text, model_kinds())
            yield from candidate.stages or (candidate,)
