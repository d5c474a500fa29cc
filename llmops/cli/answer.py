"""How a command ends: JSON or an error in words, and the exit status; and progress on standard error."""

import json
import signal
import sys
import threading
from typing import Any

from llmops.api.context import ApiContext
from llmops.core.request import Job
from llmops.core.settings import Settings
from llmops.public.quotas import Quotas
from llmops.runtime.pool import Pool


def finish(data: dict[str, Any], as_json: bool) -> int:
    """Print JSON where asked, the error where there is one; 1 with an error, else 0."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
    elif data["error"]:
        print(f"{data['error']['message']} {data['error']['remedy']}".strip(), file=sys.stderr)
    return 1 if data["error"] else 0


def command_context(settings: Settings) -> ApiContext:
    """This process, for one command."""
    return ApiContext(Pool(settings), Quotas(settings), "command")


def stopped_by_interrupt() -> threading.Event:
    """A stop flag that the first Ctrl-C sets, so that what was measured is printed; the second one ends at once."""
    stop = threading.Event()

    def on_interrupt(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, on_interrupt)
    return stop


def interruptible_job() -> Job:
    """The terminal's own work: progress on standard error, stopped by Ctrl-C."""
    return Job(report=tell, stop=stopped_by_interrupt())


def tell(message: str, fraction: float | None) -> None:
    """Progress for a person who waits: one line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        share = "" if fraction is None else f" ({fraction:.0%})"
        print(f"\r\x1b[K{message}{share}", end="", file=sys.stderr, flush=True)
