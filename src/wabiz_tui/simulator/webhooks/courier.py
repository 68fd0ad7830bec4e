"""Carry webhooks to the callback as Meta does: handshake first, whole POSTs again with growing gaps until 200, faults on demand."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.reading import Json
from wabiz_tui.graph.signature import HEADER, sign
from wabiz_tui.model.errors import CloudError, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.timeline import Timeline
from wabiz_tui.simulator.webhooks.envelope import Told, encode_body, envelope, ids_in, rfc3339
from wabiz_tui.simulator.webhooks.faults import Faults

FIRST_GAP, LONGEST_GAP = 0.5, 60.0
RETRY_FOR = timedelta(days=7)
_MAX_PARALLEL = 16
_KEPT = 20_000
_PATIENCE = timedelta(seconds=20)


@dataclass
class Callback:
    """Where webhooks go. `url` is the whole address."""

    url: str
    app_secret: Secret | None = None
    verify_token: Secret | None = None
    verified: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_verified(self) -> bool:
        return self.verified.is_set()


@dataclass
class Delivery:
    """One POST and what became of it. `status` is the HTTP code of the last answer, None while there is none."""

    name: int
    body: bytes
    ids: list[str]
    fields: list[str]
    at: datetime
    attempts: int = 0
    status: int | None = None
    error: str = ""
    is_dropped: bool = False
    statuses: list[int | None] = field(default_factory=list[int | None])
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_delivered(self) -> bool:
        return self.status == 200

    def describe(self, *, with_body: bool = False) -> Json:
        row: Json = {
            "id": self.name,
            "at": rfc3339(self.at),
            "status": self.status,
            "delivered": self.is_delivered,
            "attempts": self.attempts,
            "answers": self.statuses,
            "ids": self.ids,
            "fields": self.fields,
            "bytes": len(self.body),
            "dropped": self.is_dropped,
            "error": self.error,
        }
        return {**row, "body": self.body.decode()} if with_body else row


class Courier:
    """Posts webhooks concurrently and in no order; each POST on its own until it is answered 200 or seven days have passed."""

    def __init__(self, timeline: Timeline, faults: Faults, chance: random.Random) -> None:
        self._timeline, self._faults, self._chance = timeline, faults, chance
        self.callback: Callback | None = None
        self.deliveries: list[Delivery] = []
        self._names = itertools.count(1)
        self._slots = asyncio.Semaphore(_MAX_PARALLEL)
        self._verified = asyncio.Event()
        self._transport: Transport | None = None
        self._gathered: list[Told] = []
        self._held: list[Told] = []
        self._held_back: list[Delivery] = []

    async def set_callback(self, callback: Callback | None) -> None:
        """Turn to another address; the handshake begins at once and is repeated until it holds."""
        old, self._transport = self._transport, None
        self._verified.clear()
        self.callback = callback
        if callback is not None:
            self._transport = Transport(callback.url, None, timeout=_PATIENCE)
            self._timeline.start(lambda: self._shake_hands(callback))
        if old is not None:
            await old.close()

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()

    def tell(self, told: Sequence[Told]) -> Delivery | None:
        """Post one webhook that holds all of `told`. None when a fault keeps it back for now (hold_statuses, batch)."""
        now = self._timeline.clock.now()
        if self._faults.find("hold_statuses", now) is not None and all(one.kind == "statuses" for one in told):
            self._held += told
            return None
        batch = self._faults.find("batch", now)
        if batch is not None:
            self._gathered += told
            if len(self._gathered) < batch.number("size", 5):
                self._timeline.after(batch.number("within", 2.0), self._flush)
                return None
            told, self._gathered = self._gathered, []
        return self.post(encode_body(self._padded(envelope(told), now)), envelope(told))

    def post(self, body: bytes, decoded: Json) -> Delivery:
        """Post exactly these bytes; `decoded` is what they say."""
        now = self._timeline.clock.now()
        fields = [str(change.get("field")) for entry in decoded.get("entry", []) for change in entry.get("changes", [])]
        delivery = Delivery(next(self._names), body, ids_in(decoded), fields, now)
        self.deliveries.append(delivery)
        del self.deliveries[:-_KEPT]
        if self._faults.take("drop", now) is not None:
            delivery.is_dropped = True
            delivery.answered.set()
        elif (reorder := self._faults.find("reorder", now)) is not None:
            self._hold_back(delivery, int(reorder.number("size", 2)), reorder.number("within", 3.0))
        elif (delay := self._faults.take("delay", now)) is not None:
            self._timeline.after(delay.number("seconds", 5.0), lambda: self._deliver(delivery))
        else:
            self._timeline.start(lambda: self._deliver(delivery))
        if not delivery.is_dropped and (double := self._faults.take("duplicate", now)) is not None:
            for _ in range(int(double.number("copies", 1))):
                self._timeline.start(lambda: self._deliver(delivery))
        return delivery

    def replay(self, last: int) -> int:
        """Post the last delivered bodies again, as a captured POST could be."""
        again = [one for one in self.deliveries if one.is_delivered][-last:]
        for delivery in again:
            self._timeline.start(lambda one=delivery: self._deliver(one))
        return len(again)

    def release(self) -> None:
        """Tell the statuses that `hold_statuses` kept back."""
        held, self._held = self._held, []
        for one in held:
            self.tell([one])

    async def _flush(self) -> None:
        told, self._gathered = self._gathered, []
        if told:
            self.post(encode_body(envelope(told)), envelope(told))

    def _hold_back(self, delivery: Delivery, size: int, within: float) -> None:
        self._held_back.append(delivery)
        if len(self._held_back) >= size:
            self._timeline.start(self._let_go)
        else:
            self._timeline.after(within, self._let_go)

    async def _let_go(self) -> None:
        """Those kept back go out one after the other, the last first."""
        held, self._held_back = self._held_back, []
        for delivery in reversed(held):
            await self._deliver(delivery)

    def _padded(self, body: Json, now: datetime) -> Json:
        pad = self._faults.take("pad", now)
        return body if pad is None else {**body, "padding": "x" * int(pad.number("bytes", 3_000_000))}

    async def _deliver(self, delivery: Delivery) -> None:
        """One attempt; a failed one puts the next on the timeline, later each time."""
        await self._verified.wait()
        async with self._slots:
            delivery.attempts += 1
            status, delivery.error = await self._attempt(delivery.body)
        delivery.statuses.append(status)
        delivery.status = 200 if delivery.is_delivered else status
        if status is not None:
            delivery.answered.set()
        if delivery.is_delivered or self._timeline.clock.now() - delivery.at > RETRY_FOR:
            return
        gap = min(FIRST_GAP * 2 ** (delivery.attempts - 1), LONGEST_GAP) * self._chance.uniform(0.9, 1.1)
        self._timeline.after(gap, lambda: self._deliver(delivery))

    async def _attempt(self, body: bytes) -> tuple[int | None, str]:
        callback, transport = self.callback, self._transport
        if callback is None or transport is None:
            return None, "no callback"
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua", **self._signature(body, callback)}
        try:
            answer = await transport.request("POST", "", content=body, headers=headers)
        except CloudError as error:
            return error.http_status, error.sentence if error.http_status is None else ""
        except (WabizError, RuntimeError) as error:
            # A callback that is replaced closes its transport under the attempts that are still on their way.
            return None, type(error).__name__
        return answer.status, ""

    def _signature(self, body: bytes, callback: Callback) -> dict[str, str]:
        now = self._timeline.clock.now()
        if callback.app_secret is None or self._faults.take("missing_signature", now) is not None:
            return {}
        if self._faults.take("bad_signature", now) is not None:
            return {HEADER: sign(body, Secret(b"not the app secret"))}
        return {HEADER: sign(body, callback.app_secret)}

    async def _shake_hands(self, callback: Callback) -> None:
        """GET with hub.challenge until the callback echoes it; nothing is delivered before."""
        gap = 0.1
        while self.callback is callback and not callback.is_verified:
            if callback.verify_token is None or await self._is_echoed(callback.verify_token):
                callback.verified.set()
            else:
                await asyncio.sleep(gap)
                gap = min(gap * 1.5, 2.0)
        if self.callback is callback:
            self._verified.set()

    async def _is_echoed(self, verify_token: Secret) -> bool:
        challenge = str(self._chance.randrange(10**9, 10**10))
        params = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token.text()}
        if self._transport is None:
            return False
        try:
            answer = await self._transport.request("GET", "", params=params)
        except (WabizError, RuntimeError):
            return False
        return answer.status == 200 and answer.body == challenge.encode()
