"""What the parts of this process do when they are told something, by itself or by another process."""

import asyncio
from typing import Protocol

from wabiz_tui.hub.archive.people import find_device
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.feed.stream import Feed
from wabiz_tui.hub.policy import PolicyKeeper
from wabiz_tui.hub.processes.bus import DEVICE_REVOKED, POLICY


class Parts(Protocol):
    """Of a hub, those that are told."""

    @property
    def archive(self) -> Archive: ...

    @property
    def feed(self) -> Feed: ...

    @property
    def policies(self) -> PolicyKeeper: ...


def attach(hub: Parts, loop: asyncio.AbstractEventLoop) -> None:
    """Obey from now on; what was told before the first listening, or while the line was broken, is looked up."""
    bus = hub.archive.bus
    # In the thread that tells: whoever changed the policy is answered once it is in force here.
    bus.on(POLICY, lambda _version: hub.policies.refresh())
    bus.on(DEVICE_REVOKED, hub.feed.revoke, loop=loop)
    bus.on_gap(hub.policies.refresh)
    bus.on_gap(lambda: _end_revoked(hub, loop))
    bus.start()


def _end_revoked(hub: Parts, loop: asyncio.AbstractEventLoop) -> None:
    """In the bus's thread."""

    def revoked(reading: Reading) -> list[str]:
        found = ((device, find_device(reading, device)) for device in hub.feed.devices())
        return [device for device, record in found if record is None or record.is_revoked]

    for device in hub.archive.read_now(revoked):
        if not loop.is_closed():
            loop.call_soon_threadsafe(hub.feed.revoke, device)
