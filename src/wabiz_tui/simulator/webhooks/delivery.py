"""One POST and what became of it, and the bounded record of all of them."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.webhooks.envelope import rfc3339

KEPT = 20_000
MAX_WAITING = 200_000
MAX_BYTES = 512 * 1024 * 1024
_MAX_ANSWERS = 200


@dataclass
class Delivery:
    """`status` is the HTTP code of the last answer, None while there is none; a delivered one stays 200. `number` and `waba` say whose
    callback it goes to; `kinds` what it tells: messages, statuses, message_echoes or fields."""

    name: int
    body: bytes
    ids: list[str]
    fields: list[str]
    at: datetime
    number: str = ""
    waba: str = ""
    kinds: frozenset[str] = frozenset()
    attempts: int = 0
    status: int | None = None
    error: str = ""
    is_dropped: bool = False
    is_retrying: bool = False
    statuses: deque[int | None] = field(default_factory=lambda: deque[int | None](maxlen=_MAX_ANSWERS))
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_delivered(self) -> bool:
        return self.status == 200

    @property
    def is_settled(self) -> bool:
        return self.is_delivered or self.is_dropped

    def drop(self, why: str) -> None:
        """It will never leave (again)."""
        self.is_dropped, self.error = True, why
        self.answered.set()

    def describe(self, *, with_body: bool = False) -> Json:
        row: Json = {
            "id": self.name,
            "at": rfc3339(self.at),
            "status": self.status,
            "delivered": self.is_delivered,
            "attempts": self.attempts,
            "answers": list(self.statuses),
            "ids": self.ids,
            "fields": self.fields,
            "kinds": sorted(self.kinds),
            "number": self.number or None,
            "bytes": len(self.body),
            "dropped": self.is_dropped,
            "error": self.error,
        }
        return {**row, "body": self.body.decode(errors="replace")} if with_body else row


class DeliveryLog:
    """The newest deliveries. Settled ones are forgotten above 20 000 (or 512 MiB of bodies); those still waiting above 200 000, and
    then they are lost, as after Meta's seven days."""

    def __init__(self) -> None:
        self._rows: deque[Delivery] = deque()
        self._bytes = 0
        self.told = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._rows)

    def __getitem__(self, index: int) -> Delivery:
        return self._rows[index]

    def add(self, delivery: Delivery) -> None:
        self._rows.append(delivery)
        self._bytes += len(delivery.body)
        self.told += 1
        while self._is_full():
            oldest = self._rows.popleft()
            self._bytes -= len(oldest.body)
            if not oldest.is_settled:
                oldest.drop("too many webhooks are waiting: the oldest are lost")
                oldest.body = b""

    def clear(self) -> None:
        for delivery in self._rows:
            if not delivery.is_settled:
                delivery.drop("forgotten by a reset")
        self._rows.clear()
        self._bytes = self.told = 0

    def _is_full(self) -> bool:
        if len(self._rows) <= 1:
            return False
        may_go = self._rows[0].is_settled or len(self._rows) > MAX_WAITING
        return self._bytes > MAX_BYTES or (len(self._rows) > KEPT and may_go)
