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
                # A hub out of reach is what the lease is for: the link says so to the agent, and the end is looked for below.
                with suppress(Unreachable):
                    self._vault.take_share(await self._link.share(self._epoch()))
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
            await asyncio.sleep(min(lease / 4, _LONGEST_BETWEEN_RENEWALS).total_seconds())

    def _is_over(self) -> bool:
        until = self._vault.lease_until
        return until is not None and until <= self._now()
