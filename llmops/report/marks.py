"""How series are told apart: a colour, a shape and a dash each, so that no one needs the colour.

Colours and dashes stand in plot.css. They are Okabe and Ito's, told apart without red and green.
"""

from math import cos, pi, sin

LOOKS = 7  # classes lo-series-0 … in plot.css; the next series begins again

_Point = tuple[float, float]
# Corners around (0, 0), of about the area of a circle of radius 1.
_CORNERS: tuple[tuple[_Point, ...], ...] = (
    (),  # a circle
    ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
    ((0.0, -1.25), (1.2, 0.95), (-1.2, 0.95)),
    ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
    ((0.0, 1.25), (1.2, -0.95), (-1.2, -0.95)),
    (
        (-0.42, -1.2), (0.42, -1.2), (0.42, -0.42), (1.2, -0.42), (1.2, 0.42), (0.42, 0.42), (0.42, 1.2),
        (-0.42, 1.2), (-0.42, 0.42), (-1.2, 0.42), (-1.2, -0.42), (-0.42, -0.42),
    ),
    tuple((1.3 * r * sin(k * pi / 5), -1.3 * r * cos(k * pi / 5)) for k, r in enumerate((1, 0.48) * 5)),
)  # fmt: skip


def shape(look: int, x: float, y: float, radius: float) -> str:
    """The outline of a series' mark as the data of an SVG path."""
    corners = _CORNERS[look % LOOKS]
    if not corners:
        return f"M{x - radius:.1f} {y:.1f}{_half(radius, 1)}{_half(radius, -1)}z"
    return "M" + "L".join(f"{x + radius * dx:.1f} {y + radius * dy:.1f}" for dx, dy in corners) + "z"


def _half(radius: float, sign: int) -> str:
    return f"a{radius:.1f} {radius:.1f} 0 1 0 {sign * 2 * radius:.1f} 0"
