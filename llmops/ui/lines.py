"""A line chart as SVG: axes with round ticks, a mark of its own for each series, the exact figures where one points.

Knows numbers and names alone; what is drawn and the table with the same figures are the callers'. Colours are Okabe and
Ito's, set in style.css, so that light and dark follow by themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape as _e
from math import floor, log10

_WIDTH, _HEIGHT = 720, 300
_LEFT, _TOP, _BOTTOM = 66, 14, 46
_RIGHT, _RIGHT_OF_LIMITS = 24, 150  # room for the names of limits
_LINE = 13  # a name's height
_MARKS = ("circle", "square", "triangle", "diamond")
_MOST_SERIES = 6


@dataclass(frozen=True)
class Series:
    """Points (x, y) in drawing order; labels stand beside them, empty: none."""

    name: str
    points: tuple[tuple[float, float], ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limit:
    """A level line across the chart."""

    name: str
    y: float


def chart(
    title: str,
    axes: tuple[str, str],
    series: Sequence[Series],
    written: tuple[Callable[[float], str], Callable[[float], str]],
    limits: Sequence[Limit] = (),
) -> str:
    """The chart; `axes` names x and y, `written` writes their figures. Empty where there is no point."""
    drawn = [one for one in series if one.points][:_MOST_SERIES]
    if not drawn:
        return ""
    xs = _ticks([x for one in drawn for x, _ in one.points])
    ys = _ticks([0.0, *(y for one in drawn for _, y in one.points)])
    shown = sorted((limit for limit in limits if limit.y <= ys[-1]), key=lambda limit: limit.y)
    frame = _Frame(xs[0], xs[-1], ys[0], ys[-1], _WIDTH - (_RIGHT_OF_LIMITS if shown else _RIGHT))
    parts = [_grid(frame, xs, ys, axes, written), *_limits(frame, shown)]
    parts += [_line(frame, number, one, written) for number, one in enumerate(drawn)]
    keys = "".join(f"<span>{_key(number)}{_e(one.name)}</span>" for number, one in enumerate(drawn))
    drawing = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_e(title)}">{"".join(parts)}</svg>'
    return (
        f'<figure class="lo-lines"><figcaption>{_e(title)}</figcaption><p class="lo-keys">{keys}</p>'
        f'<div class="lo-scroll" tabindex="0">{drawing}</div></figure>'
    )


@dataclass(frozen=True)
class _Frame:
    """From values to places."""

    left: float
    right: float
    low: float
    high: float
    edge: int  # where the drawing ends on the right

    def x(self, value: float) -> float:
        return _LEFT + (value - self.left) / (self.right - self.left) * (self.edge - _LEFT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - self.low) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)


def _ticks(values: Sequence[float]) -> list[float]:
    """Four to eight round figures around all values."""
    low, high = min(values), max(values)
    if high == low:
        low, high = (0.0, high) if high > 0 else (low, low + 1.0)
    rough = (high - low) / 5
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = floor(low / step)
    last = -floor(-high / step + 1e-9)
    return [step * count for count in range(first, last + 1)]


def _grid(
    frame: _Frame,
    xs: Sequence[float],
    ys: Sequence[float],
    axes: tuple[str, str],
    written: tuple[Callable[[float], str], Callable[[float], str]],
) -> str:
    right, bottom = frame.edge, _HEIGHT - _BOTTOM
    rows = "".join(
        f'<line class="lo-grid" x1="{_LEFT}" x2="{right}" y1="{frame.y(y):.1f}" y2="{frame.y(y):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{frame.y(y) + 4:.1f}" text-anchor="end">{_e(written[1](y) or "0")}</text>'
        for y in ys
    )
    columns = "".join(
        f'<text x="{frame.x(x):.1f}" y="{bottom + 17}" text-anchor="middle">{_e(written[0](x))}</text>' for x in xs
    )
    names = (
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{_e(axes[0])}</text>'
        f'<text transform="translate(12 {(_TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">{_e(axes[1])}</text>'
    )
    return f'<g class="lo-axes">{rows}{columns}{names}</g>'


def _limits(frame: _Frame, limits: Sequence[Limit]) -> list[str]:
    """Level lines; their names stand beside them, pushed up where they would lie on each other."""
    drawn, lowest = [], float(_HEIGHT)
    for limit in limits:
        y = frame.y(limit.y)
        name_y = lowest = min(y, lowest - _LINE)
        points = f"{_LEFT},{y:.1f} {frame.edge},{y:.1f} {frame.edge + 12},{name_y:.1f}"
        drawn.append(
            f'<g class="lo-level"><polyline points="{points}"/>'
            f'<text x="{frame.edge + 16}" y="{name_y + 4:.1f}">{_e(limit.name)}</text></g>'
        )
    return drawn


def _line(
    frame: _Frame, number: int, series: Series, written: tuple[Callable[[float], str], Callable[[float], str]]
) -> str:
    places = [(frame.x(x), frame.y(y)) for x, y in series.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = "".join(
        f"<g><title>{_e(series.name)}: {_e(written[1](y))}, {_e(written[0](x))}</title>{_mark(number, *place)}</g>"
        for place, (x, y) in zip(places, series.points, strict=True)
    )
    labels = "".join(
        f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{_e(label)}</text>'
        for (x, y), label in zip(places, series.labels, strict=False)
        if label
    )
    return f'<g class="lo-line-{number}"><polyline points="{path}"/>{marks}{labels}</g>'


def _mark(number: int, x: float, y: float) -> str:
    """A shape for each series, so that colour is not all that tells them apart."""
    shape = _MARKS[number % len(_MARKS)]
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    around = {
        "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
        "triangle": ((0, -4), (4, 3.5), (-4, 3.5)),
        "diamond": ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0)),
    }[shape]
    return f'<polygon points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in around)}"/>'


def _key(number: int) -> str:
    return (
        f'<svg class="lo-key lo-line-{number}" viewBox="0 0 24 12" aria-hidden="true"><polyline points="0,6 24,6"/>'
        f"{_mark(number, 12, 6)}</svg>"
    )
