"""Can strangers reach this process? Found by itself: a Space, a share link, or a bind beyond this machine.

An operator who knows better says so in LLMOPS_PUBLIC (1 or 0): a reverse proxy in front of localhost can't be seen
from here, and a closed network is no public.
"""

import ipaddress
from collections.abc import Mapping

_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


def is_public(environment: Mapping[str, str], share: bool = False, host: str | None = None) -> bool:
    """True where strangers may come. share and host: as given on the command line, before Gradio's own variables."""
    said = environment.get("LLMOPS_PUBLIC", "").strip().lower()
    if said in (*_YES, *_NO):
        return said in _YES
    if is_space(environment) or share or environment.get("GRADIO_SHARE", "").strip().lower() in _YES:
        return True
    return not _is_loopback(host or environment.get("GRADIO_SERVER_NAME") or "localhost")


def is_space(environment: Mapping[str, str]) -> bool:
    """True on Hugging Face Spaces."""
    return bool(environment.get("SPACE_ID")) or environment.get("SYSTEM") == "spaces"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
