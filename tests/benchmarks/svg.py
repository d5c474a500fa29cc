"""A plot of points on two logarithmic axes as a small SVG, one line a series, with the fitted power of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, exp, floor, log, log10

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito's
_MARKS = ("circle", "square", "diamond", "triangle")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 560, 340, 70, 34, 16, 48


@dataclass(frozen=True)
class Series:
    """Points (x, y), all above 0."""

    name: str
    points: tuple[tuple[float, float], ...]

    def power(self) -> tuple[float, float]:
        """(exponent, its value at x = 1) of y = a · xᵇ, by least squares on the logarithms."""
        xs, ys = [log(x) for x, _ in self.points], [log(y) for _, y in self.points]
        mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
        spread = sum((x - mean_x) ** 2 for x in xs) or 1.0
        slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
        return slope, exp(mean_y - slope * mean_x)

    def last_power(self) -> float:
        """The exponent over the last three points: where fixed costs weigh least."""
        return Series(self.name, self.points[-3:]).power()[0]


def plot(title: str, x_name: str, y_name: str, series: Sequence[Series]) -> str:
    """The SVG's text."""
    points = [point for one in series for point in one.points]
    x_from, x_to = _span([x for x, _ in points])
    y_from, y_to = _span([y for _, y in points])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - x_from) / (x_to - x_from) * (_WIDTH - _LEFT - _RIGHT)
        down = (y_to - log10(y)) / (y_to - y_from) * (_HEIGHT - _TOP - _BOTTOM)
        return round(_LEFT + across, 1), round(_TOP + down, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="11"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="16" font-size="13" font-weight="600">{escape(title)}</text>',
    ]
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for power in range(ceil(x_from), floor(x_to) + 1):
        x, _ = at(10**power, 10**y_from)
        parts.append(f'<path d="M{x} {_TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{bottom + 15}" text-anchor="middle">{10**power:,g}</text>')
    for power in range(ceil(y_from), floor(y_to) + 1):
        _, y = at(10**x_from, 10**power)
        parts.append(f'<path d="M{_LEFT} {y}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{10.0**power:,g}</text>')
    parts.append(f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="#444"/>')
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(x_name)}</text>')
    middle = (_TOP + bottom) / 2
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(y_name)}</text>'
    )
    for number, one in enumerate(series):
        parts += _line(number, one, [at(x, y) for x, y in one.points])
    return "".join([*parts, "</svg>\n"])


def _line(number: int, one: Series, places: Sequence[tuple[float, float]]) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    parts = [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for (x, y), (real_x, real_y) in zip(places, one.points, strict=True):
        mark = _mark(_MARKS[number % len(_MARKS)], x, y)
        parts.append(f'<path d="{mark}" fill="{colour}"><title>{real_x:,g}: {real_y:.4g}</title></path>')
    said = f"{one.name}: x^{one.power()[0]:.2f}"
    x, y = _LEFT + 10, _TOP + 14 + 16 * number
    parts.append(f'<path d="{_mark(_MARKS[number % len(_MARKS)], x, y - 4)}" fill="{colour}"/>')
    parts.append(f'<text x="{x + 9}" y="{y}">{escape(said)}</text>')
    return parts


def _mark(kind: str, x: float, y: float) -> str:
    if kind == "square":
        return f"M{x - 3.5} {y - 3.5}h7v7h-7z"
    if kind == "diamond":
        return f"M{x} {y - 5}l5 5l-5 5l-5 -5z"
    if kind == "triangle":
        return f"M{x} {y - 5}l5 9h-10z"
    return f"M{x - 4} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = log10(min(values)), log10(max(values))
    return low - 0.1, max(high, low + 0.5) + 0.25
