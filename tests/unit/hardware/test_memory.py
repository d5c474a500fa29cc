"""Memory marks, without a model."""

import sys

import pytest

from llmops.hardware.memory import PeakMemory, device_used, held_bytes, release_memory, resident_bytes
from tests.support.fresh_process import in_fresh_process

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SIZE = 64 * 2**20


@linux
def test_the_peak_counts_what_was_freed_again():
    extra_bytes = in_fresh_process(_peak_of_a_block)  # elsewhere another test's freed block may be taken again
    assert 0.98 * SIZE <= extra_bytes < 1.5 * SIZE  # the kernel counts in batches


def _peak_of_a_block():
    with PeakMemory("cpu") as peak:
        block = bytearray(SIZE)
        block[::4096] = b"x" * len(block[::4096])
        del block
        return peak.extra_bytes


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
    release_memory("cpu")


def test_only_a_gpu_has_a_figure_for_the_device_as_a_whole():
    assert device_used("cpu") is None
