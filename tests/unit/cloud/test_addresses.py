"""Where a URL that came from outside may lead."""

import pytest

from wabiz_tui.cloud.addresses import is_public, public_address, resolve
from wabiz_tui.cloud.outcomes import NeverLeft
from wabiz_tui.model.errors import BadInput

PRIVATE = [
    "127.0.0.1", "127.255.0.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "192.0.2.1",
    "198.18.0.1", "224.0.0.1", "224.0.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2001:0:1::1", "localhost", "0x7f.1", "2130706433", "1.2.3", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    """Loopback, private, link-local, shared, documentation, multicast and translated addresses are not public, nor is any other text."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "157.240.0.1", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:157.240.0.1"])
def test_public(address: str) -> None:
    """Addresses anybody can reach are."""
    assert is_public(address)


@pytest.mark.parametrize("found", [[], ["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "fe80::1%1"]])
async def test_one_private_address_is_enough(found: list[str]) -> None:
    """A name that also leads into a private network is refused, as is one that leads nowhere."""

    async def finding(_: str, __: int) -> list[str]:
        return found

    with pytest.raises(BadInput):
        await public_address("evil.example", 443, finding)


async def test_names_of_this_machine_are_refused() -> None:
    """The real look-up finds this machine behind its usual name, and that is refused."""
    with pytest.raises(BadInput):
        await public_address("localhost", 443, resolve)


async def test_a_name_without_an_address() -> None:
    """It never left."""
    with pytest.raises(NeverLeft):
        await resolve("x" * 300 + ".invalid", 443)
