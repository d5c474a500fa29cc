"""A device's queue that is fair between visitors: they take turns, one each a round.

Start-time fair queueing (Goyal, Vin and Cheng 1996) with one as the cost of a turn: of eight columns or a thousand
texts of one visitor one passes a round, and a newcomer waits for the round, not for all of them. (With seconds as the
cost, mean waits in the load test differed by more than a half; probably who came anew all the time went first.) One
visitor's own turns go in their order; on a private page all are one visitor's.
"""

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llmops.core.errors import Stopped
from llmops.core.events import Ahead

_POLL_S = 0.2  # how soon a stop is heard; a turn is told at once
_RECENT = 0.3  # weight of the newest turn in the expected seconds of one


@dataclass
class _Visitor:
    """One visitor in a line. round: in which the next turn is; turn_s: what one turn takes."""

    round: int
    waiting: deque["Place"] = field(default_factory=deque)
    turn_s: float | None = None


class FairQueue:
    """The queue of one device. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._visitors: dict[str, _Visitor] = {}
        self._holder: Place | None = None
        self._since_s = 0.0
        self._round = 0  # of the turn that was given last; newcomers come in the next one
        self._turn_s: float | None = None
        self._arrivals = 0
        self._order: dict[Place, Ahead] | None = None  # forgotten at each change

    def enter(self, owner: str = "") -> "Place":
        """A place at the end of the owner's own turns."""
        with self._guard:
            self._arrivals += 1
            place = Place(self, owner, self._arrivals)
            visitor = self._visitors.get(owner)
            if visitor is None:
                visitor = self._visitors[owner] = _Visitor(self._round + 1)
            elif not visitor.waiting:
                visitor.round = max(visitor.round, self._round)
            visitor.waiting.append(place)
            self._next()
        return place

    def ahead(self, place: "Place") -> Ahead:
        """What goes before a place; nothing before one that holds the device or has left."""
        with self._guard:
            if self._order is None:
                self._order = self._expected()
            return self._order.get(place, Ahead(0, 0.0))

    def leave(self, place: "Place") -> None:
        """Give a place up, waiting or holding; safe to call twice."""
        with self._guard:
            visitor = self._visitors.get(place.owner)
            if visitor is None:
                return
            if self._holder is place:
                taken_s = self._clock() - self._since_s
                visitor.turn_s, self._turn_s = _smoothed(visitor.turn_s, taken_s), _smoothed(self._turn_s, taken_s)
                self._holder = None
            elif place in visitor.waiting:
                visitor.waiting.remove(place)
            self._forget()
            self._next()

    def _holds(self, owner: str) -> bool:
        return self._holder is not None and self._holder.owner == owner

    def _next(self) -> None:
        """Hand the device to who is first in the earliest round. The guard is held."""
        self._order = None
        if self._holder is not None:
            return
        ready = [
            (visitor.round, visitor.waiting[0].number, visitor)
            for visitor in self._visitors.values()
            if visitor.waiting
        ]
        if not ready:  # idle: who came before counts no longer
            self._visitors.clear()
            self._round = 0
            return
        _, _, visitor = min(ready, key=lambda entry: entry[:2])
        self._holder = visitor.waiting.popleft()
        self._since_s, self._round = self._clock(), max(self._round, visitor.round)
        visitor.round += 1
        self._holder.granted.set()

    def _forget(self) -> None:
        """Drop owners who wait for nothing and would start as newcomers do."""
        gone = [
            name
            for name, visitor in self._visitors.items()
            if not visitor.waiting and visitor.round <= self._round and not self._holds(name)
        ]
        for name in gone:
            del self._visitors[name]

    def _expected(self) -> dict["Place", Ahead]:
        """Every waiting place's turn, if nobody comes or leaves and turns stay as long as they were."""
        usual_s = self._turn_s
        holding = 0 if self._holder is None else 1
        passed_s = self._clock() - self._since_s if self._holder else 0.0
        heap, places = [], {}
        for name, visitor in self._visitors.items():
            turn_s = visitor.turn_s if visitor.turn_s is not None else usual_s
            if visitor.waiting:
                heap.append((visitor.round, visitor.waiting[0].number, name, 0))
            places[name] = (list(visitor.waiting), turn_s)
        heapq.heapify(heap)
        wait_s = None if usual_s is None else max(0.0, usual_s - passed_s) if holding else 0.0
        order: dict[Place, Ahead] = {}
        while heap:
            turn_round, _, name, index = heapq.heappop(heap)
            waiting, turn_s = places[name]
            order[waiting[index]] = Ahead(holding + len(order), wait_s)
            wait_s = None if wait_s is None else wait_s + (turn_s or 0.0)
            if index + 1 < len(waiting):
                heapq.heappush(heap, (turn_round + 1, waiting[index + 1].number, name, index + 1))
        return order


class Place:
    """A place in a line. `wait` until it is its turn, `leave` in any case."""

    def __init__(self, line: FairQueue, owner: str, number: int) -> None:
        self.owner, self.number = owner, number
        self.granted = threading.Event()
        self._line = line

    def ahead(self) -> Ahead:
        """What goes first."""
        return self._line.ahead(self)

    def wait(self, stop: threading.Event, moved: Callable[[Ahead], None]) -> None:
        """Block until its turn; `moved` is told at once and at each change of place. Raises Stopped."""
        last = -1
        while not self.granted.is_set():
            ahead = self.ahead()
            if ahead.turns not in (0, last):
                moved(ahead)
                last = ahead.turns
            if stop.is_set():
                raise Stopped("Stopped while waiting for the device.")
            self.granted.wait(_POLL_S)

    def leave(self) -> None:
        """Give the place up; safe to call twice."""
        self._line.leave(self)


class Turn:
    """One caller's turn on one device, or on several at once: their lines are passed one after the other."""

    def __init__(self, lines: Sequence[FairQueue], owner: str = "") -> None:
        self._lines, self._owner = tuple(lines), owner
        self._places = [self._lines[0].enter(owner)]

    def wait(self, stop: threading.Event, moved: Callable[[Ahead], None]) -> None:
        """Block until every device is this caller's; see Place.wait. Raises Stopped."""
        for index, line in enumerate(self._lines):
            if index == len(self._places):
                self._places.append(line.enter(self._owner))
            self._places[index].wait(stop, moved)

    def leave(self) -> None:
        """Give everything up; safe to call twice."""
        for place in self._places:
            place.leave()


def _smoothed(before: float | None, now: float) -> float:
    return now if before is None else before + _RECENT * (now - before)
