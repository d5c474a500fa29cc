"""Loaded models under a budget. Engines are scripted; freeing real models is tested with the decoder engine."""

import threading

import pytest

from llmops.core.candidate import parse_candidate
from llmops.core.errors import OutOfMemory
from llmops.core.request import Job
from tests.support.pools import make_pool
from tests.support.scripted import TASK, ScriptedEngine


def _lease(pool, text):
    return pool.lease(parse_candidate(text), TASK, Job())


def test_a_second_visitor_shares_the_loaded_copy():
    engine = ScriptedEngine()
    pool = make_pool(1000, lambda kind: engine)
    with _lease(pool, "one:1:1@bf16") as first:
        assert not first.warm
    with _lease(pool, "one:1:1@bf16") as second:
        assert second.warm
        assert second.load_s == first.load_s
        assert second.model is first.model
    assert engine.loads == ["one:1:1"]


def test_two_at_the_same_moment_load_once():
    engine = ScriptedEngine(load_s=0.2)
    pool = make_pool(1000, lambda kind: engine)
    seen = []

    def use():
        with _lease(pool, "one:1:1@bf16") as lease:
            seen.append(lease.model)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.loads == ["one:1:1"]
    assert len(set(map(id, seen))) == 1


def test_the_least_recently_used_goes_first_and_one_in_use_stays():
    engine = ScriptedEngine(weights_bytes=100)
    pool = make_pool(250, lambda kind: engine)
    for name in ("one", "two", "one", "three"):  # two is now the least recently used
        with _lease(pool, f"{name}:1:1@bf16"):
            pass
    assert engine.models["two"].closed
    assert not engine.models["one"].closed
    with _lease(pool, "one:1:1@bf16"), _lease(pool, "four:1:1@bf16"):
        assert engine.models["three"].closed
        assert not engine.models["one"].closed


def test_a_model_over_the_budget_is_refused_with_both_numbers():
    pool = make_pool(50_000_000, lambda kind: ScriptedEngine(weights_bytes=200_000_000))
    with pytest.raises(OutOfMemory, match=r"0\.2 GB.*0\.1 GB|0\.2 GB.*0\.0 GB"), _lease(pool, "one:1:1@bf16"):
        pass
    assert pool.loaded() == {}


def test_unload_frees_only_what_nobody_uses():
    engine = ScriptedEngine()
    pool = make_pool(1000, lambda kind: engine)
    candidate = parse_candidate("one:1:1@bf16")
    with _lease(pool, "one:1:1@bf16"):
        assert pool.unload(candidate, TASK) is None
        assert not engine.models["one"].closed
    assert pool.unload(candidate, TASK) is not None
    assert engine.models["one"].closed
    assert pool.loaded() == {}


def test_a_failed_load_leaves_nothing_behind():
    engine = ScriptedEngine(errors={"load one": ValueError("no")})
    pool = make_pool(1000, lambda kind: engine)
    with pytest.raises(ValueError, match="no"), _lease(pool, "one:1:1@bf16"):
        pass
    engine.errors.clear()
    with _lease(pool, "one:1:1@bf16") as lease:
        assert lease.load_s is not None


def test_long_work_takes_turns_with_a_comparison_and_neither_waits_for_ever():
    from llmops.compare.comparison import Comparison, run_all
    from llmops.core.run_settings import RunSettings

    pool = make_pool(1000, lambda kind: ScriptedEngine(weights_bytes=1))
    candidate, order = parse_candidate("one:2:5@bf16"), []

    def long_work():
        for number in range(10):
            with pool.exclusive(candidate, TASK, Job()):
                order.append(number)
                threading.Event().wait(0.03)

    thread = threading.Thread(target=long_work)
    thread.start()
    runs = run_all(Comparison(pool, TASK, "x", ["one:2:5@bf16"], RunSettings("en")))
    between = len(order)
    thread.join(20)
    assert not thread.is_alive()
    assert runs[0].error is None
    assert between < 10  # it got its turn before the long work was over
    assert order == list(range(10))


def test_waiting_for_a_turn_ends_with_stop():
    from llmops.core.errors import Stopped

    pool = make_pool(1000, lambda kind: ScriptedEngine())
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pool.queues.turn("cpu", Job()), pytest.raises(Stopped):  # noqa: SIM117
        with pool.queues.turn("cpu", Job(stop=stop)):
            pass
    with pool.queues.turn("cpu", Job()):
        pass
