"""Plots as SVG without a library: axes, points with what they are on hover, lines with their names. Pure.

Colours are Okabe and Ito's, told apart without red and green; lines also differ by their dashes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape as _e
from math import log2

# The two blues are the page's (figures.css): they are lighter on a dark one.
COLOURS = ("var(--lo-blue)", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "var(--lo-sky)", "#8a8a8a")
DASHES = ("", "7 3", "2 3", "8 3 2 3", "12 4", "1 4", "4 2")
_WIDTH, _HEIGHT = 440, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 24, 10, 40


@dataclass(frozen=True)
class Point:
    """Where it is, what it says on hover, and its radius."""

    x: float
    y: float
    title: str
    radius: float = 4.0


@dataclass(frozen=True)
class Axis:
    """low to high, with ticks; log2: equal steps for each doubling."""

    name: str
    low: float
    high: float
    ticks: tuple[float, ...]
    written: Callable[[float], str] = lambda value: f"{value:g}"
    log2: bool = False

    def share(self, value: float) -> float:
        """0 at low, 1 at high."""
        if self.log2:
            return (log2(value) - log2(self.low)) / ((log2(self.high) - log2(self.low)) or 1)
        return (value - self.low) / ((self.high - self.low) or 1)


def percent_axis(name: str) -> Axis:
    """0 to 100 %."""
    return Axis(name, 0, 1, (0, 0.25, 0.5, 0.75, 1), lambda value: f"{value * 100:.0f} %")


class Plot:
    """Drawn piece by piece; `svg` is the whole."""

    def __init__(self, title: str, x: Axis, y: Axis) -> None:
        self._title, self._x, self._y = title, x, y
        self._left = max(_LEFT, 26 + 7 * max((len(y.written(tick)) for tick in y.ticks), default=0))
        self._parts = [self._axes()]

    def _at(self, x: float, y: float) -> tuple[float, float]:
        across = self._left + self._x.share(x) * (_WIDTH - self._left - _RIGHT)
        return across, _HEIGHT - _BOTTOM - self._y.share(y) * (_HEIGHT - _TOP - _BOTTOM)

    def _axes(self) -> str:
        x_axis, y_axis = self._x, self._y
        left, bottom = self._at(x_axis.low, y_axis.low)
        right, top = self._at(x_axis.high, y_axis.high)
        parts = []
        for tick in y_axis.ticks:
            _, y = self._at(x_axis.low, tick)
            parts.append(f'<line class="lo-grid" x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>')
            parts.append(
                f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{_e(y_axis.written(tick))}</text>'
            )
        for tick in x_axis.ticks:
            x, _ = self._at(tick, y_axis.low)
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{_e(x_axis.written(tick))}</text>'
            )
        middle = (left + right) / 2
        parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{_e(x_axis.name)}</text>')
        centre = (top + bottom) / 2
        parts.append(
            f'<text transform="translate(11 {centre:.1f}) rotate(-90)" text-anchor="middle">{_e(y_axis.name)}</text>'
        )
        return "".join(parts)

    def line(self, points: Sequence[tuple[float, float]], number: int, title: str = "", thin: bool = False) -> None:
        """A line through points, in the number-th colour and dash."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self._at(*point) for point in points))
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        kind = f'fill="none" stroke="{colour}" stroke-width="{1.5 if thin else 2.5}" stroke-dasharray="{dash}"'
        self._parts.append(f'<polyline points="{path}" {kind}><title>{_e(title)}</title></polyline>')

    def guide(self, points: Sequence[tuple[float, float]]) -> None:
        """A grey line that is no figure."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self._at(*point) for point in points))
        self._parts.append(f'<polyline class="lo-guide" points="{path}"/>')

    def points(self, points: Sequence[Point], number: int, hollow: bool = False) -> None:
        """Marks in the number-th colour; what they are stands on hover."""
        colour = COLOURS[number % len(COLOURS)]
        look = f'fill="none" stroke="{colour}" stroke-width="1.3"' if hollow else f'fill="{colour}" fill-opacity="0.85"'
        for point in points:
            x, y = self._at(point.x, point.y)
            mark = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{point.radius:.1f}" {look}>'
            self._parts.append(f"{mark}<title>{_e(point.title)}</title></circle>")

    def words(self, x: float, y: float, text: str) -> None:
        """A word beside a point."""
        left, top = self._at(x, y)
        anchor = "end" if left > _WIDTH * 0.7 else "start"
        shift = -7 if anchor == "end" else 7
        self._parts.append(f'<text x="{left + shift:.1f}" y="{top - 6:.1f}" text-anchor="{anchor}">{_e(text)}</text>')

    @property
    def svg(self) -> str:
        """The whole plot."""
        label = _e(self._title, quote=True)
        return (
            f'<svg class="lo-plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
            f"{''.join(self._parts)}</svg>"
        )


def key(names: Sequence[str]) -> str:
    """The names of lines, each with its colour and dash, in the order of their numbers."""
    marks = (
        f'<span><svg class="lo-stroke" viewBox="0 0 30 8" aria-hidden="true"><line x1="0" y1="4" x2="30" y2="4" '
        f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="3" '
        f'stroke-dasharray="{DASHES[number % len(DASHES)]}"/></svg>{_e(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<p class="lo-keys">{"".join(marks)}</p>'
