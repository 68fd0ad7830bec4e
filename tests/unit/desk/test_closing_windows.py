"""A window that closes over what waits is told before, and what it closed over is given back with its words."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_samples import NOON, StillClock, counting_bytes, ident, until
from wabiz_tui.desk.cache.letters import Letter, Letters
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.desk.outbox.outbox import Author, Outbox
from wabiz_tui.model.content import Template
from wabiz_tui.model.errors import CloudError, NotFound, Unreachable
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Delivery, DeliveryState
from wabiz_tui.tui.wording.delivery import sentence

NUMBER = "106540352242922"


class Desk:
    """An outbox that cannot reach the hub, unless told otherwise, and the windows it knows of."""

    def __init__(self, folder: Path) -> None:
        self.clock = StillClock()
        self.windows: dict[str, datetime | None] = {ident(1): NOON + timedelta(hours=1), ident(2): NOON + timedelta(hours=20)}
        self.is_cut = False
        self.is_online = False
        self.noticed = 0
        self.outbox = Outbox(
            Letters(folder / "outbox.db", Secret(b"o" * 32)), self._send, author=Author(ident(7), "Kim"), now=self.clock.now,
            changed=lambda _: None, refused=lambda _: None, random_bytes=counting_bytes(), window_of=self._window_of, noticed=self._notice,
        )  # fmt: skip

    async def _send(self, letter: Letter) -> Accepted:
        if self.is_online:
            return Accepted((f"wamid.{letter.id}", ident(901)))
        error = Unreachable("offline")
        error.__cause__ = CloudError("cut", is_uncertain=self.is_cut)
        raise error

    async def _window_of(self, conversation: str) -> datetime | None:
        if conversation not in self.windows:
            raise NotFound("not in sight")
        return self.windows[conversation]

    def _notice(self) -> None:
        self.noticed += 1

    async def write(self, of: int, said: str | Template = "CANARY words") -> str:
        return (await self.outbox.write(ident(of), NUMBER, said, key=None, reply_to=None)).id

    async def delivery(self, identifier: str) -> Delivery:
        letter = await self.outbox.letters.find(identifier)
        assert letter is not None
        assert letter.content is not None
        assert letter.content.shown.delivery is not None
        return letter.content.shown.delivery

    async def is_tried(self, identifier: str) -> bool:
        letter = await self.outbox.letters.find(identifier)
        return letter is not None and letter.state == "queued" and await self.outbox.why_waiting(letter) is not None

    def pass_(self, **amount: float) -> None:
        self.clock.pass_(**amount)
        self.outbox.hurry()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = Desk(tmp_path)
    opened.outbox.start()
    yield opened
    await opened.outbox.stop()
    await asyncio.to_thread(opened.outbox.letters.close)


async def test_the_end_of_a_window_is_told_before_it_comes(desk: Desk) -> None:
    """A quarter of an hour before, the message and the desk say so; a message of another conversation says nothing."""
    waiting, other = await desk.write(1), await desk.write(2)
    await until(lambda: desk.is_tried(waiting))
    assert (await desk.delivery(waiting)).sentence == ""

    desk.pass_(minutes=45)
    await until(lambda: desk.outbox.notice)

    told = await desk.delivery(waiting)
    assert told.state is DeliveryState.QUEUED
    assert "window closes at" in sentence(told)
    assert desk.outbox.notice.startswith("1 message waits")
    assert desk.noticed == 1
    assert (await desk.delivery(other)).sentence == ""


async def test_what_the_window_closed_over_fails_with_its_words_kept(desk: Desk) -> None:
    """It is not sent by itself any more, also when the hub is back; its words are there for whoever chooses what to do."""
    waiting, behind = await desk.write(1), await desk.write(1, "second")
    await until(lambda: desk.is_tried(waiting))

    desk.pass_(minutes=61)
    assert (await desk.outbox.await_left(behind, timeout=60)).state == "failed"
    desk.is_online = True
    desk.outbox.hurry()

    letter = await desk.outbox.await_left(waiting, timeout=60)
    assert letter.state == "failed"
    assert letter.content is not None
    assert letter.content.text == "CANARY words"
    told = await desk.delivery(waiting)
    assert told.error is not None
    assert told.error.code == 131047
    assert "template" in sentence(told)
    await until(lambda: desk.outbox.notice.startswith("2 messages were not sent"))
    assert await desk.outbox.discard(waiting)
    assert await desk.outbox.discard(behind)
    await until(lambda: desk.outbox.notice == "")


async def test_what_may_have_arrived_is_not_called_failed(desk: Desk) -> None:
    """After a cut in the middle nobody here knows: the hub is asked again, whatever the clock says."""
    desk.is_cut = True
    waiting = await desk.write(1)
    await until(lambda: desk.is_tried(waiting))

    desk.pass_(minutes=61)
    desk.is_online = True
    desk.outbox.hurry()

    assert (await desk.outbox.await_left(waiting, timeout=60)).state == "accepted"


async def test_templates_and_what_is_out_of_sight_wait_on(desk: Desk) -> None:
    """A template needs no window, and of a conversation that this machine does not hold the hub judges."""
    template, unknown = await desk.write(1, Template("hello", {"code": "en"})), await desk.write(3)
    await until(lambda: desk.is_tried(template))

    desk.pass_(minutes=61)
    desk.is_online = True
    desk.outbox.hurry()

    assert [(await desk.outbox.await_left(one, timeout=60)).state for one in (template, unknown)] == ["accepted", "accepted"]
