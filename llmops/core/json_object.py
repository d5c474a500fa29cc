"""A JSON object as programs and the command line give it: text or mapping."""

import json
from collections.abc import Mapping
from typing import Any

from llmops.core.errors import InputError


def as_object(given: str | Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A JSON object from its text or a mapping; None and "" are empty. Raises InputError."""
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise InputError("The settings are no JSON object.", 'Write {"max_new_tokens": 64}.') from error
    if not isinstance(given, Mapping):
        raise InputError("The settings are no JSON object.", 'Write {"max_new_tokens": 64}.')
    return given
