"""Plots as SVG without a library: axes, lines, marks with their figures on hover, names that don't lie on each other.

One plotter for the page, the report and the benchmarks. It knows figures and names alone; what stands around a drawing
is in chart.py. Colours and the text's size are in plot.css, so that light and dark follow by themselves. Foreign text
is escaped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as _e

from llmops.report.axis import Axis
from llmops.report.labels import LINE, Anchor, Box, in_rows, placed, spread, text_width
from llmops.report.marks import LOOKS, shape
from llmops.report.tables import untranslated

Place = tuple[float, float]
_PAD = 8.0  # beside names
_MOST_MARGIN = 0.4  # of the width, at either side
_LEAST_SCALE = 0.8  # of a drawing that scrolls: its text is still read at that


@dataclass(frozen=True)
class Canvas:
    """Width and height of a drawing in units, and the largest size its text is ever shown in (see plot.css).

    scrolls: it stays as wide where there is less room, since its names need the width.
    """

    width: int
    height: int
    text: int = 13
    scrolls: bool = False

    @property
    def css_class(self) -> str:
        """Its text's size."""
        return "lo-plot" if self.text <= 13 else "lo-plot lo-broad"


SMALL = Canvas(400, 280)  # a few beside each other
BROAD = Canvas(600, 320, text=18)  # one by itself; its text grows where the drawing shrinks
NAMED = Canvas(680, 330, scrolls=True)  # with long names at its right


@dataclass(frozen=True)
class Mark:
    """A point. title: what it says on hover, by itself its series' name and its figures; label: what stands beside."""

    x: float
    y: float
    title: str = ""
    label: str = ""
    radius: float = 4.0


@dataclass(frozen=True)
class Series:
    """Marks, and a line through points of its own; `look` chooses colour, shape and dash. No name: not in the key."""

    name: str
    look: int = 0
    marks: tuple[Mark, ...] = ()
    line: tuple[Place, ...] = ()
    hollow: bool = False


def joined(name: str, look: int, points: Sequence[Place], labels: Sequence[str] = ()) -> Series:
    """A series with a mark at each point of its line; labels stand beside the marks, empty: none."""
    words = [*labels, *[""] * (len(points) - len(labels))]
    marks = tuple(Mark(x, y, label=label) for (x, y), label in zip(points, words, strict=True))
    return Series(name, look, marks, tuple(points))


@dataclass(frozen=True)
class Limit:
    """A dashed line at a figure of the y axis, across the plot; upright: of the x axis. Outside an axis: not drawn."""

    name: str
    at: float
    upright: bool = False


@dataclass(frozen=True)
class Plot:
    """What is drawn. guides: thin grey lines that are no figures; names_at_ends: of lines, in place of a key."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    limits: tuple[Limit, ...] = ()
    guides: tuple[tuple[Place, ...], ...] = ()
    canvas: Canvas = SMALL
    names_at_ends: bool = False


def drawing(plot: Plot) -> str:
    """The plot as an SVG element."""
    canvas = plot.canvas
    least = f"min-width:{canvas.width * _LEAST_SCALE:.0f}px;" if canvas.scrolls else ""
    return (
        f'<svg class="{canvas.css_class}" viewBox="0 0 {canvas.width} {canvas.height}" role="img" '
        f'style="{least}max-width:{canvas.width * 1.15:.0f}px" aria-label="{_e(plot.title, quote=True)}">'
        f"{inner(plot)}</svg>"
    )


def inner(plot: Plot) -> str:
    """All within the SVG element."""
    frame = _frame(plot)
    guides = (f'<polyline class="lo-guide" points="{_path(frame, guide)}"/>' for guide in plot.guides)
    drawn = (_series(frame, series) for series in plot.series if series.line or series.marks)
    parts = [*_axes(frame), *guides, *_levels(frame, plot), *_uprights(frame, plot), *drawn, *_labels(frame, plot)]
    return "".join(parts)


@dataclass(frozen=True)
class _Frame:
    """From figures to places on a canvas."""

    x_axis: Axis
    y_axis: Axis
    box: Box  # within the axes
    canvas: Canvas

    def x(self, value: float) -> float:
        return self.box.left + self.x_axis.share(value) * (self.box.right - self.box.left)

    def y(self, value: float) -> float:
        return self.box.bottom - self.y_axis.share(value) * (self.box.bottom - self.box.top)

    @property
    def line(self) -> float:
        """A line of text's height."""
        return LINE * self.canvas.text


def _frame(plot: Plot) -> _Frame:
    """Margins as wide as what stands in them, within reason."""
    text, line = plot.canvas.text, LINE * plot.canvas.text
    ticks = max((text_width(plot.y.written(tick), text) for tick in plot.y.ticks), default=0.0)
    ends = max((text_width(end.name, text) for end in _ends(plot)), default=0.0)
    first, last = (text_width(plot.x.written(tick), text) / 2 for tick in (plot.x.low, plot.x.high))
    most = plot.canvas.width * _MOST_MARGIN
    left = min(most, max(line + ticks + _PAD, first + 2))
    right = plot.canvas.width - min(most, max(ends + 24 if ends else 12.0, last + 2))
    names = [limit for limit in plot.limits if limit.upright and plot.x.holds(limit.at)]
    rows = max(_rows(names, plot.x, left, right, text), default=-1) + 1
    return _Frame(plot.x, plot.y, Box(left, 12 + rows * line, right, plot.canvas.height - 2.4 * line - 6), plot.canvas)


def _rows(limits: Sequence[Limit], axis: Axis, left: float, right: float, text: int) -> list[int]:
    centres = [left + axis.share(limit.at) * (right - left) for limit in limits]
    return in_rows(centres, [text_width(limit.name, text) + _PAD for limit in limits])


def _axes(frame: _Frame) -> Iterator[str]:
    """Grid, figures and names; where two figures of the x axis would touch, the second is left out."""
    box, line = frame.box, frame.line
    for tick in frame.y_axis.ticks:
        y = frame.y(tick)
        yield f'<line class="lo-grid" x1="{box.left:.1f}" x2="{box.right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(frame.y_axis.written(tick), box.left - 6, y + line * 0.3, "end")
    end = float("-inf")
    for tick in frame.x_axis.ticks:
        x, words = frame.x(tick), frame.x_axis.written(tick)
        yield f'<line class="lo-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{box.bottom:.1f}" y2="{box.bottom + 5:.1f}"/>'
        half = text_width(words, frame.canvas.text) / 2
        if x - half > end:
            yield _text(words, x, box.bottom + 6 + line * 0.95, "middle")
            end = x + half + _PAD / 2
    yield _text(frame.x_axis.name, (box.left + box.right) / 2, frame.canvas.height - line * 0.35, "middle")
    x, y = line * 0.75, (box.top + box.bottom) / 2
    turned = f'transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle"'
    yield f"<text {turned}{untranslated(frame.y_axis.name)}>{_e(frame.y_axis.name)}</text>"


def _text(words: str, x: float, y: float, anchor: str, css_class: str = "") -> str:
    kind = f' class="{css_class}"' if css_class else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{untranslated(words)}>{_e(words)}</text>'


def _path(frame: _Frame, points: Sequence[Place]) -> str:
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)


@dataclass(frozen=True)
class _End:
    """A name at the right: where its line ends (None: right across), and the class of its stroke."""

    name: str
    x: float | None
    y: float
    css_class: str


def _ends(plot: Plot) -> list[_End]:
    """The level limits' names, and the series' where they stand at the ends of their lines."""
    levels = [
        _End(limit.name, None, limit.at, "lo-level")
        for limit in plot.limits
        if not limit.upright and plot.y.holds(limit.at)
    ]
    named = [series for series in plot.series if plot.names_at_ends and series.name and series.line]
    return [*levels, *(_End(series.name, *series.line[-1], _look(series)) for series in named)]


def _levels(frame: _Frame, plot: Plot) -> Iterator[str]:
    """Level limits across the plot, and a stroke to each name at the right."""
    ends, box = _ends(plot), frame.box
    wanted = [frame.y(end.y) for end in ends]
    for end, y, name_y in zip(ends, wanted, spread(wanted, frame.line, box.top, box.bottom), strict=True):
        start = box.left if end.x is None else frame.x(end.x)
        points = f"{start:.1f},{y:.1f} {box.right:.1f},{y:.1f}"
        if name_y is not None:
            points += f" {box.right + 12:.1f},{name_y:.1f}"
        yield f'<g class="{end.css_class} lo-end"><polyline points="{points}"><title>{_e(end.name)}</title></polyline>'
        if name_y is not None:
            yield _text(end.name, box.right + 16, name_y + frame.line * 0.3, "start")
        yield "</g>"


def _uprights(frame: _Frame, plot: Plot) -> Iterator[str]:
    """Upright limits; their names stand above, in as many rows as keep them apart."""
    box = frame.box
    shown = [limit for limit in plot.limits if limit.upright and plot.x.holds(limit.at)]
    rows = _rows(shown, plot.x, box.left, box.right, frame.canvas.text)
    for limit, row in zip(shown, rows, strict=True):
        x, top = frame.x(limit.at), box.top - 4 - row * frame.line
        points = f"{x:.1f},{top:.1f} {x:.1f},{box.bottom:.1f}"
        yield f'<g class="lo-level"><polyline points="{points}"/>{_text(limit.name, x, top - 3, "middle")}</g>'


def _look(series: Series) -> str:
    return f"lo-series-{series.look % LOOKS}"


def _series(frame: _Frame, series: Series) -> str:
    """Its line, then its marks; a line without marks is dashed and tells its name on hover."""
    dashed = "" if series.marks else " lo-dashed"
    title = "" if series.marks else f"<title>{_e(series.name)}</title>"
    line = f'<polyline class="lo-curve{dashed}" points="{_path(frame, series.line)}">{title}</polyline>'
    marks = "".join(_mark(frame, series, mark) for mark in series.marks)
    return f'<g class="{_look(series)}">{line if series.line else ""}{marks}</g>'


def _mark(frame: _Frame, series: Series, mark: Mark) -> str:
    title = mark.title or f"{series.name}: {frame.y_axis.written(mark.y)}, {frame.x_axis.written(mark.x)}"
    outline = shape(series.look, frame.x(mark.x), frame.y(mark.y), mark.radius)
    kind = "lo-mark lo-hollow" if series.hollow else "lo-mark"
    return f'<path class="{kind}" d="{outline}"><title>{_e(title)}</title></path>'


def _labels(frame: _Frame, plot: Plot) -> Iterator[str]:
    """Labels beside marks, each with a stroke to its mark where it had to go far."""
    pairs = [
        (Anchor(frame.x(mark.x), frame.y(mark.y), mark.radius), mark.label)
        for series in plot.series
        for mark in series.marks
    ]
    labels = [(anchor, label) for anchor, label in pairs if label]
    if not labels:
        return
    # Not into the names at the right and above.
    top = frame.box.top if any(limit.upright for limit in plot.limits) else 0.0
    right = frame.box.right if _ends(plot) else frame.canvas.width
    bounds = Box(frame.box.left, top, right, frame.box.bottom)
    places = placed(labels, [anchor for anchor, _ in pairs], bounds, frame.canvas.text)
    for (anchor, _), place in zip(labels, places, strict=True):
        if place is None:
            continue
        box = place.box
        middle, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        if place.far:
            edge = box.bottom if y < anchor.y else box.top
            x = min(max(anchor.x, box.left), box.right)
            yield f'<polyline class="lo-guide" points="{anchor.x:.1f},{anchor.y:.1f} {x:.1f},{edge:.1f}"/>'
        yield _text(place.text, middle, y + frame.line * 0.3, "middle", "lo-label")
