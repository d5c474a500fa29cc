"""What a column shows, folded from its events. Pure: no page, no clock; history replays runs through the same fold."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from llmops.core.events import (
    Ahead,
    Event,
    Failed,
    Finished,
    Loaded,
    Loading,
    Note,
    Queued,
    Started,
    Token,
    Unloaded,
    Waiting,
)
from llmops.core.run import Run


class Status(StrEnum):
    """Where a column stands."""

    WAITING = "waiting"
    QUEUED = "queued"
    LOADING = "loading"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class View:
    """One column. fraction 0..1 is loading progress where known; run is set once there is a result or an error."""

    candidate: str
    status: Status = Status.WAITING
    message: str = ""
    fraction: float | None = None
    text: str = ""
    notes: tuple[str, ...] = field(default=())
    run: Run | None = None

    @property
    def ended(self) -> bool:
        """True once nothing more will come, unless it is tried again."""
        return self.status in (Status.DONE, Status.STOPPED, Status.FAILED)


def fold(view: View, event: Event) -> View:
    """The view after one more event."""
    match event:
        case Queued(ahead=ahead, seconds=seconds):
            said = f"Waiting for the device: {Ahead(ahead, seconds)}"
            return replace(view, status=Status.QUEUED, message=said, fraction=None)
        case Loading(message=message, fraction=fraction):
            return replace(view, status=Status.LOADING, message=message, fraction=fraction)
        case Loaded():
            return replace(view, status=Status.LOADING, message="Loaded", fraction=None)
        case Started():
            return replace(view, status=Status.RUNNING, message="", fraction=None, text="")
        case Token(text=text):
            return replace(view, status=Status.RUNNING, message="", text=view.text + text)
        case Waiting(message=message, seconds=seconds):
            return replace(view, message=f"{message} (waiting {seconds:.0f} s)")
        case Note(message=message):
            return replace(view, notes=(*view.notes, message))
        case Unloaded():
            return replace(view, message="Unloaded")
        case Finished() | Failed():
            return _ended(view, event)
        case _:
            return view


def _ended(view: View, event: Finished | Failed) -> View:
    """The view after a run's last event."""
    run = event.run
    if isinstance(event, Finished):
        status = Status.STOPPED if run.finish == "stopped" else Status.DONE
        return replace(view, status=status, message="", text=run.text, notes=run.notes, run=run)
    status = Status.STOPPED if event.error.kind == "stopped" else Status.FAILED
    return replace(view, status=status, message="", fraction=None, text=run.text or view.text, run=run)
