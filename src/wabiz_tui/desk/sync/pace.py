"""When to try again: pauses that double and are spread, cut short when the network comes back."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

LONGEST = 30.0
_FIRST = 0.5
_STOOD = 5.0
"""Seconds for which a line must have stood before its end counts as the first failure again."""
_LOOK_EVERY = 1.0
_NOWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): the way there is the way to everywhere else."""


def own_addresses() -> frozenset[str]:
    """The addresses from which this machine would speak to the world; none without a network. Sends nothing."""
    found: set[str] = set()
    for family, address in _NOWHERE:
        # To connect a datagram socket only looks for the route (udp(7), ip6(7)).
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            found.add(str(probe.getsockname()[0]))
    return frozenset(found)


class Pace:
    """`random` gives numbers in [0, 1), so that a hundred desks do not come back to a restarted hub at once. `network` is looked at
    while a pause runs; when it gives something else, the pause ends."""

    def __init__(self, random: Callable[[], float], network: Callable[[], object] = own_addresses) -> None:
        self._random, self._network = random, network
        self._failures = 0
        self._hurried = asyncio.Event()

    @property
    def has_failed(self) -> bool:
        return self._failures > 0

    def stood(self, seconds: float) -> None:
        """A line stood for so long before it failed."""
        if seconds >= _STOOD:
            self._failures = 0

    def next_pause(self) -> float:
        """In seconds, for one more failure."""
        self._failures += 1
        return min(LONGEST, _FIRST * 2.0 ** min(self._failures - 1, 6)) * (0.5 + self._random() / 2)

    def hurry(self) -> None:
        """The hub was heard by somebody else: there is no reason to wait."""
        self._hurried.set()

    async def pause(self, least: timedelta | None = None) -> None:
        """After a failure. `least` is what the hub itself asked for: nothing cuts that short."""
        seconds = self.next_pause()
        if least is not None:
            await asyncio.sleep(max(seconds, least.total_seconds()))
            return
        before = self._network()
        await asyncio.sleep(min(seconds, _LOOK_EVERY))
        # What was heard before the failure, or just beside it, says nothing about what comes now.
        self._hurried.clear()
        left = seconds - _LOOK_EVERY
        while left > 0 and not self._hurried.is_set() and self._network() == before:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _LOOK_EVERY)):
                    await self._hurried.wait()
            left -= _LOOK_EVERY
