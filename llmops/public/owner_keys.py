"""The owner's keys: for the owner's own doings, not for strangers on a public page. Whose page it is, `settings` knows.

They are taken out of the environment, so that no library lends them either; LLMOPS_LEND_KEYS=1 leaves them in.
"""

import os
from collections.abc import MutableMapping

HUB_TOKEN = "HF_TOKEN"
_KEYS = (HUB_TOKEN, "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY")
_LEND_KEYS = "LLMOPS_LEND_KEYS"
_withheld: dict[str, str] = {}


def withhold(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Take the owner's keys out of the environment, unless the owner lends them; the names of those taken."""
    if environment.get(_LEND_KEYS, "").strip().lower() in ("1", "true", "yes", "on"):
        return []
    withheld = {name: environment.pop(name) for name in _KEYS if environment.get(name)}
    _withheld.update(withheld)
    return list(withheld)


def hub_token() -> str | None:
    """The owner's own Hugging Face token, for what the owner set up (the history's repository); never for a visitor."""
    return _withheld.get(HUB_TOKEN) or os.environ.get(HUB_TOKEN) or None
