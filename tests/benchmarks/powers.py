"""How a cost grows: as which power of what it is measured against, and a plot of that on two logarithmic axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from llmops.report.axis import fitted
from llmops.report.chart import standalone
from llmops.report.plot import Canvas, Plot, joined

_CANVAS = Canvas(640, 320)


@dataclass(frozen=True)
class Curve:
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
        return Curve(self.name, self.points[-3:]).power()[0]


def plot(title: str, axes: tuple[str, str], curves: Sequence[Curve]) -> str:
    """The SVG file's text: a line a curve, with the fitted power at its end. `axes` names x and y."""
    x, y = (
        fitted(name, [point[side] for curve in curves for point in curve.points], scale="logarithmic")
        for side, name in enumerate(axes)
    )
    series = tuple(
        joined(f"{curve.name}: x^{curve.power()[0]:.2f}", look, curve.points) for look, curve in enumerate(curves)
    )
    return standalone(Plot(title, x, y, series, canvas=_CANVAS, names_at_ends=True))
