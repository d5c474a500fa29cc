"""Ticks: round, ascending, few, and around all that is drawn, whatever it is."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.report.ticks import linear_ticks, log_ticks

PROPERTY = settings(max_examples=400, deadline=None, derandomize=True, database=None)
ANY = st.floats(-1e100, 1e100)
POSITIVE = st.floats(-99, 99).map(lambda power: 10.0**power)


def digits(tick):
    """A tick's digits before their power of ten."""
    return Decimal(repr(tick)).normalize().as_tuple().digits


@PROPERTY
@given(st.lists(ANY, min_size=1))
def test_even_ticks_cover_all_figures_and_are_multiples_of_a_round_step(values):
    ticks = linear_ticks(min(values), max(values))
    assert 4 <= len(ticks) <= 8
    assert ticks[0] <= min(values) <= max(values) <= ticks[-1]
    steps = [after - before for before, after in pairwise(ticks)]
    assert min(steps) > 0
    step = max(steps)
    assert max(abs(other - step) for other in steps) <= 1e-6 * step
    assert f"{step:.5e}".rstrip("0123456789").removesuffix("e+").removesuffix("e-").rstrip("0.") in ("1", "2", "5")


@PROPERTY
@given(st.lists(POSITIVE, min_size=1))
def test_logarithmic_ticks_cover_all_figures_and_are_round(values):
    ticks = log_ticks(min(values), max(values))
    assert 3 <= len(ticks) <= 9
    assert ticks[0] <= min(values) <= max(values) <= ticks[-1]
    assert list(ticks) == sorted(set(ticks))
    assert {digits(tick) for tick in ticks} <= {(1,), (2,), (3,), (5,)}


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0.3, 0.9, (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
        (-3, 17, (-5, 0, 5, 10, 15, 20)),
        (5, 5, (0, 1, 2, 3, 4, 5)),
        (0, 0, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (1e9, 1e9 + 0.1, (0, 2e8, 4e8, 6e8, 8e8, 1e9, 1.2e9)),
    ],
)
def test_even_ticks_are_the_figures_one_would_write(low, high, ticks):
    assert linear_ticks(low, high) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (8, 192, (5, 10, 20, 50, 100, 200)),
        (3, 1500, (3, 10, 30, 100, 300, 1000, 3000)),
        (1.1, 1.2, (1, 2, 5)),
        (2, 1e7, (1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7)),
        (1e-10, 1e10, (1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9, 1e12)),
    ],
)
def test_logarithmic_ticks_are_denser_the_less_there_is_to_cover(low, high, ticks):
    assert log_ticks(low, high) == ticks
