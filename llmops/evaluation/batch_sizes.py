"""How the texts of an evaluation run: which alone, which together, and how many at a time. Knows no model.

A text that ran alone has a latency of its own; one of a batch has not, and its row says so. So a sample runs alone, for
the percentiles, and the rest together, for the throughput.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from llmops.core.run import Run

_FEWEST_ALONE, _MOST_ALONE, _SHARE_ALONE = 5, 20, 20
_FIRST, _MOST = 32, 256  # texts a batch
_SHORT_S, _LONG_S = 1.0, 3.0  # a turn on the device: others wait no longer than that for theirs


@dataclass(frozen=True)
class AnswerMode:
    """batched: local models take many texts at once (greedy only). verdict_only: no explanation is asked for."""

    batched: bool = True
    verdict_only: bool = False

    @staticmethod
    def of(settings: dict[str, Any]) -> "AnswerMode":
        """From what an evaluation's settings kept; earlier ones ran every text alone and said nothing of it."""
        return AnswerMode(settings.get("batched", False), settings.get("verdict_only", False))

    def record(self) -> dict[str, Any]:
        """What an evaluation's settings keep."""
        return {"batched": self.batched, "verdict_only": self.verdict_only}


DEFAULT_MODE = AnswerMode()


def sample(left: Sequence[tuple[int, int]], alone_before: int, seed: int) -> set[tuple[int, int]]:
    """Which of the texts that are left run alone: a twentieth, 5 to 20 in all, those of before counted in."""
    wanted = min(_MOST_ALONE, max(_FEWEST_ALONE, (len(left) + alone_before) // _SHARE_ALONE)) - alone_before
    return set(Random(seed).sample(list(left), max(0, min(wanted, len(left)))))


def ran_alone(run: Run) -> bool:
    """Whether a run had the model to itself."""
    return "batch_texts" not in run.settings


def batch_share_s(run: Run) -> float | None:
    """A batched run's share of its batch's seconds; None where it ran alone: it has a latency of its own."""
    return None if ran_alone(run) else run.settings["batch_s"] / run.settings["batch_texts"]


class BatchSize:
    """How many texts the next batch takes, from how long the last one took."""

    def __init__(self) -> None:
        self.texts = _FIRST

    def took(self, seconds: float) -> None:
        """The last batch's seconds."""
        if seconds < _SHORT_S:
            self.texts = min(_MOST, self.texts * 2)
        elif seconds > _LONG_S:
            self.texts = max(1, self.texts // 2)
