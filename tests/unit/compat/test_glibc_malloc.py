"""What glibc keeps of freed memory, measured in processes of their own: as it is, and as it is told."""

import platform
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from llmops.compat import glibc_malloc
from llmops.hardware.memory import resident_bytes

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
MIB = 2**20


def touched(size):
    block = bytearray(size)
    block[::4096] = b"x" * len(block[::4096])
    return block


def in_another(work, *arguments):
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def left_of_48_mib(told):
    """MiB that stay when a thread has freed blocks of 6 MiB and lives on; one of 30 MiB before them raised the
    thresholds."""
    if told is not None:
        getattr(glibc_malloc, told)()
    before, done, end = resident_bytes(), threading.Event(), threading.Event()

    def work():
        touched(30 * MIB)
        blocks = [touched(6 * MIB) for _ in range(8)]
        del blocks
        done.set()
        end.wait()

    thread = threading.Thread(target=work)
    thread.start()
    done.wait()
    glibc_malloc.trim()
    left = (resident_bytes() - before) // MIB
    end.set()
    thread.join()
    return left


def test_glibc_left_alone_still_keeps_what_another_thread_freed():
    assert in_another(left_of_48_mib, None) > 40, "return_freed_blocks is no longer needed"


def test_told_to_return_freed_blocks_it_keeps_none():
    assert in_another(left_of_48_mib, "return_freed_blocks") < 4


def test_told_to_keep_them_it_does():
    assert in_another(left_of_48_mib, "keep_freed_blocks") > 40


def left_between_blocks_in_use(trims):
    """MiB that stay of 50 in small blocks, the last of which is in use."""
    glibc_malloc.return_freed_blocks()
    before = resident_bytes()
    blocks = [touched(64 * 1024) for _ in range(800)]
    last = blocks.pop()
    del blocks
    if trims:
        glibc_malloc.trim()
    return (resident_bytes() - before + len(last)) // MIB


def test_what_is_free_below_a_block_in_use_still_goes_back_by_trimming_alone():
    assert in_another(left_between_blocks_in_use, False) > 40, "trim is no longer needed"
    assert in_another(left_between_blocks_in_use, True) < 5
