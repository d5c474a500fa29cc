"""Computing in threads that stay: the same one for runs in turn, another for one beside it."""

import os
import threading
from pathlib import Path

import pytest

from llmops.hardware import openmp_threads


def test_runs_in_turn_share_a_thread_and_runs_side_by_side_have_one_each():
    first, second = (openmp_threads.compute(threading.get_ident) for _ in range(2))
    assert first == second != threading.get_ident()
    with openmp_threads.compute_thread() as worker, openmp_threads.compute_thread() as other:
        assert worker.run(threading.get_ident) != other.run(threading.get_ident)
    alive = [thread for thread in threading.enumerate() if thread.name == "compute"]
    for thread in alive:
        thread.join(0.5)
    assert len([thread for thread in alive if thread.is_alive()]) == 1


def test_what_goes_wrong_in_a_lane_is_raised_to_who_waits_and_the_lane_goes_on():
    with openmp_threads.compute_thread() as thread:
        with pytest.raises(ZeroDivisionError):
            thread.run(lambda: 1 // 0)
        assert thread.run(lambda: 7) == 7


def test_a_lane_holds_nothing_of_what_it_has_done():
    class Large:
        gone = threading.Event()

        def __del__(self):
            self.gone.set()

    with openmp_threads.compute_thread() as thread:
        thread.run(Large)
        assert Large.gone.wait(5)


def test_aside_an_idle_lane_keeps_no_workers_and_computes_again_afterwards():
    import torch

    def sums():
        return float(torch.ones(500_000).exp().sum())

    def workers():
        return len(list(Path("/proc/self/task").iterdir()))

    before = openmp_threads.compute(sums)
    with_workers = workers()
    with openmp_threads.without_idle_workers():
        assert torch.get_num_threads() == 1 or workers() < with_workers
    assert openmp_threads.compute(sums) == before


def test_a_forked_child_has_lanes_of_its_own():
    openmp_threads.compute(threading.get_ident)
    child = os.fork()
    if child == 0:
        os._exit(0 if openmp_threads.compute(lambda: 5) == 5 else 1)
    for _ in range(100):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        threading.Event().wait(0.1)
    os.kill(child, 9)
    pytest.fail("the child waits for a thread that it has not got")
