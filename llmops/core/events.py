"""The small events a run emits, stamped where they happen (`at_s`, time.perf_counter seconds).

Everything that shows or keeps a run (columns, tables, logs, tests) reads this one stream. The order is
Loading* (of files) Queued* Loading* Loaded? Started (Token | Waiting | Note)* then exactly one Finished or Failed;
Unloaded may follow.
"""

import time
from dataclasses import dataclass, field

from llmops.core.run import Run, RunError


@dataclass(frozen=True)
class Ahead:
    """What goes first: turns, and the seconds they are expected to take (estimated; None before the first turn)."""

    turns: int
    seconds: float | None

    def __str__(self) -> str:
        goes = "1 run goes" if self.turns == 1 else f"{self.turns} runs go"
        wait = "" if self.seconds is None else f", about {max(1, round(self.seconds))} s"
        return f"{goes} first{wait}"


@dataclass(frozen=True)
class Event:
    """Base: when it happened."""

    at_s: float = field(default_factory=time.perf_counter, kw_only=True)


@dataclass(frozen=True)
class Queued(Event):
    """Waiting for a device; `ahead` runs go first, in about `seconds` (estimated; None where unknown)."""

    ahead: int
    seconds: float | None = None


@dataclass(frozen=True)
class Loading(Event):
    """Weights are being fetched, made or read; fraction 0..1 where known."""

    message: str
    fraction: float | None = None


@dataclass(frozen=True)
class Loaded(Event):
    """Ready to run; load_s None when it was loaded before."""

    load_s: float | None
    weights_bytes: int | None
    device: str | None


@dataclass(frozen=True)
class Started(Event):
    """The request was handed to the engine."""


@dataclass(frozen=True)
class Token(Event):
    """A piece of output text, of one token or several; stamped where its last one was made."""

    text: str


@dataclass(frozen=True)
class Waiting(Event):
    """A pause the engine makes on purpose (a retry after an error 429, say)."""

    message: str
    seconds: float


@dataclass(frozen=True)
class Note(Event):
    """A sentence to show beside the figures."""

    message: str


@dataclass(frozen=True)
class Finished(Event):
    """The run is complete (or was stopped with what it had)."""

    run: Run


@dataclass(frozen=True)
class Failed(Event):
    """The run has no result; `run` keeps what was known until then."""

    run: Run
    error: RunError


@dataclass(frozen=True)
class Unloaded(Event):
    """The model was freed; left_bytes is what stayed behind above the level before loading."""

    left_bytes: int | None


def ending(run: Run) -> Finished | Failed:
    """The last event of a run."""
    return Finished(run) if run.error is None else Failed(run, run.error)
