"""A share link: what it exposes is said before it is open, and it demands a password unless the owner opens it to all.

The password is shown once, on the terminal of whoever started the page; it is in no log, address or page.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

USER = "llm-ops"
PASSWORD = "LLMOPS_SHARE_PASSWORD"
MESSAGE = "Whoever shared this page has the password."
_EXPOSES = """\
--share puts this page on the internet, through Gradio's relay, for up to a week or until you stop it.
  Whoever gets in can run models on this machine, fill its queue and its disk within the limits, and send texts to
  the endpoints you have set up. What they type passes through Gradio's relay, which could read it.
  They reach no file of yours, not each other's texts, and your keys only where you lend them (LLMOPS_LEND_KEYS=1)."""


@dataclass(frozen=True)
class ShareAccess:
    """auth: user and password (None: everybody may come in). message: what is said before the page is open."""

    auth: tuple[str, str] | None
    message: str


def share_access(share: bool, is_open: bool, environment: Mapping[str, str] = os.environ) -> ShareAccess:
    """For a page that is to be shared, by argument or by Gradio's variable; nothing to guard or to say otherwise."""
    shared = share or environment.get("GRADIO_SHARE", "").strip().lower() == "true"
    if not shared or environment.get("SYSTEM") == "spaces":  # Spaces ignore it
        return ShareAccess(None, "")
    if is_open:
        return ShareAccess(None, f"{_EXPOSES}\n  --open: no password. Whoever has the link is in.")
    chosen = environment.get(PASSWORD)
    password = chosen or secrets.token_urlsafe(9)
    shown_password = f"the one in {PASSWORD}" if chosen else password
    return ShareAccess((USER, password), f"{_EXPOSES}\n  User: {USER}   Password: {shown_password}")
