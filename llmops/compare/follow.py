"""When to show what a comparison has told so far: to the page's columns, and to programs that read along.

To paint costs the processor that makes the tokens, so it is done a few times a second.
"""

import time
from collections.abc import Iterator, MutableSequence
from contextlib import closing
from typing import Any

from llmops.compare.comparison import Comparison, Update
from llmops.compare.recorder import Recorder
from llmops.core.events import Failed, Finished
from llmops.core.view import View, fold

_PAINT_S = 0.1
_IDLE_S = 1.0


def follow(
    comparison: Comparison, views: MutableSequence[View], recorder: Recorder, *, first_at_once: bool = False
) -> Iterator[None]:
    """Fold events into the views as they come; yields when it is time to paint, and at the end.

    A change waits for a tenth of a second: painting at once would take the interpreter from the very run that has just
    begun (a warm encoder's 6.5 ms read 18, measured on 2 cores). first_at_once: but for a column's first words. Once a
    second it yields in any case: a reader that has left is noticed only here.
    """
    yielded_s = time.perf_counter()
    changed_s: float | None = None  # since when something waits to be painted
    urgent = False
    with closing(comparison.updates()) as updates:
        for update in updates:
            if isinstance(update, Update):
                before = views[update.column]
                after = views[update.column] = fold(before, update.event)
                if isinstance(update.event, Finished | Failed):
                    recorder.take(update.column, update.event.run)
                changed_s = time.perf_counter() if changed_s is None else changed_s
                urgent = urgent or (first_at_once and not before.text and bool(after.text))
            now_s = time.perf_counter()
            due = changed_s is not None and (urgent or now_s - changed_s >= _PAINT_S)
            if due or now_s - yielded_s >= _IDLE_S:
                yield None
                changed_s, urgent, yielded_s = None, False, time.perf_counter()
    comparison.forget_secrets()
    yield None


def plain(view: View) -> dict[str, Any]:
    """A view as plain data; `run` once there is one."""
    return {
        "candidate": view.candidate,
        "status": str(view.status),
        "message": view.message,
        "text": view.text,
        "run": view.run.to_json() if view.run is not None else None,
    }
