"""The threads that libgomp keeps for a thread that has computed."""

import sys
import threading
from pathlib import Path

import pytest

from llmops.compat import openmp

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")


def threads():
    return len(list(Path("/proc/self/task").iterdir()))


def test_an_idle_threads_workers_are_still_kept_and_end_when_it_gives_them_back():
    import torch

    if torch.get_num_threads() == 1:
        pytest.skip("one processor: no workers")
    computed, give_back, given_back, end = (threading.Event() for _ in range(4))

    def work():
        torch.ones(500_000).exp().sum()
        computed.set()
        give_back.wait()
        openmp.give_back_workers()
        given_back.set()
        end.wait()

    before = threads()
    thread = threading.Thread(target=work)
    thread.start()
    computed.wait()
    assert threads() >= before + 2, "give_back_workers is no longer needed: nothing is kept for an idle thread"
    give_back.set()
    given_back.wait()
    assert threads() == before + 1
    end.set()
    thread.join()


def test_torch_still_has_no_call_of_its_own_for_it():
    import torch

    assert not [name for name in dir(torch) if "omp" in name.lower() and "pause" in name.lower()]
    assert openmp._libgomp() is not None, "torch comes with another OpenMP: idle threads' workers stay"
