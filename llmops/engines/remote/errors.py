"""Errors of remote clients (openai, huggingface_hub, their HTTP library) as ours: what happened and what would help.

They are told apart by status code and class name, so that nothing heavy is imported to do so. No message that comes
out of here holds a key.
"""

import re
from typing import Any

from llmops.core.errors import EndpointError, LlmopsError, NotConfigured, redact
from llmops.core.failures import log_unforeseen
from llmops.core.request import Connection

_PARAMETERS = (
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "seed",
    "stream_options",
    "top_logprobs",
    "logprobs",
)
_RETRYABLE = (408, 409, 425, 429, 500, 502, 503, 504)
_UNREACHABLE = ("ConnectionError", "ConnectError", "ConnectTimeout", "APIConnectionError", "ProxyError")
_BROKEN = ("RemoteProtocolError", "ReadError", "IncompleteRead", "ClosedError")
_TIMEOUT = ("Timeout",)
_LONGEST = 240


class EndpointRefusal(EndpointError):
    """A remote failure; retryable: trying again may help."""

    def __init__(self, message: str, remedy: str, retryable: bool = False) -> None:
        super().__init__(message, remedy)
        self.retryable = retryable


def status_of(error: BaseException) -> int | None:
    """The HTTP status of a client's error."""
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def retry_after_s(error: BaseException) -> float | None:
    """Seconds of a Retry-After header; None where there is none, or a date."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = str(headers.get("retry-after", ""))
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None


def refused_parameter(error: BaseException) -> str | None:
    """The request parameter that a 400 or 422 complains of; a message may name the one to use instead as well."""
    if status_of(error) not in (400, 422):
        return None
    named = getattr(error, "param", None)
    if isinstance(named, str) and named in _PARAMETERS:
        return named
    words = _message(error)
    mentioned = [(words.find(name), name) for name in _PARAMETERS if name in words]
    return min(mentioned)[1] if mentioned else None


def explain(error: BaseException, model: str, connection: Connection) -> LlmopsError:
    """The error in words, redacted."""
    ours = next((cause for cause in _chain(error) if isinstance(cause, LlmopsError)), None)
    if ours is not None:
        return ours
    message = redact(_message(error), connection.secrets)[:_LONGEST]
    status = status_of(error)
    if status is not None:
        return _of_status(status, message, model)
    names = {cls.__name__ for cause in _chain(error) for cls in type(cause).__mro__}
    if "OfflineModeIsEnabled" in names:
        return EndpointError("Hosted models can't be asked in offline mode.", "Unset HF_HUB_OFFLINE and start again.")
    if any(part in name for name in names for part in _TIMEOUT):
        return EndpointRefusal(
            "The endpoint did not answer in time.", "Retry, or choose a faster endpoint.", retryable=True
        )
    if any(name in names for name in _BROKEN):
        return EndpointError("The stream broke off before the answer was complete.", "Retry.")
    if any(name in names for name in _UNREACHABLE):
        return EndpointRefusal(
            "The endpoint can't be reached.", "Check that the server runs and that the address is right.", True
        )
    log_unforeseen(error, f"a request to {model}", connection.secrets)
    return EndpointError(
        f"The endpoint failed: {message or type(error).__name__}", "Retry, or check model and address."
    )


def _of_status(status: int, message: str, model: str) -> LlmopsError:
    tail = f" It says: {message}" if message else ""
    if status == 401:
        return NotConfigured("The endpoint refused the key (401).", "Check the key; type it again.")
    if status == 403:
        return NotConfigured(f"The key may not use “{model}” (403).{tail}", "Ask for access, or choose another model.")
    if status == 402:
        return EndpointRefusal(
            f"The account has no credit left (402).{tail}", "Add credit, or choose another provider."
        )
    if status == 404:
        return EndpointRefusal(
            f"The endpoint knows no “{model}” (404).{tail}", "List the models, or correct name and address."
        )
    if status == 429:
        return EndpointRefusal(
            f"Too many requests, or the quota is used up (429).{tail}", "Wait, then retry.", retryable=True
        )
    if status in (400, 413, 422):
        return EndpointRefusal(
            f"The endpoint refused the request ({status}).{tail}", "Check the model and the text's length."
        )
    return EndpointRefusal(f"The endpoint failed ({status}).{tail}", "Retry later.", retryable=status in _RETRYABLE)


def _message(error: BaseException) -> str:
    """The server's own words: out of a JSON body where there is one, never HTML."""
    body: Any = getattr(error, "body", None)
    if isinstance(body, str) and body and "<" not in body:
        return " ".join(body.split())
    if isinstance(body, dict):
        inner = body.get("error", body)
        text = inner.get("message") if isinstance(inner, dict) else inner
        if isinstance(text, str):
            return " ".join(text.split())
    if re.fullmatch(r"Error code: \d+", str(error)):  # the client's own words, where the server had none
        return ""
    text = str(getattr(error, "server_message", None) or getattr(error, "message", None) or error)
    if "<html" in text.lower() or "<!doctype" in text.lower():
        return "a web page instead of an answer"
    return " ".join(text.split())


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain
