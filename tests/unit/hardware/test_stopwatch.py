"""The clock of a generation."""

import time

from llmops.hardware.stopwatch import Stopwatch


def test_ttft_ends_at_the_first_tick_and_e2e_at_the_last():
    watch = Stopwatch(handed_s=10.0)
    watch.first_s, watch.last_s = 10.5, 12.5
    timing = watch.timing(7, 5)
    assert (timing.ttft_s, timing.e2e_s, timing.tpot_s) == (0.5, 2.5, 0.5)
    assert (timing.prefill_rate, timing.decode_rate) == (14.0, 2.0)


def test_what_never_came_is_unknown_and_not_zero():
    timing = Stopwatch().timing(7, 0)
    assert timing.ttft_s is None
    assert timing.e2e_s is None
    assert timing.tpot_s is None


def test_a_tick_is_stamped_when_it_is_made():
    watch = Stopwatch()
    before = time.perf_counter()
    stamp = watch.tick()
    assert before <= stamp <= time.perf_counter()
    assert watch.first_s == watch.last_s == stamp
    assert watch.tick() == watch.last_s > watch.first_s
