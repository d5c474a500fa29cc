"""Where names go beside points, at the ends of lines and above upright lines, so that none lies on another. Pure.

Widths are estimated from the number of letters; y grows downwards, as in SVG.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

LETTER, LINE = 0.58, 1.2  # a letter's mean width and a line's height, in sizes of the text
_FAR = 5  # lines that a label may stand away from its point


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether they share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        """Whether all of the other lies within."""
        return (
            self.left <= other.left
            and self.right >= other.right
            and self.top <= other.top
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True)
class Anchor:
    """What a label belongs to: a mark's centre and half its width."""

    x: float
    y: float
    radius: float

    @property
    def box(self) -> Box:
        """Around the mark."""
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


@dataclass(frozen=True)
class PlacedLabel:
    """A label's text and box; far: so far from its point that a line should join them."""

    text: str
    box: Box
    far: bool


def text_width(text: str, size: float) -> float:
    """About as wide as it will be drawn."""
    return LETTER * size * len(text)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float | None]:
    """Places at least `gap` apart between low and high, as near as can be to the wanted ones, in their order.

    Where there is no room for all, some of them get none (None).
    """
    room = max(1, int((high - low) / gap + 1e-9) + 1)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    if len(order) > room:
        order = [order[round(step * (len(order) - 1) / max(1, room - 1))] for step in range(room)]
    # Without their share of the gaps, places that fit stand in ascending order; those that don't meet at their mean.
    groups: list[list[float]] = []
    for position, index in enumerate(order):
        groups.append([wanted[index] - position * gap])
        while len(groups) > 1 and mean(groups[-2]) > mean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    shifted = [mean(group) for group in groups for _ in group]
    highest = max(low, high - (len(order) - 1) * gap)
    places: list[float | None] = [None] * len(wanted)
    for position, (index, place) in enumerate(zip(order, shifted, strict=True)):
        places[index] = min(max(place, low), highest) + position * gap
    return places


def in_rows(centres: Sequence[float], widths: Sequence[float]) -> list[int]:
    """A row (0 is the first) for each name that is centred there, such that no two of a row touch."""
    ends: list[float] = []
    rows = [0] * len(centres)
    for index in sorted(range(len(centres)), key=lambda index: centres[index] - widths[index] / 2):
        left, right = centres[index] - widths[index] / 2, centres[index] + widths[index] / 2
        row = next((row for row, end in enumerate(ends) if end < left), len(ends))
        ends[row : row + 1] = [right]
        rows[index] = row
    return rows


def placed(
    labels: Sequence[tuple[Anchor, str]], marks: Sequence[Anchor], bounds: Box, size: float
) -> list[PlacedLabel | None]:
    """A place for each label near its point, within the bounds, on no mark and no other label; None: no room."""
    taken = [mark.box for mark in marks]
    places: list[PlacedLabel | None] = []
    for anchor, text in labels:
        places.append(next((place for place in _tries(anchor, text, size) if _is_free(place.box, taken, bounds)), None))
        if places[-1] is not None:
            taken.append(places[-1].box)
    return places


def _is_free(box: Box, taken: Sequence[Box], bounds: Box) -> bool:
    return bounds.holds(box) and not any(box.overlaps(other) for other in taken)


def _tries(anchor: Anchor, text: str, size: float) -> Iterator[PlacedLabel]:
    """Places around a point, the best first: beside it, above and below, then farther up and down."""
    width, height, gap = text_width(text, size), LINE * size, anchor.radius + 2
    right, left, centre = anchor.x + gap, anchor.x - gap - width, anchor.x - width / 2
    level, above, below = anchor.y - height / 2, anchor.y - gap - height, anchor.y + gap
    half = height / 3
    for x, top in (
        (right, level - half), (left, level - half), (right, level + half), (left, level + half),
        (centre, above), (centre, below),
    ):  # fmt: skip
        yield PlacedLabel(text, Box(x, top, x + width, top + height), far=False)
    for lines in range(1, _FAR + 1):
        for top in (above - (lines - 1) * height, below + (lines - 1) * height):
            for x in (right, left, centre):
                yield PlacedLabel(text, Box(x, top, x + width, top + height), far=lines > 1)
