"""A gated model's licence binds each visitor: that one of them accepted it lets no other use the copy in memory.

Asked before a gated model is handed out on a public page, with the visitor's own token, and remembered for a while.
Of a private page the owner's token, or the files on the owner's disk, speak for everybody.
"""

import hashlib
import threading
import time
from collections.abc import Callable

from llmops.catalog.models import find_model
from llmops.core.candidate import Candidate
from llmops.core.errors import ModelGated
from llmops.core.request import Connection
from llmops.hub.errors import explain
from llmops.hub.fetch import hub_token

Permit = Callable[[Candidate, Connection], None]
"""Raises ModelGated, or another LlmopsError where it can't be told."""

_REMEMBERED_S = 600.0
_guard = threading.Lock()
_accepted: dict[str, float] = {}  # a hash of model and token → when


def permit(candidate: Candidate, connection: Connection) -> None:
    """Ask the hub whether this visitor may read a gated model of the catalogue; nothing for others."""
    row = find_model(candidate)
    if row is None or not row.gated or not candidate.is_local:
        return
    token = hub_token(connection)
    if not isinstance(token, str):
        raise ModelGated(
            f"“{candidate.model}” is gated.",
            "Accept its licence on the hub, then sign in, or type a token that may read it.",
        )
    key = hashlib.sha256(f"{candidate.model}\n{token}".encode()).hexdigest()
    with _guard:
        if time.monotonic() - _accepted.get(key, -_REMEMBERED_S) < _REMEMBERED_S:
            return
    from huggingface_hub import HfApi

    try:
        HfApi().auth_check(candidate.model, token=token)
    except Exception as error:
        raise explain(error, candidate.model) from error
    with _guard:
        _accepted[key] = time.monotonic()
