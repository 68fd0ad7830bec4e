"""Who a caller is: headers count from trusted proxies alone, and the right-most stranger is the caller."""

from typing import Any

import pytest

from wabiz_tui.hub.front.addresses import Trust, client_address, client_group, group_of, parse_network, place_caller, public_origin


def scope(peer: str, **headers: str | list[str]) -> dict[str, Any]:
    pairs = [(name, value) for name, given in headers.items() for value in ([given] if isinstance(given, str) else given)]
    written = [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs]
    return {"type": "http", "client": (peer, 5), "server": ("127.0.0.1", 8420), "scheme": "http", "headers": written}


def trust(*networks: str, public_url: str = "") -> Trust:
    return Trust([parse_network(network) for network in networks], public_url)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::5]:443", "2001:db8::5"),
        ("10.0.0.1", "198.51.100.1:1234", "198.51.100.1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_the_rightmost_stranger_is_the_caller(peer: str, forwarded: str | list[str], address: str) -> None:
    """X-Forwarded-For counts from a trusted peer only, read from the right up to the first address that is no trusted proxy."""
    asked = scope(peer, x_forwarded_for=forwarded)
    assert trust("10.0.0.0/8").caller(asked).address == address


def test_links_begin_with_what_is_trusted() -> None:
    """`public_url` first, then a trusted proxy's Host and proto, else the address of the line; a stranger's Host counts for nothing."""
    told = {"host": "evil.example", "x_forwarded_proto": "https"}
    assert trust().caller(scope("127.0.0.1", **told)).origin == "http://127.0.0.1:8420"
    assert trust("10.0.0.0/8").caller(scope("10.0.0.1", host="hub.example", x_forwarded_proto="https")).origin == "https://hub.example"
    assert trust("10.0.0.0/8").caller(scope("10.0.0.1", host="bad host/")).origin == "http://127.0.0.1:8420"
    assert trust(public_url="https://hub.example/").caller(scope("127.0.0.1", **told)).origin == "https://hub.example"


def test_what_was_placed_is_what_is_read() -> None:
    """The accessors read what the guard placed, and without a guard the line itself; IPv6 is counted by /64."""
    asked = scope("10.0.0.1", x_forwarded_for="2001:db8:0:1::5")
    assert (client_address(asked), public_origin(asked)) == ("10.0.0.1", "http://127.0.0.1:8420")
    place_caller(asked, trust("10.0.0.1").caller(asked))
    assert (client_address(asked), client_group(asked)) == ("2001:db8:0:1::5", "2001:db8:0:1::/64")
    assert group_of("198.51.100.1") == "198.51.100.1"
    with pytest.raises(ValueError, match="network such as"):
        parse_network("ten")
