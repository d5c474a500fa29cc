"""Which texts are longer than a candidate reads, and by how much: counted before anything runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Kind, parse_candidate
from llmops.core.errors import InputError, LlmopsError
from llmops.core.run_settings import RunSettings
from llmops.core.task import Example, Task
from llmops.engines.base import TextLengths
from llmops.evaluation.heldout import HeldOut
from llmops.runtime.pool import Pool

_WAYS = {
    "windows": "They are read in windows, which are averaged.",
    "cut": "What is beyond is cut.",
    "leave_out": "They are left out for every candidate.",
    "refuse": "They fail.",
}


@dataclass(frozen=True)
class LongTextCount:
    """A candidate's: numbers of the texts that are too long, of how many; limit and longest in tokens.

    beyond: share of all texts' tokens that lie beyond the limit, 0 to 1.
    """

    candidate: str
    numbers: tuple[int, ...]
    of: int
    limit: int
    longest: int
    beyond: float

    def to_json(self) -> dict[str, Any]:
        """What an evaluation's settings keep of it, and sentences() reads."""
        counted = {"texts": len(self.numbers), "of": self.of, "limit": self.limit}
        return {**counted, "longest": self.longest, "beyond": round(self.beyond, 4)}


def sentences(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """For a person, from an evaluation's kept settings: a sentence a candidate that some texts are too long for."""
    counts = settings.get("too_long", {}).items()
    return tuple(f"{sentence(candidate, count)} {_WAYS[settings['long_texts']]}" for candidate, count in counts)


def other_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation's kept settings without the counts, which sentences() tells."""
    return {name: value for name, value in settings.items() if name != "too_long"}


def sentence(candidate: str, count: Mapping[str, Any]) -> str:
    """How many texts are too long, by how much. count: see LongTextCount.to_json."""
    return (
        f"{candidate} reads {count['limit']:,} tokens: {count['texts']:,} of {count['of']:,} texts are longer "
        f"(up to {count['longest']:,}; {count['beyond']:.0%} of all tokens lie beyond)."
    )


LEFT_OUT = "longer than a candidate reads"


def without_long(held_out: HeldOut, counts: Sequence[LongTextCount]) -> HeldOut:
    """The same without what is too long for one of the candidates. Raises InputError where nothing is left."""
    long = {number for count in counts for number in count.numbers}
    texts = tuple(text for number, text in enumerate(held_out.texts) if number not in long)
    if not texts:
        raise InputError("Every text is longer than a candidate reads.", "Have them read in windows, or cut.")
    return replace(held_out, texts=texts, why=held_out.why | {LEFT_OUT: len(long)}) if long else held_out


def count_long_texts(
    pool: Pool, task: Task, texts: Sequence[Example], candidates: Sequence[str], settings: RunSettings
) -> list[LongTextCount]:
    """A count of each candidate with such texts. Not known of remote ones, and of models that are not here yet."""
    counts = []
    measured: dict[tuple[Kind, str], TextLengths | None] = {}  # precision and method change nothing
    for name in dict.fromkeys(candidates):
        try:
            candidate = parse_candidate(name, model_kinds()).owned_by(settings.connection.owner)
            stages = candidate.stages or (candidate,)
            for stage in stages:
                if (stage.kind, stage.model) not in measured:
                    lengths = pool.text_lengths(stage, task, texts, settings.generation.max_new_tokens)
                    measured[stage.kind, stage.model] = lengths
        except (LlmopsError, OSError, ValueError):  # it fails later, and says why
            continue
        found = (measured[stage.kind, stage.model] for stage in stages)
        counted = [count for lengths in found if lengths is not None and (count := _count(name, lengths)) is not None]
        if counted:  # of a cascade's stages the one that reads least
            counts.append(max(counted, key=lambda count: len(count.numbers)))
    return counts


def _count(name: str, lengths: TextLengths) -> LongTextCount | None:
    limit = lengths.limit
    numbers = tuple(number for number, tokens in enumerate(lengths.tokens) if tokens > limit)
    if not numbers:
        return None
    beyond = sum(lengths.tokens[number] - limit for number in numbers) / sum(lengths.tokens)
    return LongTextCount(name, numbers, len(lengths.tokens), limit, max(lengths.tokens), beyond)
