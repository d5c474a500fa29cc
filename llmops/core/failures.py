"""An exception as what a user reads; an unforeseen one leaves its traceback in the log. Both are done here alone."""

import logging
import traceback
from collections.abc import Iterable

from llmops.core.errors import LlmopsError, Unforeseen, redact
from llmops.core.run import RunError

_MOST_DETAIL = 500  # characters of a foreign message
_log = logging.getLogger(__name__)


def as_run_error(caught: BaseException, doing: str, secrets: Iterable[str] = ()) -> RunError:
    """What went wrong, without secrets. doing: what was under way, for the log, such as a candidate's name."""
    hidden = tuple(secrets)
    if isinstance(caught, LlmopsError):
        return RunError(caught.kind, redact(caught.message, hidden), redact(caught.remedy, hidden))
    log_unforeseen(caught, doing, hidden)
    detail = redact(f"{type(caught).__name__}: {caught}", hidden)[:_MOST_DETAIL]
    return RunError(Unforeseen.kind, f"Something unforeseen went wrong ({detail}).", "Retry; if it stays, report it.")


def log_unforeseen(caught: BaseException, doing: str, secrets: Iterable[str] = ()) -> None:
    """Its traceback to the log, without secrets: for who tells it in other words, or has nobody to tell."""
    hidden = tuple(secrets)
    trace = redact("".join(traceback.format_exception(caught)), hidden)
    _log.error("unforeseen failure: %s\n%s", redact(doing, hidden), trace)
