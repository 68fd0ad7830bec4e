"""Where a request comes from and how its caller found the hub: by the line itself, or by the word of a proxy that hub.toml trusts."""

import ipaddress
import re
from collections.abc import Iterable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Scope = MutableMapping[str, Any]

_CALLER = "wabiz.caller"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_MOST_HOPS = 32


class Caller(NamedTuple):
    """`address` is canonical text, empty where there is none (a Unix socket); `origin` is scheme and host, without a slash at the end."""

    address: str
    origin: str


class Trust:
    """Whose word on a caller's address is taken. Headers of anybody else are what the caller wishes us to believe."""

    def __init__(self, proxies: Sequence[Network] = (), public_url: str = "") -> None:
        self._proxies, self._public = tuple(proxies), public_url.rstrip("/")

    @property
    def has_proxies(self) -> bool:
        return bool(self._proxies)

    def is_proxy_address(self, text: str) -> bool:
        return self.is_proxy(parse_address(text))

    def is_proxy(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._proxies)

    def caller(self, scope: Scope) -> Caller:
        """Who is behind this request. Cost without a proxy: no header is read."""
        peer = scope.get("client")
        near = parse_address(peer[0]) if peer else None
        if not self.is_proxy(near):
            return Caller("" if near is None else str(near), self._public or _own_origin(scope))
        forwarded = _values(scope, b"x-forwarded-for")
        return Caller(str(self._behind(near, forwarded)), self._public or _told_origin(scope))

    def _behind(self, near: Address | None, forwarded: Iterable[str]) -> Address | None:
        """From the right, the first that is no proxy of ours: whatever stands left of it its sender wrote."""
        hops = [hop for value in forwarded for hop in value.split(",")][-_MOST_HOPS:]
        for hop in reversed(hops):
            found = parse_address(hop)
            if found is None:
                return near
            near = found
            if not self.is_proxy(found):
                return near
        return near


def place_caller(scope: Scope, caller: Caller) -> None:
    scope[_CALLER] = caller


def client_address(scope: Scope) -> str:
    """The caller's address in canonical text, IPv4 also where it came mapped into IPv6; empty where there is none. Never logged."""
    return _caller(scope).address


def client_group(scope: Scope) -> str:
    """What to count an address by: itself in IPv4, its /64 in IPv6, of which one host has as many addresses as it likes."""
    return group_of(client_address(scope))


def public_origin(scope: Scope) -> str:
    """`https://host:port`, as links in an answer begin: `public_url` of hub.toml, or the word of a trusted proxy, or the address
    that the line came in at. Never a Host header of just anybody."""
    return _caller(scope).origin


def group_of(address: str) -> str:
    found = parse_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return address


@lru_cache(4096)
def parse_address(text: str) -> Address | None:
    """An address as sockets and proxies write it, with or without a port; None for anything else."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def parse_network(text: str) -> Network:
    """`10.0.0.0/8`, or one address. Raises ValueError in plain words."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError('This must be a network such as "10.0.0.0/8", or one address.') from None


def _caller(scope: Scope) -> Caller:
    placed = scope.get(_CALLER)
    return placed if isinstance(placed, Caller) else Trust().caller(scope)


def _own_origin(scope: Scope) -> str:
    server = scope.get("server") or ("127.0.0.1", None)
    host = f"[{server[0]}]" if ":" in str(server[0]) else str(server[0])
    return f"{scope.get('scheme', 'http')}://{host}" + (f":{server[1]}" if server[1] is not None else "")


def _told_origin(scope: Scope) -> str:
    scheme = next(reversed(_values(scope, b"x-forwarded-proto")), "").rpartition(",")[2].strip().lower()
    hosts = _values(scope, b"x-forwarded-host") or _values(scope, b"host")
    host = hosts[-1].rpartition(",")[2].strip() if hosts else ""
    if not _HOST.fullmatch(host):
        return _own_origin(scope)
    return f"{scheme if scheme in ('http', 'https') else scope.get('scheme', 'http')}://{host}"


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for found, value in scope["headers"] if found == name]
