"""Which addresses a stranger's request may be sent to: public ones, and those the operator allows in LLMOPS_ENDPOINTS.

A name is resolved once, every address it has is checked, and the connection goes to a checked address, so that a name
that changes its address in between (DNS rebinding) gains nothing. Redirects are not followed. On a private page
nothing is checked: whoever types there is the machine's own user.
"""

import asyncio
import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llmops.core.errors import EndpointError
from llmops.core.settings import Settings

if TYPE_CHECKING:
    import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Azure's machines are told their secrets at a public address; the other clouds' (169.254.169.254 and the like) are
# link-local, private or shared, which is refused by kind.
_METADATA = (ipaddress.ip_address("168.63.129.16"),)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REMEDY = "Use a public address. Whoever runs the page can allow others in LLMOPS_ENDPOINTS."


def http_client(timeout: Any, settings: Settings) -> "httpx2.AsyncClient | None":  # noqa: ANN401
    """The client that a stranger's request is sent with; None where the library's own may be used."""
    if not settings.public:
        return None
    import httpx2

    # trust_env: a proxy would resolve the name again.
    return httpx2.AsyncClient(
        transport=checked_transport(settings), timeout=timeout, follow_redirects=False, trust_env=False
    )


def checked_transport(settings: Settings) -> "httpx2.AsyncHTTPTransport":
    """A transport that connects to checked addresses only."""
    import httpx2

    class Checked(httpx2.AsyncHTTPTransport):
        """Puts the checked address into the request; the name stays in Host and in the certificate's check."""

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            host, port = request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)
            if not _is_allowed_by_name(host, port, settings):
                request.extensions = {**request.extensions, "sni_hostname": host}
                request.url = request.url.copy_with(host=await checked_address(host, port))
            return await super().handle_async_request(request)

    return Checked(trust_env=False)


async def checked_address(host: str, port: int) -> str:
    """An address of `host`, all of whose addresses are public. Raises EndpointError."""
    try:
        entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EndpointError(f"There is no server called {host}.", "Check the address.") from error
    addresses = [str(entry[4][0]) for entry in entries]
    if not addresses or not all(is_public_address(address) for address in addresses):
        raise EndpointError(f"{host} is no public address, and this page is open to strangers.", _REMEDY)
    return addresses[0]


def is_public_address(text: str) -> bool:
    """False for private, loopback, link-local, shared, multicast, reserved and metadata addresses, however wrapped."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(inner.is_global and not inner.is_multicast and inner not in _METADATA for inner in _unwrapped(address))


def _unwrapped(address: Address) -> list[Address]:
    """The address, and the IPv4 addresses that an IPv6 one may lead to."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inner: list[Address] = [address]
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inner


def _is_allowed_by_name(host: str, port: int, settings: Settings) -> bool:
    """True for what the operator wrote into LLMOPS_ENDPOINTS (host or host:port), or set as OPENAI_BASE_URL."""
    own = urlsplit(os.environ.get("OPENAI_BASE_URL", "").strip())
    named = {own.netloc.rpartition("@")[2].lower()} if own.netloc else set()
    bare = f"[{host}]" if ":" in host else host
    return bool(({entry.lower() for entry in settings.endpoints} | named) & {bare.lower(), f"{bare}:{port}".lower()})
