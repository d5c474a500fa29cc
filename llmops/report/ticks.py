"""Axes that fit their figures: round ticks, and a logarithmic range where the figures span more than a factor of 20."""

import math
from collections.abc import Callable, Sequence

from llmops.report.svg import Axis

_TICKS = 6
_WIDE = 20.0


def fitted(name: str, values: Sequence[float], written: Callable[[float], str], may_log: bool = True) -> Axis:
    """An axis that holds all values, with some room beside them."""
    low, high = min(values), max(values)
    if may_log and low > 0 and high / low >= _WIDE:
        low, high = low / 1.6, high * 1.6
        return Axis(name, low, high, tuple(log_ticks(low, high)), written, log2=True)
    room = (high - low) * 0.12 or abs(high) * 0.2 or 1.0
    low = max(0.0, low - room) if low >= 0 else low - room
    return Axis(name, low, high + room, tuple(even_ticks(low, high + room)), written)


def even_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / (_TICKS - 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten; where there are few, 2 and 5 times them too."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(tens) > _TICKS:
        return tens[:: math.ceil(len(tens) / _TICKS)]
    if len(tens) >= 3:
        return tens
    return [factor * 10.0**power for power in powers for factor in (1, 2, 5) if low <= factor * 10.0**power <= high]
