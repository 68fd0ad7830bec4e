"""One letter on its way to the hub, and what becomes of it: accepted, kept for a later try, failed or uncertain."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from wabiz_tui.desk.cache.letters import Letter, Letters, State
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.desk.outbox.rests import Rests
from wabiz_tui.model.content import MetaError
from wabiz_tui.model.errors import CloudError, Locked, Revoked, Unreachable, WabizError
from wabiz_tui.model.shift import OFF_SHIFT
from wabiz_tui.model.values import Delivery, DeliveryState, Message

Send = Callable[[Letter], Awaitable[Accepted]]
_MOST_TRANSIENT = 6
_NOT_NOW = frozenset({OFF_SHIFT, "busy", "too_many", "wrong_tokens", "no_room"})
"""The hub has taken nothing yet and says to come again: however often, that is no failure."""
_TOO_FAST = frozenset({"rate_limited", "pair_rate"})
_MOST_TOO_FAST = 30
"""Nothing was taken either; but what is refused for half an hour is given back to who wrote it."""
_SHOWN: dict[State, DeliveryState] = {
    "queued": DeliveryState.QUEUED,
    "sending": DeliveryState.QUEUED,
    "accepted": DeliveryState.ACCEPTED,
    "settled": DeliveryState.ACCEPTED,
    "uncertain": DeliveryState.UNCERTAIN,
    "failed": DeliveryState.FAILED,
}


class Carrier:
    """`moved` is called with each letter whose state was changed, `refused` with a failure that is not the letter's (revoked), `freed` when
    a letter has no need of its file any more."""

    def __init__(
        self,
        letters: Letters,
        send: Send,
        rests: Rests,
        *,
        now: Callable[[], datetime],
        moved: Callable[[Letter], None],
        refused: Callable[[WabizError], None],
        freed: Callable[[], None],
    ) -> None:
        self._letters, self._send, self._rests = letters, send, rests
        self._now, self._moved, self._refused, self._freed = now, moved, refused, freed

    async def carry(self, letter: Letter) -> None:
        """Marked on the disk as on its way before its first byte leaves."""
        try:
            letter = msgspec.structs.replace(letter, state="sending")
            await self._letters.move(letter)
            try:
                accepted = await self._send(letter)
            except Revoked as error:
                await self._rest(letter, error, has_left=False)
                self._refused(error)
            except Unreachable as error:
                await self._rest(letter, error, has_left=_may_have_left(error))
            except CloudError as error:
                await self._judge(letter, error)
            except WabizError as error:
                if error.code in _NOT_NOW:
                    await self._rest(letter, error, has_left=False)
                else:
                    await self.fail(letter, "failed", error)
            else:
                await self._accept(letter, accepted)
        except Locked:
            # The outbox was closed under us; what is marked as sending is asked for again at the next start.
            return

    async def fail(self, letter: Letter, state: State, error: WabizError, *, has_left: bool = True) -> None:
        """Give it back to who wrote it, with the reason."""
        self._rests.end(letter.id)
        content = letter.content
        assert content is not None  # noqa: S101 only letters with words are sent
        meta = MetaError(error.graph_code or 0, details=error.details) if isinstance(error, CloudError) else None
        delivery = msgspec.structs.replace(_delivery(content.shown, _SHOWN[state], self._now()), error=meta, sentence=error.sentence)
        shown = msgspec.structs.replace(content.shown, delivery=delivery)
        moved = msgspec.structs.replace(letter, state=state, content=msgspec.structs.replace(content, shown=shown))
        await self._letters.move(moved, has_left=has_left)
        self._moved(moved)

    async def _accept(self, letter: Letter, accepted: Accepted) -> None:
        self._rests.end(letter.id)
        content = letter.content
        assert content is not None  # noqa: S101 only letters with words are sent
        delivery = _delivery(content.shown, DeliveryState.ACCEPTED, self._now())
        shown = msgspec.structs.replace(content.shown, id=accepted.message or letter.id, wamid=accepted.wamid, delivery=delivery)
        moved = msgspec.structs.replace(
            letter, state="accepted", message=accepted.message, content=msgspec.structs.replace(content, shown=shown, file="")
        )
        await self._letters.move(moved, has_left=True)
        if content.file:
            self._freed()
        self._moved(moved)

    async def _rest(self, letter: Letter, error: WabizError, *, has_left: bool, at_least: timedelta | None = None) -> None:
        self._rests.begin(letter.id, error, at_least=at_least)
        waiting = msgspec.structs.replace(letter, state="queued")
        await self._letters.move(waiting, has_left=has_left)
        self._moved(waiting)

    async def _judge(self, letter: Letter, error: CloudError) -> None:
        """Meta's refusal, or the hub's in Meta's words."""
        tries = self._rests.tries(letter.id)
        if error.code in _NOT_NOW or (error.code in _TOO_FAST and tries < _MOST_TOO_FAST):
            # It stays as it is, and goes when it may.
            await self._rest(letter, error, has_left=False, at_least=error.retry_after)
        elif error.is_transient and tries < _MOST_TRANSIENT:
            await self._rest(letter, error, has_left=True)
        else:
            await self.fail(letter, "uncertain" if error.is_uncertain else "failed", error)


def _delivery(shown: Message, state: DeliveryState, now: datetime) -> Delivery:
    earlier = {} if shown.delivery is None else shown.delivery.at
    return Delivery(state, {**earlier, str(state): now})


def _may_have_left(error: Unreachable) -> bool:
    cause = error.__cause__
    return isinstance(cause, CloudError) and cause.is_uncertain
