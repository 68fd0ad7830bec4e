"""What becomes of letters when the desk locks, or has nobody left to serve."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from starlette.requests import Request

from tests.support.desk_bench import PASSPHRASE, opened
from tests.support.desk_hub import POLICY, FakeHub, meta_refusal
from tests.support.desk_samples import conversation, ident, until
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.model.errors import Locked
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

BUSY = meta_refusal(130429, "Rate limit hit", 429)


class SlowHub(FakeHub):
    """Keeps its feed back until it is told, as one does that is just starting."""

    def __init__(self) -> None:
        super().__init__()
        self.is_awake = Event()
        self.is_awake.set()

    async def changes(self, request: Request) -> object:
        while not self.is_awake.is_set():  # noqa: ASYNC110 set by another thread
            await asyncio.sleep(0.01)
        return await super().changes(request)


@pytest.fixture
def hub() -> Iterator[SlowHub]:
    with SlowHub().serve() as served:
        assert isinstance(served, SlowHub)
        now = datetime.now(UTC)
        served.set_policy(POLICY + '[sending]\nundo = "1m"\n')
        served.put(*(conversation(number, last_at=now, window_until=now + timedelta(hours=20)) for number in (1, 2)))
        yield served
        served.is_awake.set()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


def texts(hub: FakeHub) -> list[str]:
    return [sent["text"]["body"] for _, sent in hub.sent]


async def is_online(desk: LocalDesk) -> bool:
    return (await desk.status()).link == "online"


async def test_a_lock_sends_what_its_undo_time_keeps(hub: SlowHub, paths: Paths) -> None:
    """Whoever pressed Enter and locked has meant it: both messages have left when the lock returns, in order."""
    async with opened(hub, paths) as desk:
        await until(lambda: is_online(desk))
        for text in ("first", "second"):
            await desk.send_text(ident(1), text, undo=True)
        before = texts(hub)

        await desk.lock()

        assert before == []
        assert texts(hub) == ["first", "second"]
        with pytest.raises(Locked):
            await desk.outbox()


async def test_a_hub_that_cannot_take_them_holds_no_lock_up(hub: SlowHub, paths: Paths) -> None:
    """They are parked, and go after the next unlocking, each once."""
    async with opened(hub, paths) as desk:
        await until(lambda: is_online(desk))
        hub.refuse_send = lambda _: BUSY
        await desk.send_text(ident(1), "parked", undo=True)
        async with asyncio.timeout(30):
            await desk.lock()
        assert texts(hub) == []

        hub.refuse_send = lambda _: None
        hub.set_policy(POLICY + '[sending]\nundo = "0s"\n')
        await desk.unlock(Secret(PASSPHRASE.reveal()))
        # Its undo time stands as it was promised; a lock ends it.
        await until(lambda: is_online(desk))
        await desk.lock()
        assert texts(hub) == ["parked"]


async def test_a_desk_that_is_connecting_stays_for_its_letters(hub: SlowHub, paths: Paths) -> None:
    """A letter that waits while the line is being made keeps the desk; when it has gone, nothing does."""
    async with opened(hub, paths) as desk:
        await until(lambda: is_online(desk))
        await desk.lock()
        hub.is_awake.clear()
        hub.refuse_send = lambda _: BUSY
        await desk.unlock(Secret(PASSPHRASE.reveal()))
        was_settled = await desk.is_settled()
        letter = await desk.send_text(ident(2), "on its way")
        stays = not await desk.is_settled()
        link = (await desk.status()).link

        hub.refuse_send = lambda _: None
        hub.is_awake.set()
        await desk.await_accepted(letter.id, timeout=60)

        assert link == "connecting"
        assert was_settled
        assert stays
        assert await desk.is_settled()
        assert texts(hub) == ["on its way"]


async def test_the_hub_destroys_what_it_holds_of_a_discarded_file(hub: SlowHub, paths: Paths, tmp_path: Path) -> None:
    """A file that was brought, and whose message was refused, leaves the hub when the message is discarded; discarding one the hub
    does not know fails nothing."""
    file = tmp_path / "offer.pdf"
    file.write_bytes(b"%PDF-1.7 offer" * 9000)
    async with opened(hub, paths) as desk:
        hub.refuse_send = lambda _: meta_refusal(131026, "Message undeliverable")
        for is_known in (True, False):
            letter = await desk.send_file(ident(1), str(file))
            failed = await desk.await_accepted(letter.id, timeout=60)
            assert len(hub.uploads) == 1
            if not is_known:
                hub.uploads.clear()
            assert await desk.discard(failed.id)
            await until(lambda: not hub.uploads)
            assert await desk.outbox() == []
