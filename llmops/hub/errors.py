"""Errors of the hub's client and of libraries that read a model, as ours: what happened and what would help."""

import errno
from collections.abc import Iterator

from llmops.core.errors import EndpointError, LlmopsError, ModelGated, ModelNotFound, ModelRefused, OutOfMemory

HUB_REMEDY = "Use an embedded model, a folder, or an id that the hub has."


def explain(error: BaseException, model: str) -> LlmopsError:
    """A library's error while finding or reading a model, as one of ours. transformers puts the cause in __cause__."""
    from huggingface_hub import errors as hub

    for cause in causes(error):
        if isinstance(cause, LlmopsError):
            return cause
        if isinstance(cause, hub.GatedRepoError):
            return ModelGated(
                f"“{model}” is gated.", "Accept its licence on the hub, and give a token that may read it (HF_TOKEN)."
            )
        if isinstance(cause, hub.RepositoryNotFoundError | hub.RevisionNotFoundError | hub.EntryNotFoundError):
            if isinstance(cause, hub.LocalEntryNotFoundError):
                break
            return ModelNotFound(
                f"The hub has no model “{model}”, or it is private.", "Check the id; give a token if it is private."
            )
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return OutOfMemory(
                f"The disk is full: “{model}” could not be stored.", "Free some space, or set HF_HOME elsewhere."
            )
    return _explain_by_words(list(causes(error)), model)


def _explain_by_words(found: list[BaseException], model: str) -> LlmopsError:
    from huggingface_hub import errors as hub

    words = " ".join(f"{type(cause).__name__} {cause}" for cause in found)
    if any(isinstance(cause, hub.LocalEntryNotFoundError | hub.OfflineModeIsEnabled) for cause in found):
        return ModelNotFound(f"No hub in reach, and “{model}” is not on this machine.", HUB_REMEDY)
    if "SafetensorError" in words or "incomplete metadata" in words.lower():
        return ModelRefused(f"A weights file of “{model}” is cut short or damaged.", "Delete it and fetch it again.")
    if "trust_remote_code" in words or "auto_map" in words:
        return ModelRefused(
            f"“{model}” wants to run its own code, which is never done here.", "Choose a model without remote code."
        )
    if (
        any(isinstance(cause, hub.HfHubHTTPError) for cause in found)
        or "ConnectionError" in words
        or "ConnectError" in words
    ):
        return EndpointError(
            f"The hub could not be reached, or broke off, while fetching “{model}”.", f"Retry. {HUB_REMEDY}"
        )
    if "Consistency check failed" in words or "IncompleteRead" in words or "RemoteProtocolError" in words:
        return EndpointError(f"The transfer of “{model}” was cut short.", "Retry: what is here is kept.")
    if "Timeout" in words:
        return EndpointError(f"The hub did not answer in time while fetching “{model}”.", "Retry later.")
    first = str(found[0]).splitlines()[0][:300] if str(found[0]) else type(found[0]).__name__
    return ModelRefused(f"“{model}” can't be loaded: {first}", "Choose another model or precision.")


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
