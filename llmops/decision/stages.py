"""Which candidates may be the stages of a cascade, and a cascade as a candidate of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmops.catalog.models import model_kinds
from llmops.core.candidate import Candidate, Kind, cascade, parse_candidate
from llmops.core.errors import InputError


@dataclass(frozen=True)
class StageChoices:
    """Encoders, which may come first, and all that may come second."""

    firsts: tuple[str, ...]
    seconds: tuple[str, ...]

    @property
    def first(self) -> str | None:
        """The one to begin with."""
        return next(iter(self.firsts), None)

    @property
    def second(self) -> str | None:
        """The one to begin with: rather no encoder."""
        others = [name for name in self.seconds if name not in self.firsts]
        return next(iter([*others, *self.firsts[1:]]), None)


def stage_choices(candidates: Sequence[str]) -> StageChoices:
    """Of an evaluation's candidates; those that can't be read are left out."""
    kinds = {}
    for text in candidates:
        try:
            kinds[text] = parse_candidate(text, model_kinds()).kind
        except InputError:
            continue
    firsts = tuple(text for text, kind in kinds.items() if kind == Kind.ENCODER)
    return StageChoices(firsts, tuple(text for text, kind in kinds.items() if kind != Kind.CASCADE))


def cascade_candidate(first: str | None, second: str | None, threshold: float | None) -> Candidate:
    """The cascade of two candidate texts. Raises InputError, also where one of the three is missing."""
    if not first or not second or threshold is None:
        raise InputError("No cascade is simulated yet.", "Press Simulate, or type a threshold.")
    return cascade(parse_candidate(first, model_kinds()), parse_candidate(second, model_kinds()), threshold)
