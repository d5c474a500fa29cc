"""Axes: from figures to their share of a length, linear or logarithmic, with ticks and how figures are written.

Serves plots and bars alike; where it is drawn, and how large, is theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

from llmops.report.ticks import linear_ticks, log_ticks

Written = Callable[[float], str]
_LOG_FROM = 20.0  # a factor between the lowest and the highest figure
_SMALLEST = 1e-100  # that a logarithmic axis takes


def number(value: float) -> str:
    """Three digits, or all of those before the point where they can be read: 0.05, 12.3, 1,234, 2e+15."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e12 else f"{value:.3g}"


@dataclass(frozen=True)
class Axis:
    """From low to high; `ticks` are where it is written on. Logarithmic: equal steps for equal factors, low above 0."""

    name: str
    low: float
    high: float
    ticks: tuple[float, ...] = ()
    written: Written = number
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """0 at low, 1 at high."""
        if self.logarithmic:
            return log(value / self.low) / log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def holds(self, value: float) -> bool:
        """Whether a value lies on it."""
        return self.low <= value <= self.high


def fitted(
    name: str,
    values: Sequence[float],
    written: Written = number,
    scale: Literal["auto", "linear", "logarithmic"] = "auto",
) -> Axis:
    """An axis that holds all values and ends at round ticks; by itself logarithmic where they span a factor of 20.

    One that shall begin at 0 gets a 0 among its values. Raises ValueError for no value.
    """
    low, high = min(values), max(values)
    can_be_logarithmic = low > _SMALLEST
    if can_be_logarithmic and (scale == "logarithmic" or (scale == "auto" and high / low >= _LOG_FROM)):
        ticks = log_ticks(low, high)
        return Axis(name, ticks[0], ticks[-1], ticks, written, logarithmic=True)
    ticks = linear_ticks(low, high)
    return Axis(name, ticks[0], ticks[-1], ticks, written)


def percent_axis(name: str) -> Axis:
    """0 to 100 %."""
    return fitted(name, (0.0, 1.0), lambda share: f"{100 * share:.0f} %")


def doubling_axis(name: str, values: Sequence[float]) -> Axis:
    """Equal steps for each doubling, with a tick at each of the values, which ascend from above 0."""
    high = max(values[-1], 2 * values[0])
    return Axis(name, values[0], high, tuple(values), lambda value: f"{value:g}", logarithmic=True)
