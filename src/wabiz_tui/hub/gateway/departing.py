"""How messages leave: in their order for each conversation, within Meta's limits for each person and number, and again only where she
surely took nothing."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.pacing import Pacing
from wabiz_tui.cloud.patience import Patience, may_send_again
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.hub.gateway.preparing import Outgoing
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import CloudError

LONGEST_WAIT = timedelta(seconds=20)
"""So long a caller is kept waiting for a turn; who would have to wait longer is told to come back."""
_TRIES = 3
_PATIENCE = Patience(first=timedelta(seconds=1), longest=timedelta(seconds=10))


class Departures:
    def __init__(
        self,
        client: CloudClient,
        clock: Clock,
        *,
        chance: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client, self._sleep, self._pacing = client, sleep, Pacing(clock=clock, sleep=sleep)
        self._chance = chance or random.Random()  # noqa: S311 jitter spreads load, it keeps no secret
        self._lines: dict[str, _Line] = {}

    def set_rate(self, number: str, per_second: int) -> None:
        """What Meta lets this number send."""
        self._pacing.set_rate(number, per_second)

    def check(self, number: str, conversation: str | None) -> bool:
        """Whether a message would have to wait for its turn. Raises CloudError 131056 or 130429 where that would take too long."""
        for_number, wait = self._pacing.delay(number, None), self._pacing.delay(number, conversation)
        if wait > LONGEST_WAIT:
            raise too_fast(for_person=for_number < wait, wait=wait)
        return bool(wait) or conversation in self._lines

    async def send(
        self, outgoing: Outgoing, let_leave: Callable[[str], Awaitable[None]], may_leave: Callable[[str], Awaitable[bool]]
    ) -> Accepted:
        """Raises CloudError, is_uncertain where it may have been taken. `let_leave` is awaited before the first byte goes, if the
        message was archived as waiting, or had to wait all the same and may not leave any more: then it raises. `may_leave` is asked
        before each further try too: where it says no, what Meta said last is raised."""
        number, person = outgoing.number, None if outgoing.is_group else outgoing.message.conversation
        line = self._lines.setdefault(outgoing.message.conversation, _Line())
        has_waited = line.length > 0 or bool(self._pacing.delay(number, person))
        line.length += 1
        try:
            await self._pacing.turn(number, person, within=2 * LONGEST_WAIT)
            # Meta promises no order of what is on its way together (cloud-api §3.3).
            async with line.lock:
                if outgoing.is_queued or (has_waited and not await may_leave(outgoing.message.id)):
                    await let_leave(outgoing.message.id)
                return await self._insist(outgoing, person, may_leave)
        finally:
            line.length -= 1
            if line.length == 0:
                self._lines.pop(outgoing.message.conversation, None)

    async def _insist(self, outgoing: Outgoing, person: str | None, may_leave: Callable[[str], Awaitable[bool]]) -> Accepted:
        for attempt in range(_TRIES):
            try:
                accepted = await self._client.send(outgoing.number, outgoing.body)
            except CloudError as error:
                self._pacing.refused(outgoing.number, person, error.graph_code)
                if attempt + 1 == _TRIES or not may_send_again(error):
                    raise
                await self._sleep(_PATIENCE.pause(attempt, error, self._chance))
                await self._pacing.turn(outgoing.number, person, within=2 * LONGEST_WAIT)
                if not await may_leave(outgoing.message.id):
                    raise
            else:
                self._pacing.accepted(outgoing.number, person)
                return accepted
        raise AssertionError("the last try returns or raises")


def too_fast(*, for_person: bool, wait: timedelta | None) -> CloudError:
    """The refusal where a turn would come too late: of the customer's, or of the number's."""
    if for_person:
        return refuse("pair_rate", "This customer was sent as many messages as Meta allows in this time", retry_after=wait)
    return refuse("rate_limited", "The number is sending as fast as Meta allows", retry_after=wait)


class _Line:
    """Who waits to write into one conversation."""

    def __init__(self) -> None:
        self.lock, self.length = asyncio.Lock(), 0
