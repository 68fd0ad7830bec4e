"""The lease kept: renewed while the hub answers, its end the session's when it does not."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.desk.link.link import Link
from wabiz_tui.model.errors import LeaseEnded, NotFound, Revoked, Unreachable, WabizError
from wabiz_tui.model.shift import OFF_SHIFT

_LONGEST_BETWEEN_RENEWALS = timedelta(minutes=5)
_WITHOUT_LEASE = timedelta(minutes=4)
_LOOK_EVERY = 5.0
_LAST_TRY = 5.0
"""Seconds for the hub to answer once the lease is over."""


class Lease:
    """`epoch` is the cache's of the moment. `ended` is told once, and then nothing is renewed; `epoch_ended` likewise, when the hub
    has destroyed the share; `noticed` takes the sentence of any other refusal."""

    def __init__(
        self,
        vault: Vault,
        link: Link,
        *,
        epoch: Callable[[], int],
        now: Callable[[], datetime],
        ended: Callable[[WabizError], None],
        epoch_ended: Callable[[], None],
        noticed: Callable[[str], None],
    ) -> None:
        self._vault, self._link, self._epoch, self._now = vault, link, epoch, now
        self._ended, self._epoch_ended, self._noticed = ended, epoch_ended, noticed

    async def keep(self, after: float) -> None:
        """Renew from `after` seconds on, until one of the ends."""
        await asyncio.sleep(after)
        while True:
            try:
                await self._renew()
            except Revoked as error:
                self._ended(error)
                return
            except NotFound:
                self._epoch_ended()
                return
            except WabizError as error:
                if error.code == OFF_SHIFT:
                    self._ended(error)
                    return
                self._noticed(error.sentence)
            if self._is_over():
                self._ended(LeaseEnded("The hub has not been reached for as long as the policy allows; the desk is locked until it is."))
                return
            lease = self._vault.lease or _WITHOUT_LEASE
            await self._rest(min(lease / 4, _LONGEST_BETWEEN_RENEWALS).total_seconds())

    async def _renew(self) -> None:
        # A hub out of reach is what the lease is for: the link says so to the agent, and the caller looks for its end.
        with suppress(Unreachable, TimeoutError):
            async with asyncio.timeout(_LAST_TRY if self._is_over() else None):
                self._vault.take_share(await self._link.share(self._epoch()))

    async def _rest(self, seconds: float) -> None:
        """Not beyond the lease, whose end comes sooner by the clock than by what is slept: a machine in suspend counts no seconds."""
        was_over = self._is_over()
        while seconds > 0 and self._is_over() == was_over:
            await asyncio.sleep(min(seconds, _LOOK_EVERY))
            seconds -= _LOOK_EVERY

    def _is_over(self) -> bool:
        until = self._vault.lease_until
        return until is not None and until <= self._now()
