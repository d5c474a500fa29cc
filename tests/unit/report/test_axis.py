"""Axes: where a figure lies on them, and when they are logarithmic."""

import pytest

from llmops.report.axis import Axis, doubling_axis, fitted, number, percent_axis


def test_a_share_is_of_the_length_or_of_the_factors():
    assert Axis("", 10, 20).share(15) == 0.5
    assert Axis("", 1, 100, logarithmic=True).share(10) == pytest.approx(0.5)


def test_an_axis_is_logarithmic_from_a_factor_of_twenty_on_and_never_with_a_zero():
    assert fitted("", [1, 20]).logarithmic
    assert not fitted("", [1, 19]).logarithmic
    assert not fitted("", [0, 1, 20]).logarithmic
    assert not fitted("", [1, 20], scale="linear").logarithmic
    assert fitted("", [1, 2], scale="logarithmic").logarithmic
    assert not fitted("", [-1, 2], scale="logarithmic").logarithmic


def test_an_axis_holds_its_figures_and_ends_at_ticks():
    axis = fitted("seconds", [0.3, 17.2])
    assert (axis.low, axis.high) == (axis.ticks[0], axis.ticks[-1])
    assert axis.holds(0.3)
    assert axis.holds(17.2)
    assert not axis.holds(axis.high + 1)


def test_no_figure_makes_no_axis():
    with pytest.raises(ValueError, match="empty"):
        fitted("", [])


def test_percent_and_doublings_have_their_own_ticks():
    percents = percent_axis("accuracy")
    assert [percents.written(tick) for tick in percents.ticks] == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
    doublings = doubling_axis("k", [1, 2, 8])
    assert doublings.ticks == (1, 2, 8)
    assert doublings.share(2) == pytest.approx(1 / 3)
    assert doubling_axis("k", [4]).high == 8


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (0.05, "0.05"), (12.345, "12.3"), (1234.5, "1,234"), (2e15, "2e+15")]
)
def test_a_figure_is_written_with_three_digits_or_all_before_the_point(value, written):
    assert number(value) == written
