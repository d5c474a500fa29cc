"""Plots: every mark with its figures, nothing outside, nothing that is no number, and foreign text as text."""

import re
from itertools import combinations
from math import isfinite
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.report.axis import fitted
from llmops.report.marks import LOOKS, shape
from llmops.report.plot import BROAD, NAMED, SMALL, Limit, Mark, Plot, Series, drawing, joined
from llmops.report.tables import Foreign

PROPERTY = settings(max_examples=150, deadline=None, derandomize=True, database=None)
FIGURES = st.floats(-1e100, 1e100)
POINTS = st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=12)


def plot_of(points, canvas=SMALL, scale="auto", **more):
    x = fitted("x", [x for x, _ in points], scale=scale)
    y = fitted("y", [y for _, y in points], scale=scale)
    labels = more.pop("labels", ())
    return Plot("Title", x, y, (joined("a", 0, points, labels),), canvas=canvas, **more)


def numbers(svg):
    """Every number among the places of a drawing."""
    for element in ElementTree.fromstring(svg).iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "points", "d", "transform"):
            text = element.get(name, "")
            yield from (float(number) for number in re.findall(r"[-+]?(?:\d+(?:\.\d+)?|nan|inf)", text))


@PROPERTY
@given(POINTS, st.sampled_from(["auto", "linear", "logarithmic"]), st.sampled_from([SMALL, BROAD, NAMED]))
def test_any_finite_figures_give_a_drawing_within_its_canvas(points, scale, canvas):
    svg = drawing(plot_of(points, canvas, scale))
    places = list(numbers(svg))
    assert all(isfinite(place) for place in places)
    assert -91 <= min(places) <= max(places) <= canvas.width  # -90: a name that is turned
    assert not re.search(r"nan|inf(?!o)", svg)


@PROPERTY
@given(st.lists(FIGURES, min_size=1, max_size=1) | st.lists(st.just(7.5), min_size=2, max_size=4))
def test_a_single_point_and_equal_ones_are_drawn_like_any_other(values):
    svg = drawing(plot_of([(value, value) for value in values]))
    assert svg.count("<path") == len(values)


@PROPERTY
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=15), st.floats(0, 100))
def test_names_never_lie_on_each_other(points, level):
    labels = [f"name {number}" for number in range(len(points))]
    limits = tuple(Limit(f"limit {number}", level + number / 10) for number in range(5))
    svg = ElementTree.fromstring(drawing(plot_of(points, NAMED, labels=labels, limits=limits)))
    names = [text for text in svg.iter("text") if (text.text or "").startswith(("name", "limit"))]
    for first, second in combinations(names, 2):
        if abs(float(first.get("x")) - float(second.get("x"))) < 30:  # of one column: all names are wider
            assert abs(float(first.get("y")) - float(second.get("y"))) >= 13


def test_every_point_has_a_mark_with_its_figures_and_a_title_of_its_own_where_it_has_one():
    series = (joined("a", 0, [(1, 2), (2, 4)]), Series("b", 1, (Mark(1, 3, "said otherwise"),)))
    plot = Plot("T", fitted("x", [1, 2]), fitted("y", [2, 4], lambda value: f"{value:g} s"), series)
    assert re.findall(r"<title>(.*?)</title>", drawing(plot)) == ["a: 2 s, 1", "a: 4 s, 2", "said otherwise"]


def test_a_line_without_marks_is_dashed_and_says_its_name():
    plot = plot_of([(1, 2), (2, 3)])
    bare = Plot("T", plot.x, plot.y, (Series("bare", 1, line=((1, 2), (2, 3))),))
    assert '<polyline class="lo-curve lo-dashed"' in drawing(bare)
    assert "<title>bare</title>" in drawing(bare)
    assert "lo-dashed" not in drawing(plot)


def test_each_look_has_a_shape_and_a_colour_of_its_own():
    assert len({shape(look, 0, 0, 4) for look in range(LOOKS)}) == LOOKS
    assert shape(LOOKS, 0, 0, 4) == shape(0, 0, 0, 4)


def test_limits_have_their_names_and_those_outside_the_axes_are_left_out():
    limits = (Limit("level", 3), Limit("too high", 1e6), Limit("upright", 1.5, upright=True))
    svg = drawing(plot_of([(1, 2), (2, 4)], limits=limits))
    assert ">level</text>" in svg
    assert ">upright</text>" in svg
    assert "too high" not in svg


def test_figures_of_the_lower_axis_that_would_touch_are_left_out():
    crowded = fitted("x", [1, 2], lambda value: f"{value:.12f}")
    plot = plot_of([(1, 1), (2, 2)])
    shown = drawing(Plot("T", crowded, plot.y, plot.series)).count(".000000000")
    assert 0 < shown < len(crowded.ticks)


def test_it_is_an_image_with_a_name_for_those_who_do_not_see_it():
    svg = drawing(plot_of([(1, 2)]))
    assert 'role="img"' in svg
    assert 'aria-label="Title"' in svg


@pytest.mark.parametrize("names_at_ends", [False, True])
def test_foreign_names_are_escaped_and_marked_as_such(names_at_ends):
    evil = Foreign('<script>"&')
    x, y = fitted("<b>", [1, 2]), fitted("<i>", [1, 2], lambda value: f"<u>{value}")
    series = (Series(evil, 0, (Mark(1, 1, evil, evil),), ((1, 1), (2, 2))),)
    limits = (Limit(evil, 1.5), Limit(evil, 1.5, upright=True))
    svg = drawing(Plot(evil, x, y, series, limits, names_at_ends=names_at_ends))
    assert not re.search("<(script|b|i|u)>", svg)
    assert svg.count('translate="no"') == 3 + names_at_ends
    assert ElementTree.fromstring(svg).get("aria-label") == evil
