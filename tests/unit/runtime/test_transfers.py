"""Files are fetched before a turn: others run meanwhile, each model is fetched once, and who waits can stop."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from llmops.compare.comparison import Comparison, Update, run_all
from llmops.core.candidate import parse_candidate
from llmops.core.errors import Stopped
from llmops.core.events import Loading
from llmops.core.request import Connection, Job
from llmops.core.run_settings import RunSettings
from tests.support.pools import make_pool
from tests.support.scripted import TASK, Boom, ScriptedEngine

MEANWHILE = "Another model was being fetched meanwhile, which may have slowed this run."


@dataclass
class HubEngine(ScriptedEngine):
    """Models whose name begins with “hub” have to be fetched first; `gate` lets a transfer end."""

    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    fetched: list[str] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)

    def estimate_bytes(self, candidate):
        missing = candidate.model.startswith("hub") and candidate.model not in self.fetched
        return None if missing else self.weights_bytes

    def fetch(self, candidate, job):
        self.tries.append(candidate.model)
        job.report("downloading: 0 of 2 MB", 0.0)
        self.begun.set()
        while not self.gate.wait(0.01):
            job.report("downloading: 1 of 2 MB", 0.5)
            if job.stop.is_set():
                raise Stopped("Stopped while downloading.")
        if "fetch" in self.errors:
            raise self.errors["fetch"]
        self.fetched.append(candidate.model)


class Asked:
    """A comparison of one visitor, in a thread of its own."""

    def __init__(self, pool, candidate, owner=""):
        self.comparison = Comparison(
            pool, TASK, "text", [candidate], RunSettings("en", connection=Connection(owner=owner))
        )
        self.runs = []
        self._thread = threading.Thread(target=lambda: self.runs.extend(run_all(self.comparison)), daemon=True)
        self._thread.start()

    def run(self):
        self._thread.join(10)
        return self.runs[0]


@pytest.fixture
def engine():
    return HubEngine()


@pytest.fixture
def pool(engine):
    return make_pool(10**6, lambda kind: engine)


def test_another_visitors_run_finishes_while_a_transfer_goes_on(pool, engine):
    slow = Asked(pool, "hub:1:1@bf16", "ada")
    assert engine.begun.wait(5)
    other = Asked(pool, "here:3:1@bf16", "bob").run()
    assert other.text == "here" and slow.runs == []
    assert MEANWHILE in other.notes
    engine.gate.set()
    made = slow.run()
    assert made.text == "hub" and made.error is None
    assert made.timing.queue_s < 1
    assert MEANWHILE not in made.notes


def test_what_is_here_takes_its_turn_in_the_order_of_its_column_and_asks_for_no_file(pool, engine):
    comparison = Comparison(pool, TASK, "text", [f"here{n}:2:1@bf16" for n in range(4)], RunSettings("en"))
    assert [run.notes for run in run_all(comparison)] == [("a note",)] * 4
    assert engine.loads == [f"here{n}:2:1" for n in range(4)]
    assert engine.tries == []


def test_two_who_want_the_same_model_fetch_it_once_and_both_see_how_far_it_is(pool, engine):
    reports = [[], []]
    leases = []

    def ask(said):
        candidate = parse_candidate("hub:1:1@bf16")
        tell = lambda message, fraction: said.append(message)  # noqa: E731
        with pool.exclusive(candidate, TASK, Job(report=tell)) as lease:
            leases.append(lease.model)

    first = threading.Thread(target=ask, args=(reports[0],))
    first.start()
    assert engine.begun.wait(5)
    second = threading.Thread(target=ask, args=(reports[1],))
    second.start()
    time.sleep(0.1)
    engine.gate.set()
    for thread in (first, second):
        thread.join(10)
    assert engine.tries == ["hub:1:1"] and engine.loads == ["hub:1:1"]
    assert leases[0] is leases[1]
    assert reports[0][0] == "downloading: 0 of 2 MB"
    assert all("downloading: 1 of 2 MB" in messages for messages in reports)


def test_who_waits_for_anothers_transfer_can_stop_and_who_fetches_too(pool, engine):
    first = Asked(pool, "hub:1:1@bf16", "ada")
    assert engine.begun.wait(5)
    second = Asked(pool, "hub:1:1@bf16", "bob")
    time.sleep(0.1)
    second.comparison.stop()
    waited = second.run()
    assert waited.error.kind == "stopped" and "another run fetched" in waited.error.message
    assert first.runs == []
    first.comparison.stop()
    assert first.run().error.message == "Stopped while downloading."


def test_when_who_fetches_stops_the_next_one_takes_over(pool, engine):
    first = Asked(pool, "hub:1:1@bf16", "ada")
    assert engine.begun.wait(5)
    second = Asked(pool, "hub:1:1@bf16", "bob")
    time.sleep(0.1)
    first.comparison.stop()
    assert first.run().error.kind == "stopped"
    engine.gate.set()
    assert second.run().text == "hub"
    assert engine.tries == ["hub:1:1"] * 2


def test_a_transfer_that_fails_is_the_columns_own_error_and_the_next_one_is_asked_again(pool, engine):
    engine.gate.set()
    engine.errors["fetch"] = Boom("The transfer was cut short.", "Retry.")
    comparison = Comparison(pool, TASK, "text", ["hub:1:1@bf16", "here:1:1@bf16"], RunSettings("en"))
    failed, other = run_all(comparison)
    assert (failed.error.message, failed.error.remedy) == ("The transfer was cut short.", "Retry.")
    assert other.error is None and engine.loads == ["here:1:1"]
    engine.errors.clear()
    assert Asked(pool, "hub:1:1@bf16").run().error is None


def test_progress_is_told_as_loading(pool, engine):
    engine.gate.set()
    comparison = Comparison(pool, TASK, "text", ["hub:1:1@bf16"], RunSettings("en"))
    comparison.start()
    said = [
        update.event.message
        for update in comparison.updates()
        if isinstance(update, Update) and isinstance(update.event, Loading)
    ]
    assert said == ["downloading: 0 of 2 MB", "reading", "warming up"]


def test_a_model_that_is_loaded_is_not_looked_for_again(pool, engine):
    engine.gate.set()
    for _ in range(3):
        assert Asked(pool, "hub:1:1@bf16").run().error is None
    engine.fetched.clear()  # deleted from the disk: what is in memory serves all the same
    assert Asked(pool, "hub:1:1@bf16").run().error is None
    assert engine.tries == ["hub:1:1"]


def test_a_visitor_who_may_not_have_a_model_makes_nobody_fetch_it(engine):
    def permit(candidate, connection):
        raise Boom("It is gated.", "Accept its licence.")

    run = Asked(make_pool(10**6, lambda kind: engine, permit), "hub:1:1@bf16").run()
    assert run.error.message == "It is gated." and engine.tries == []
