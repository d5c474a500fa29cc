"""Which endpoint is asked, and with which key.

The address is always passed explicitly, and a key goes only where it belongs: the one typed on the page to the address
typed beside it, the environment's to OpenAI or the environment's own address.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from llmops.core.errors import InputError, NotConfigured
from llmops.core.request import Connection

OPENAI = "https://api.openai.com/v1"
_NO_KEY = "none"


def base_url_of(connection: Connection) -> str:
    """The base URL: typed, of the environment, or OpenAI's. Raises InputError for what is no address."""
    return check_base_url(connection.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI)


def check_base_url(url: str) -> str:
    """http or https, a host, no user or password in it. Which hosts may be asked is decided here too, for all."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        raise InputError("The server address is not a URL.", "Write http://host:port/v1 or https://….")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError("The server address holds more than host and path.", "Put the key into its own field.")
    return url


def key_for(base_url: str, connection: Connection) -> str:
    """The key that may go to an address. Raises NotConfigured where OpenAI has none."""
    if connection.openai_key:
        return connection.openai_key
    own = os.environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or OPENAI
    key = os.environ.get("OPENAI_API_KEY") if base_url in (own, OPENAI) else None
    if key:
        return key
    if base_url == OPENAI:
        raise NotConfigured(
            "There is no OpenAI key and no other server.",
            "Set OPENAI_API_KEY, type a key in the Present tab, or type the address of a compatible server.",
        )
    return _NO_KEY


def is_loopback(url: str) -> bool:
    """True for this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
