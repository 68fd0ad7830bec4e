"""Which hosts a URL that came from outside may lead to: public ones only, so that no webhook makes us ask our own network."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from wabiz_tui.cloud.outcomes import never_left
from wabiz_tui.model.errors import BadInput

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Networks whose addresses stand for IPv4 addresses, which may be private ones: NAT64 (RFC 6052, RFC 8215) and 6to4.
_TRANSLATED = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. Raises NeverLeft when it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        reason = "the host has no address"
    else:
        return [str(entry[4][0]) for entry in found]
    raise never_left(reason)


async def public_address(host: str, port: int, resolve: Resolve) -> str:
    """The address to connect to. Connecting to it, not to the name, keeps a second look-up from leading elsewhere (DNS rebinding).
    Raises BadInput if any address of the name is not public."""
    addresses = await resolve(host, port)
    if not addresses or not all(is_public(address) for address in addresses):
        raise BadInput("The URL leads to a private network: it is not fetched.")
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether anybody on the Internet could be asked there."""
    try:
        address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def split_url(url: str) -> SplitResult:
    """The parts of an absolute http(s) URL. Raises BadInput for anything else, and for one that names a user."""
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        is_fine, parts = False, urlsplit("")
    if not is_fine or any(character <= " " or character == "\\" for character in url):
        raise BadInput("The URL must be http(s)://host[:port][/path] without a user name.")
    return parts
