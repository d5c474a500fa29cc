"""Clocks and memory marks, without a model."""

import sys
import time

import pytest

from llmops.hardware.memory import PeakMemory, Stopwatch, device_used, give_back, held_bytes, resident_bytes

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SIZE = 64 * 2**20


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


@linux
def test_the_peak_counts_what_was_freed_again():
    with PeakMemory("cpu") as peak:
        block = bytearray(SIZE)
        block[::4096] = b"x" * len(block[::4096])
        del block
        assert 0.98 * SIZE <= peak.extra_bytes < 1.5 * SIZE  # the kernel counts in batches


@linux
def test_each_stretch_has_its_own_peak():
    with PeakMemory("cpu"):
        block = bytearray(SIZE)
        block[::4096] = b"x" * len(block[::4096])
        del block
    with PeakMemory("cpu") as peak:
        assert peak.extra_bytes < SIZE / 4


@linux
def test_held_bytes_on_a_cpu_are_the_resident_set():
    assert abs(held_bytes("cpu") - resident_bytes()) < 2**20
    give_back("cpu")


def test_only_a_gpu_has_a_figure_for_the_device_as_a_whole():
    assert device_used("cpu") is None
