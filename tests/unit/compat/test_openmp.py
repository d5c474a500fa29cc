"""The threads that libgomp keeps for a thread that has computed."""

import sys
import threading
from pathlib import Path

import pytest

from llmops.compat import openmp
from tests.support.fresh_process import in_fresh_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")


def _threads():
    return len(list(Path("/proc/self/task").iterdir()))


def _threads_before_with_and_without_workers():
    import torch

    torch.set_num_threads(2)  # one worker beside whoever computes, however many processors there are
    computed, give_back, given_back, end = (threading.Event() for _ in range(4))

    def work():
        torch.ones(500_000).exp().sum()
        computed.set()
        give_back.wait()
        openmp.give_back_workers()
        given_back.set()
        end.wait()

    before = _threads()
    thread = threading.Thread(target=work)
    thread.start()
    computed.wait()
    with_workers = _threads()
    give_back.set()
    given_back.wait()
    without = _threads()
    end.set()
    thread.join()
    return before, with_workers, without


def test_an_idle_threads_workers_are_still_kept_and_end_when_it_gives_them_back():
    before, with_workers, without = in_fresh_process(_threads_before_with_and_without_workers)
    assert with_workers >= before + 2, "give_back_workers is no longer needed: nothing is kept for an idle thread"
    assert without == before + 1


def test_torch_still_has_no_call_of_its_own_for_it():
    import torch

    assert not [name for name in dir(torch) if "omp" in name.lower() and "pause" in name.lower()]
    assert openmp._libgomp() is not None, "torch comes with another OpenMP: idle threads' workers stay"
