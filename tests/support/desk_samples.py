"""Sample values for the desk's tests: a clock that is set by hand, ids, conversations and messages."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from wabiz_tui.desk.cache.writing import Holding, Item
from wabiz_tui.model.content import Content, Text
from wabiz_tui.model.values import Contact, Conversation, Direction, Message

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class StillClock:
    """A clock that moves when it is told to."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def pass_(self, **amount: float) -> None:
        self.at += timedelta(**amount)


def counting_bytes() -> Callable[[int], bytes]:
    """A source of different bytes that is the same in every run."""
    count = 0

    def take(size: int) -> bytes:
        nonlocal count
        count += 1
        return count.to_bytes(8, "big").rjust(size, b"\x01")[-size:]

    return take


def ident(number: int) -> str:
    return f"{number:032x}"


def conversation(number: int, **changes: object) -> Conversation:
    fields: dict[str, object] = {
        "id": ident(number),
        "number": "106540352242922",
        "contact": ident(10_000_000 + number),
        "name": f"Customer {number}",
    }
    fields |= {"last_at": NOON - timedelta(minutes=number)}
    return Conversation(**(fields | changes))  # pyright: ignore[reportArgumentType] names and types are those of the struct


def contact(number: int, **changes: object) -> Contact:
    fields: dict[str, object] = {"id": ident(10_000_000 + number), "name": f"Customer {number}"}
    return Contact(**(fields | changes))  # pyright: ignore[reportArgumentType] as above


def message(number: int, of: int, words: str | Content = "hello", **changes: object) -> Message:
    content = Text(words) if isinstance(words, str) else words
    fields: dict[str, object] = {
        "id": ident(1_000_000 + number),
        "conversation": ident(of),
        "direction": Direction.INCOMING,
        "content": content,
        "sent_at": NOON - timedelta(hours=1) + timedelta(seconds=number),
    }
    return Message(**(fields | changes))  # pyright: ignore[reportArgumentType] as above


def item(value: Conversation | Contact | Message) -> Item:
    names = {Conversation: "conversation", Contact: "contact", Message: "message"}
    return Item(names[type(value)], value.id, value)  # pyright: ignore[reportArgumentType] the three are entities


def holding(*, window: timedelta = timedelta(days=14), after_resolve: timedelta = timedelta(days=1), most: int = 50_000) -> Holding:
    def until(at: datetime, resolved_at: datetime | None) -> datetime:
        end = at + window
        return end if resolved_at is None or resolved_at < at else min(end, resolved_at + after_resolve)

    return Holding(until, most)


async def until(fact: Callable[[], Awaitable[object] | object], *, within: float = 60) -> None:
    """Wait for a fact; fails when it does not come true in time."""
    async with asyncio.timeout(within):
        while True:
            found = fact()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.002)
