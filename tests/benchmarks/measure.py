"""A row: two sides, strictly alternated, whose results must be the same before their ratio counts."""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any

from llmops.hardware.memory import reusing_memory
from llmops.hardware.openmp_threads import without_idle_workers


@dataclass(frozen=True)
class Measured:
    """One run of a side: its figure in the row's unit, and what came out, to be compared."""

    value: float
    result: Any = None


Side = Callable[[int], Measured]
"""Runs once; the number is the repeat's."""


@dataclass(frozen=True)
class Sides:
    """Both sides of a row. same: raises AssertionError where results differ, else says in words what was compared."""

    ours: Side
    baseline: Side
    same: Callable[[list[Any], list[Any]], str]


@dataclass(frozen=True)
class Row:
    """prepare(tiny) sets everything up, warm-up included.

    at_least: how many times better; at_most: how many times as much. more_is_better: the unit is a rate, not a time.
    turns: runs of each side within a repeat, alternated too; their median is the repeat's. For runs so short, or
    targets so near 1, that another process on the machine decides.
    """

    name: str
    what: str
    against: str
    unit: str
    prepare: Callable[[bool], AbstractContextManager[Sides]]
    at_least: float | None = None
    at_most: float | None = None
    more_is_better: bool = False
    repeats: int = 5
    turns: int = 1


@dataclass(frozen=True)
class Result:
    """A row's figures. ratio: of the medians; low and high: of the repeats one by one."""

    name: str
    what: str
    against: str
    unit: str
    ours: list[float]
    baseline: list[float]
    ratio: float
    low: float
    high: float
    target: str
    holds: bool
    said: str
    load: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def run(row: Row, tiny: bool = False) -> Result:
    """Measure a row. Raises AssertionError where the two sides do not say the same."""
    ours: list[Measured] = []
    baseline: list[Measured] = []
    repeats, turns = (1, 1) if tiny else (row.repeats, row.turns)
    with row.prepare(tiny) as sides:
        for number in range(repeats * turns):
            pair = ((sides.ours, ours), (sides.baseline, baseline))
            for side, kept in pair if number % 2 else pair[::-1]:
                kept.append(_alone(side, number // turns, bare=side is sides.baseline))
        said = sides.same([run.result for run in ours], [run.result for run in baseline])
    return judge(row, _medians(ours, turns), _medians(baseline, turns), said)


def _medians(measured: Sequence[Measured], turns: int) -> list[float]:
    """Of each repeat's runs."""
    return [
        statistics.median(run.value for run in measured[start : start + turns])
        for start in range(0, len(measured), turns)
    ]


def _alone(side: Side, repeat: int, bare: bool) -> Measured:
    """Run a side as if the other were not there: without the workers it keeps, or its settings for freed memory."""
    if not bare:
        return side(repeat)
    with without_idle_workers(), reusing_memory():
        return side(repeat)


def judge(row: Row, ours: Sequence[float], baseline: Sequence[float], said: str) -> Result:
    """The ratio, and whether it reaches the target."""
    ratio = _ratio(row, statistics.median(ours), statistics.median(baseline))
    each = [_ratio(row, value, reference) for value, reference in zip(ours, baseline, strict=True)]
    holds = ratio >= row.at_least if row.at_least is not None else ratio <= (row.at_most or 0)
    target = f"≥ {row.at_least:g} ×" if row.at_least is not None else f"≤ {row.at_most:g} ×"
    return Result(
        row.name, row.what, row.against, row.unit, list(ours), list(baseline), ratio, min(each), max(each), target,
        holds, said,
    )  # fmt: skip


def _ratio(row: Row, ours: float, baseline: float) -> float:
    """How many times better (at_least), or how many times as much (at_most)."""
    more = ours / baseline
    return more if row.at_most is not None or row.more_is_better else 1 / more


def timed(work: Callable[[], Any]) -> Measured:
    """Wall-clock seconds of a call, and what it returns."""
    started = time.perf_counter()
    result = work()
    return Measured(time.perf_counter() - started, result)


def equal(ours: list[Any], baseline: list[Any]) -> str:
    """Both sides gave the same in every repeat."""
    for result, expected in zip(ours, baseline, strict=True):
        assert result == expected, f"{str(result)[:300]} != {str(expected)[:300]}"
    return "same results"
