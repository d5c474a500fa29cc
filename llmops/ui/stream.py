"""When to show what a comparison has told so far: to the page's columns, and to programs that read along.

A first token is shown at once, the rest a few times a second: to paint costs the processor that makes the tokens.
"""

import time
from collections.abc import Iterator, MutableSequence
from contextlib import closing
from typing import Any

from llmops.compare import Comparison, Update
from llmops.events import Failed, Finished
from llmops.history.recorder import Recorder
from llmops.view import View, fold

_PAINT_S = 0.1


def follow(comparison: Comparison, views: MutableSequence[View], recorder: Recorder) -> Iterator[None]:
    """Fold events into the views as they come; yields when it is time to paint, and at the end."""
    painted_s, dirty, urgent = 0.0, True, False
    with closing(comparison.updates()) as updates:
        for update in updates:
            if isinstance(update, Update):
                before = views[update.column]
                after = views[update.column] = fold(before, update.event)
                if isinstance(update.event, Finished | Failed):
                    recorder.take(update.column, update.event.run)
                dirty, urgent = True, urgent or (not before.text and bool(after.text))
            if dirty and (urgent or time.perf_counter() - painted_s >= _PAINT_S):
                yield None
                painted_s, dirty, urgent = time.perf_counter(), False, False
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
