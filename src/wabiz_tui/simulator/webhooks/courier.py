"""Carry webhooks to the callback as Meta does: handshake first, whole POSTs again with growing gaps until 200, faults on demand."""

import itertools
import random
from collections.abc import Collection, Sequence
from datetime import timedelta

from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.graph.signature import HEADER, sign
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.timeline import Timeline
from wabiz_tui.simulator.webhooks.callback import Callback, Channel
from wabiz_tui.simulator.webhooks.delivery import Delivery, DeliveryLog
from wabiz_tui.simulator.webhooks.envelope import Told, encode_body, envelope, summary_of
from wabiz_tui.simulator.webhooks.faults import Fault, Faults
from wabiz_tui.simulator.webhooks.poster import PostFailed

__all__ = ["Callback", "Courier", "Delivery"]

FIRST_GAP, LONGEST_EARLY_GAP, LATER_SHARE = 0.5, 60.0, 0.1
RETRY_FOR = timedelta(days=7)
MAX_COPIES = 100
MAX_PAD = 16 * 1024 * 1024
_APP = ""


class Courier:
    """Posts webhooks concurrently and in no order; each POST on its own until it is answered 200 or seven days have passed.

    A number's own callback goes before its account's, and that before the app's (cloud-api §6, webhook overrides)."""

    def __init__(self, timeline: Timeline, faults: Faults, chance: random.Random) -> None:
        self._timeline, self._faults, self._chance = timeline, faults, chance
        self._seed = chance.getrandbits(32)
        self._chance.seed(self._seed)
        self.deliveries = DeliveryLog()
        self.fields: frozenset[str] | None = None
        """The webhook fields the app is subscribed to; None is all."""
        self._names = itertools.count(1)
        self._channels: dict[str, Channel] = {_APP: self._new_channel()}
        self._gathered: list[Told] = []
        self._held: list[Told] = []
        self._held_back: list[Delivery] = []

    @property
    def callback(self) -> Callback | None:
        """The app's."""
        return self._channels[_APP].callback

    def overrides(self) -> dict[str, Callback]:
        """By the id of the number or account that has a callback of its own."""
        return {name: one.callback for name, one in self._channels.items() if name and one.callback is not None}

    def callback_for(self, delivery: Delivery) -> Callback | None:
        return self._channels[self._way(delivery.number, delivery.waba)].callback

    async def set_callback(self, callback: Callback | None) -> None:
        """Turn to another address; the handshake begins at once. What waits goes there. Raises BadInput for what is no URL."""
        self._channels[_APP].turn_to(callback)

    async def set_override(self, name: str, callback: Callback | None) -> None:
        """Give the number or account `name` a callback of its own, or take it away: what waits then goes the next way up."""
        channel = self._channels.setdefault(name, self._new_channel())
        channel.turn_to(callback)
        if callback is None:
            del self._channels[name]
            for delivery in channel.waiting:
                self._enqueue(delivery)

    def subscribe(self, fields: Collection[str] | None) -> None:
        """Tell only these fields; None tells all."""
        self.fields = None if fields is None else frozenset(fields)

    async def close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def forget(self) -> None:
        """Nothing was told and nothing waits; callbacks stay."""
        for channel in self._channels.values():
            channel.waiting.clear()
        self.deliveries.clear()
        self._names = itertools.count(1)
        self._chance.seed(self._seed)
        for kept in (self._gathered, self._held, self._held_back):
            kept.clear()

    def tell(self, told: Sequence[Told]) -> Delivery | None:
        """Post one webhook that holds all of `told`. None when a fault keeps it back for now (hold_statuses, batch)."""
        now = self._timeline.clock.now()
        wanted = [one for one in told if self.fields is None or one.field in self.fields]
        if not wanted:
            return self._unsubscribed(told)
        if self._faults.find("hold_statuses", now) is not None and all(one.kind == "statuses" for one in wanted):
            self._held += wanted
            return None
        batch = self._faults.take("batch", now)
        if batch is not None:
            self._gathered += wanted
            if len(self._gathered) < batch.number("size", 5):
                self._timeline.after(batch.number("within", 2.0), self._flush)
                return None
            wanted, self._gathered = self._gathered, []
        return self._send(wanted, is_apart=batch is not None and batch.word("entries") == "each")

    def post(self, body: bytes, decoded: Json) -> Delivery:
        """Post exactly these bytes; `decoded` is what they say."""
        now = self._timeline.clock.now()
        said = summary_of(decoded)
        delivery = Delivery(next(self._names), body, said.ids, said.fields, now, number=said.number, waba=said.waba, kinds=said.kinds)
        self.deliveries.add(delivery)
        if self._take("drop", delivery) is not None:
            delivery.drop("")
            return delivery
        if (reorder := self._take("reorder", delivery)) is not None:
            self._hold_back(delivery, reorder)
        elif (delay := self._take("delay", delivery)) is not None:
            self._timeline.after(delay.number("seconds", 5.0), self._enqueuing(delivery))
        else:
            self._enqueue(delivery)
        if (double := self._take("duplicate", delivery)) is not None:
            for _ in range(min(int(double.number("copies", 1)), MAX_COPIES)):
                self._timeline.after(double.number("later", 0.0), self._enqueuing(delivery))
        return delivery

    def replay(self, last: int) -> int:
        """Post the last delivered bodies again, as a captured POST could be."""
        again = [one for one in self.deliveries if one.is_delivered][-last:] if last > 0 else []
        for delivery in again:
            self._enqueue(delivery)
        return len(again)

    def release(self) -> None:
        """Tell the statuses that `hold_statuses` kept back, and post what waits to be batched or reordered."""
        held, self._held = self._held, []
        for one in held:
            self.tell([one])
        if self._gathered:
            self._timeline.start(self._flush)
        if self._held_back:
            self._timeline.start(self._let_go)

    def _send(self, told: Sequence[Told], *, is_apart: bool = False) -> Delivery | None:
        """One POST for each callback that is to know of it; the last."""
        ways = [self._way(word(object_of(one.value.get("metadata")).get("phone_number_id")), one.waba) for one in told]
        delivery: Delivery | None = None
        for way in dict.fromkeys(ways):
            its_own = [one for one, its_way in zip(told, ways, strict=True) if its_way == way]
            body = envelope(its_own, at=self._timeline.clock.now(), is_apart=is_apart)
            delivery = self.post(encode_body(self._padded(body)), body)
        return delivery

    def _unsubscribed(self, told: Sequence[Told]) -> Delivery:
        now = self._timeline.clock.now()
        body = envelope(told, at=now)
        said = summary_of(body)
        delivery = Delivery(next(self._names), encode_body(body), said.ids, said.fields, now, kinds=said.kinds)
        delivery.drop("the app is not subscribed to " + ", ".join(sorted(set(said.fields))))
        self.deliveries.add(delivery)
        return delivery

    async def _flush(self) -> None:
        told, self._gathered = self._gathered, []
        if told:
            self._send(told)

    def _hold_back(self, delivery: Delivery, reorder: Fault) -> None:
        self._held_back.append(delivery)
        if reorder.word("order") == "random":
            self._chance.shuffle(self._held_back)
        if len(self._held_back) >= reorder.number("size", 2):
            self._timeline.start(self._let_go)
        else:
            self._timeline.after(reorder.number("within", 3.0), self._let_go)

    async def _let_go(self) -> None:
        """Those kept back go out one after the other, the last first."""
        held, self._held_back = self._held_back, []
        for delivery in reversed(held):
            channel = self._channels[self._way(delivery.number, delivery.waba)]
            if channel.callback is None or not channel.callback.is_verified:
                channel.enqueue(delivery)
            else:
                await self._deliver(channel, delivery)

    def _padded(self, body: Json) -> Json:
        pad = self._faults.take("pad", self._timeline.clock.now())
        return body if pad is None else {**body, "padding": "x" * min(int(pad.number("bytes", 3_000_000)), MAX_PAD)}

    def _take(self, kind: str, delivery: Delivery) -> Fault | None:
        """A fault that is meant for this delivery: `only` names a kind, a field or a number."""
        known = {"", *delivery.kinds, *delivery.fields, delivery.number}
        return self._faults.take(kind, self._timeline.clock.now(), where=lambda fault: fault.word("only") in known)

    def _new_channel(self) -> Channel:
        return Channel(self._timeline, self._chance, self._deliver)

    def _way(self, number: str, waba: str) -> str:
        """What is told about no number goes to the app's callback, whatever overrides there are (cloud-api §2)."""
        if not number:
            return _APP
        return next((name for name in (number, waba) if name and name in self._channels), _APP)

    def _enqueue(self, delivery: Delivery) -> None:
        self._channels[self._way(delivery.number, delivery.waba)].enqueue(delivery)

    def _enqueuing(self, delivery: Delivery):
        async def act() -> None:
            delivery.is_retrying = False
            self._enqueue(delivery)

        return act

    async def _deliver(self, channel: Channel, delivery: Delivery) -> None:
        """One attempt; a failed one puts the next on the timeline, later each time."""
        delivery.attempts += 1
        try:
            answer = await channel.post(delivery.body, self._signature(delivery, channel.callback))
        except PostFailed as error:
            status, delivery.error = None, str(error)
        else:
            status, delivery.error = answer.status, ""
        delivery.statuses.append(status)
        delivery.status = 200 if delivery.is_delivered else status
        if status is not None:
            delivery.answered.set()
        if not (delivery.is_settled or delivery.is_retrying):
            self._retry(delivery)

    def _retry(self, delivery: Delivery) -> None:
        """Half a second, one, two … a minute; after ten minutes a tenth of the delivery's age."""
        age = self._timeline.clock.now() - delivery.at
        if age > RETRY_FOR:
            return
        longest = max(LONGEST_EARLY_GAP, age.total_seconds() * LATER_SHARE)
        # The same seed gives the same gaps, whichever attempt ends first.
        jitter = random.Random(f"{self._seed} {delivery.name} {delivery.attempts}").uniform(0.9, 1.1)  # noqa: S311 likewise
        delivery.is_retrying = True
        self._timeline.after(min(FIRST_GAP * 2 ** min(delivery.attempts - 1, 40), longest) * jitter, self._enqueuing(delivery))

    def _signature(self, delivery: Delivery, callback: Callback | None) -> dict[str, str]:
        if callback is None or callback.app_secret is None or self._take("missing_signature", delivery) is not None:
            return {}
        if self._take("bad_signature", delivery) is not None:
            return {HEADER: sign(delivery.body, Secret(b"not the app secret"))}
        return {HEADER: sign(delivery.body, callback.app_secret)}
