"""The queue of a device: fair between visitors, in each one's own order, with what is ahead."""

import threading

import pytest

from llmops.core.errors import Stopped
from llmops.core.events import Ahead
from llmops.runtime.fair_queue import FairQueue


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def served(line, clock, places, turn_s):
    """The owners in the order in which they get the device; `turn_s` seconds a turn, by owner."""
    order, left = [], list(places)
    while left:
        place = next(waiting for waiting in left if waiting.granted.is_set())
        order.append(place.owner)
        clock.now += turn_s[place.owner]
        left.remove(place)
        place.leave()
    return order


def test_eight_columns_of_one_visitor_do_not_keep_another_waiting(clock):
    line = FairQueue(clock)
    places = [line.enter("greedy") for _ in range(8)] + [line.enter("modest")]
    assert served(line, clock, places, {"greedy": 1, "modest": 1}).index("modest") <= 2


def test_visitors_take_turns_however_many_they_have_waiting(clock):
    line = FairQueue(clock)
    places = [line.enter("many") for _ in range(30)] + [line.enter(owner) for _ in range(5) for owner in ("one", "two")]
    order = served(line, clock, places, {"many": 3, "one": 1, "two": 1})
    assert [order[:16].count(owner) for owner in ("one", "two")] == [5, 5]


def test_who_comes_anew_all_the_time_does_not_go_before_those_who_wait(clock):
    line = FairQueue(clock)
    line.enter("holder")
    waiting = [line.enter("patient"), line.enter("calm")]
    for number in range(3):
        newcomer = line.enter(f"new {number}")
        line._holder.leave()
        assert not newcomer.granted.is_set()
    assert all(place.granted.is_set() for place in waiting)


def test_own_turns_go_in_their_order_and_a_single_user_sees_a_plain_queue(clock):
    line = FairQueue(clock)
    places = [line.enter() for _ in range(4)]
    for index, place in enumerate(places):
        assert [later.granted.is_set() for later in places[index:]] == [True, *[False] * (3 - index)]
        place.leave()


def test_time_away_earns_no_credit(clock):
    line = FairQueue(clock)
    served(line, clock, [line.enter("early")], {"early": 1})
    for _ in range(50):
        served(line, clock, [line.enter("busy")], {"busy": 1})
    places = [line.enter(owner) for _ in range(5) for owner in ("busy", "early")]
    order = served(line, clock, places, {"busy": 1, "early": 1})
    assert order[:6].count("early") in (3, 4)


def test_what_is_ahead_is_counted_in_turns_and_estimated_in_seconds(clock):
    line = FairQueue(clock)
    assert line.enter("x").ahead() == Ahead(0, 0.0)
    line = FairQueue(clock)
    served(line, clock, [line.enter("one")], {"one": 4})
    first, own, other = line.enter("one"), line.enter("one"), line.enter("two")
    clock.now += 1
    assert first.granted.is_set()
    assert own.ahead() == Ahead(1, 3.0)  # four seconds a turn, one has passed
    assert other.ahead() == Ahead(2, 7.0)
    assert str(other.ahead()) == "2 runs go first, about 7 s"


def test_nothing_is_estimated_before_the_first_turn_has_ended(clock):
    line = FairQueue(clock)
    line.enter("one")
    assert line.enter("two").ahead() == Ahead(1, None)
    assert str(Ahead(1, None)) == "1 run goes first"


def test_who_leaves_the_queue_is_not_waited_for(clock):
    line = FairQueue(clock)
    held, gone, last = line.enter("a"), line.enter("b"), line.enter("c")
    gone.leave()
    gone.leave()
    held.leave()
    assert last.granted.is_set()
    assert not gone.granted.is_set()


def test_a_stop_is_heard_while_waiting():
    line = FairQueue()
    line.enter("a")
    stop, told = threading.Event(), []
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        line.enter("b").wait(stop, told.append)
    assert [queued.turns for queued in told] == [1]


def test_a_line_forgets_visitors_who_are_gone(clock):
    line = FairQueue(clock)
    for number in range(1000):
        served(line, clock, [line.enter(f"visitor {number}")], {f"visitor {number}": 0.1})
    assert len(line._visitors) < 10
