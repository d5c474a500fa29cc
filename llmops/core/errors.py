"""The few errors a user can meet: what happened, the number that mattered, and what would help.

They are raised where the cause is known and turned into words once, at the edge (a column, the command
line, the API). Nothing here may carry a key or a token: `redact` is applied to every foreign message.
"""

import re
from collections.abc import Iterable

_SECRET = re.compile(r"\b(?:sk|hf|gsk|xai|r8)[-_][A-Za-z0-9_\-]{6,}|(?<=Bearer )\S+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


class LlmopsError(Exception):
    """A user-facing error. `message` says what happened, `remedy` what would help."""

    kind = "error"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InputError(LlmopsError):
    """The text, a setting or a candidate's text form is not usable."""

    kind = "input"


class TaskFileError(LlmopsError):
    """An uploaded file is wrong; the message names row and column."""

    kind = "file"


class ContextTooLong(LlmopsError):
    """The text needs more tokens than the model or the limit allows."""

    kind = "context"


class ModelNotFound(LlmopsError):
    """No such model id, folder, or no hub in reach."""

    kind = "not-found"


class ModelRefused(LlmopsError):
    """The model exists but is not loaded: pickle only, foreign code, or not the right kind."""

    kind = "refused"


class ModelGated(LlmopsError):
    """The model wants a licence accepted and a token that may read it."""

    kind = "gated"


class OutOfMemory(LlmopsError):
    """Not enough memory for the weights or the run."""

    kind = "memory"


class NotConfigured(LlmopsError):
    """A key, a token or an address is missing."""

    kind = "configuration"


class EndpointError(LlmopsError):
    """A remote endpoint refused, failed, timed out, or answered something that is no completion."""

    kind = "endpoint"


class ZeroGpuUnavailable(LlmopsError):
    """ZeroGPU gave no GPU: quota, queue, or the call was cut off."""

    kind = "gpu"


class StaysHere(LlmopsError):
    """Nothing may leave this machine, and the candidate is elsewhere."""

    kind = "privacy"


class HistoryError(LlmopsError):
    """The history can't be read or written."""

    kind = "history"


class TooMuch(LlmopsError):
    """More than one visitor of a public page may have: at once, in size, or on the disk."""

    kind = "limit"


class Stopped(LlmopsError):
    """The visitor pressed Stop."""

    kind = "stopped"


class Unforeseen(LlmopsError):
    """Something that nobody has foreseen went wrong, and its traceback is in the log already."""

    kind = "unexpected"


def rebuilt(kind: str, message: str, remedy: str) -> LlmopsError:
    """An error that came as plain data, as the class of its kind: exceptions lose their remedy when pickled."""
    found = next((subclass for subclass in LlmopsError.__subclasses__() if subclass.kind == kind), LlmopsError)
    return found(message, remedy)


def cut_out(text: str, secrets: Iterable[str | None]) -> str:
    """`text` without the given secrets: an endpoint may put the key that it was sent into its answer."""
    for secret in secrets:
        if secret and len(secret) >= 4:
            text = text.replace(secret, "[redacted]")
    return text


def redact(text: str, secrets: Iterable[str | None] = ()) -> str:
    """`text` without anything that looks like a key, and without the given secrets."""
    return _SECRET.sub("[redacted]", cut_out(text, secrets))
