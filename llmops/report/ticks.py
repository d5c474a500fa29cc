"""Where the ticks of an axis lie: round figures that cover what is drawn. The only place that says so.

Round is 1, 2 or 5 times a power of ten (on a logarithmic axis of some decades also 3 times one). Works on figures of up
to 1e100, either sign; pure numbers, which know nothing of how they are drawn.
"""

from collections.abc import Iterator
from itertools import count
from math import floor, log10

_STEPS = (1, 2, 5, 10)
_MOST_STEPS = 6  # between the lowest and the highest figure
_MOST_LOG_TICKS, _FEWEST_TICKS = 9, 3
_EQUAL = 1e-9  # relative: figures nearer to each other are one


def linear_ticks(low: float, high: float) -> tuple[float, ...]:
    """Four to eight evenly spaced round figures, from at most low to at least high; all equal: together with 0."""
    if high - low <= _EQUAL * max(abs(low), abs(high)):
        low, high = min(low, 0.0), max(high, 0.0)
        high = high if high - low > 1e-100 else 1.0
    power = floor(log10((high - low) / _MOST_STEPS))
    factor = next(factor for factor in _STEPS if (high - low) / _round(factor, power) <= _MOST_STEPS + _EQUAL)
    step = _round(factor, power)
    first = next(n for n in count(round(low / step) + 1, -1) if _round(n * factor, power) <= low)
    last = next(n for n in count(round(high / step) - 1) if _round(n * factor, power) >= high)
    return tuple(_round(n * factor, power) for n in range(first, last + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Three to nine round figures, from at most low to at least high, as evenly spread as round ones can be.

    Both must be above 1e-100: 1-2-5 within two decades, 1-3 within four, then powers of ten, or every n-th of them.
    """
    for mantissas, stride in _log_rhythms():
        lowest, highest = floor(log10(low)) // stride * stride - stride, floor(log10(high)) + 2 * stride
        figures = [_round(factor, power) for power in range(lowest, highest + 1, stride) for factor in mantissas]
        start = max(index for index, figure in enumerate(figures) if figure <= low)
        end = max(start + _FEWEST_TICKS - 1, next(index for index, figure in enumerate(figures) if figure >= high))
        if end - start < _MOST_LOG_TICKS:
            return tuple(figures[start : end + 1])
    raise AssertionError("some stride always fits")


def _log_rhythms() -> Iterator[tuple[tuple[int, ...], int]]:
    """(figures within ten powers, powers from one to the next), the densest first."""
    yield (1, 2, 5), 1
    yield (1, 3), 1
    yield from (((1,), stride) for stride in count(1))


def _round(number: int, power: int) -> float:
    """number · 10 ^ power, as near as a float can be to it: 3 and -1 give 0.3."""
    return float(number * 10**power) if power >= 0 else number / 10**-power
