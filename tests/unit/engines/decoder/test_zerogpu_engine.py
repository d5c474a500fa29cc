"""Borrowing a GPU, with the child's side in this process. The real package: integration/hardware/test_zerogpu_fake."""

# ruff: noqa: S301  (pickling is what the package does)

import pickle
import threading

import pytest

from llmops.catalog.presets import preset_for
from llmops.core.candidate import parse_candidate
from llmops.core.errors import ModelRefused, OutOfMemory, ZeroGpuUnavailable
from llmops.core.request import Generation
from llmops.data.builtin import load_builtin
from llmops.engines.decoder import zerogpu_child
from llmops.hardware import zerogpu


@pytest.fixture
def here(monkeypatch):
    """A GPU that is always to be had: what is lent is this process, and data crosses by pickle as it would."""

    def call_here(*call):
        for what, item in zerogpu._work_in_child(*pickle.loads(pickle.dumps(call))):
            yield pickle.loads(pickle.dumps((what, item)))

    monkeypatch.setattr(zerogpu, "_gpu_function", call_here)
    yield
    zerogpu._in_child = False


ended = threading.Event()  # set by work that was told to end


def count(upto, stop):
    for number in range(upto):
        if stop.wait(0.001):
            ended.set()
            return
        yield number


def slow(stop):
    stop.wait(60)
    yield "stopped" if stop.is_set() else "not stopped"


def refuse(stop):
    yield 1
    raise ModelRefused("No.", "Another one.")


def test_what_work_yields_comes_out_in_order(here):
    assert list(zerogpu.run_on_gpu(count, (3,), 10, threading.Event())) == [0, 1, 2]


def test_a_stop_reaches_work_that_yields_nothing_and_lets_it_end_in_good_order(here):
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    assert list(zerogpu.run_on_gpu(slow, (), 10, stop)) == ["stopped"]


def test_closing_ends_the_work(here):
    ended.clear()
    events = zerogpu.run_on_gpu(count, (10**9,), 10, threading.Event())
    assert next(events) == 0
    events.close()
    assert ended.is_set()


def test_an_error_crosses_with_its_class_and_its_remedy(here):
    with pytest.raises(ModelRefused) as caught:
        list(zerogpu.run_on_gpu(refuse, (), 10, threading.Event()))
    assert (caught.value.message, caught.value.remedy) == ("No.", "Another one.")


def test_the_packages_own_errors_become_ours_with_a_remedy(monkeypatch):
    class GradiosError(Exception):
        message = "You have exceeded your free ZeroGPU quota (24s requested vs. 0s left)."

    def call_here(*call):
        raise GradiosError
        yield

    monkeypatch.setattr(zerogpu, "_gpu_function", call_here)
    with pytest.raises(ZeroGpuUnavailable, match="exceeded your free ZeroGPU quota") as caught:
        list(zerogpu.run_on_gpu(count, (1,), 10, threading.Event()))
    assert "Sign in" in caught.value.remedy


def test_a_job_crosses_a_fork_and_holds_no_secret():
    task = load_builtin("medical")
    job = zerogpu_child.ChildRun(
        parse_candidate("embedded/decoder@bf16"), ".", ".", task, "text", "en", Generation(), False, False
    )
    assert pickle.loads(pickle.dumps(job)) == job
    assert not any("connection" in name or "token" in name for name in vars(job))


def test_a_lent_gpu_has_its_own_preset_and_other_machines_never_get_it():
    assert preset_for(48_000_000_000, zerogpu=True).id == "zerogpu"
    assert all(preset_for(size).id != "zerogpu" for size in (None, 10**9, 16 * 10**9, 24 * 10**9, 80 * 10**9))


def test_elsewhere_nothing_acts():
    assert not zerogpu.active({})
    zerogpu.prepare()
    assert zerogpu._gpu_function is None
    with pytest.raises(ZeroGpuUnavailable):
        list(zerogpu.run_on_gpu(count, (1,), 10, threading.Event()))


def test_an_unknown_kind_of_error_is_still_an_error():
    from llmops.core.errors import LlmopsError, rebuilt

    assert type(rebuilt("memory", "m", "r")) is OutOfMemory
    assert type(rebuilt("who knows", "m", "r")) is LlmopsError
