"""What a cache may not hold is shown live from the hub, from memory, and is not stored; what was purged does not come back unasked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import opened
from tests.support.desk_forensics import holds
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.content import plain_text
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.values import Message

NOW = datetime.now(UTC)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        served.put(conversation(1, last_at=NOW, window_until=NOW + timedelta(hours=20), unread=2))
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


def said(number: int, *, days: float) -> Message:
    return message(number, 1, f"word{number}", sent_at=NOW - timedelta(days=days))


async def shown(desk: LocalDesk) -> list[str]:
    return [plain_text(held.content) for held in await desk.messages(ident(1))]


async def test_messages_older_than_the_window_are_shown_and_not_stored(hub: FakeHub, paths: Paths) -> None:
    """A conversation of long ago is read whole in order; the cache counts only what the window allows."""
    hub.put(*(said(number, days=600 - number) for number in range(1, 4)), said(9, days=1))
    async with opened(hub, paths) as desk:
        assert await shown(desk) == ["word1", "word2", "word3", "word9"]
        assert (await desk.status()).messages == 1
        assert await desk.search("word1") == []


async def test_an_open_conversation_that_the_cache_holds_nothing_of_is_not_blank(hub: FakeHub, paths: Paths) -> None:
    """The screen gets the newest page from the hub, with the first unread message marked."""
    hub.put(*(said(number, days=600 - number) for number in range(1, 6)))
    async with opened(hub, paths) as desk:
        page = await desk.timeline(ident(1), limit=3)

        assert [plain_text(held.content) for held in page.messages] == ["word3", "word4", "word5"]
        assert page.has_earlier
        assert page.first_unread == page.messages[-2].id
        earlier = await desk.timeline(ident(1), before=page.messages[0].id, limit=3)
        assert [plain_text(held.content) for held in earlier.messages] == ["word1", "word2"]
        assert not earlier.has_earlier


async def test_a_person_who_scrolls_on_reads_what_is_older_than_the_cache(hub: FakeHub, paths: Paths) -> None:
    """From the oldest cached message the timeline goes on at the hub; nothing is asked before somebody scrolls."""
    hub.put(said(1, days=90), said(2, days=2))
    async with opened(hub, paths) as desk:
        page = await desk.timeline(ident(1))
        assert [plain_text(held.content) for held in page.messages] == ["word2"]
        assert page.has_earlier

        earlier = await desk.timeline(ident(1), before=page.messages[0].id)

        assert [plain_text(held.content) for held in earlier.messages] == ["word1"]


async def test_reading_on_beyond_the_cache_goes_on_page_by_page(hub: FakeHub, paths: Paths) -> None:
    """From a message that was itself read live the hub is asked for what was before it, however much the cache holds."""
    hub.put(*(said(number, days=600 - number) for number in range(1, 6)), *(said(number, days=20 - number) for number in range(10, 20)))
    async with opened(hub, paths) as desk:
        page = await desk.timeline(ident(1), limit=3)
        read = list(page.messages)
        while page.has_earlier:
            page = await desk.timeline(ident(1), before=read[0].id, limit=3)
            read = [*page.messages, *read]

        assert [plain_text(held.content) for held in read] == [f"word{number}" for number in (*range(1, 6), *range(10, 20))]
        assert page.earlier == "none"


async def test_a_slice_says_where_the_rest_is(paths: Paths) -> None:
    """Where the cache has no more: at the hub, or at a hub that does not answer, also for what was read live before; never silence."""
    hub = FakeHub()
    with hub.serve():
        hub.put(
            conversation(1, last_at=NOW), *(said(number, days=600 - number) for number in range(1, 4)), said(9, days=2), said(10, days=1)
        )
        async with opened(hub, paths) as desk:
            newest = await desk.timeline(ident(1), limit=1)
            oldest = await desk.timeline(ident(1), before=newest.messages[0].id, limit=1)
            live = await desk.timeline(ident(1), before=oldest.messages[0].id, limit=1)

            assert [newest.earlier, oldest.earlier, live.earlier] == ["none", "hub", "hub"]
    async with opened(hub, paths, synced=False) as desk:
        await until(lambda: is_offline(desk))
        cut = await desk.timeline(ident(1))
        assert [plain_text(held.content) for held in cut.messages] == ["word9", "word10"]
        again = [await desk.timeline(ident(1), before=first) for first in (cut.messages[0].id, live.messages[0].id)]

        assert [(page.earlier, page.has_earlier) for page in (cut, *again)] == [("unreachable", False)] * 3
        assert [page.messages for page in again] == [[], []]


async def is_offline(desk: LocalDesk) -> bool:
    return (await desk.status()).link == "offline"


async def test_what_this_machine_has_purged_does_not_come_back_unasked(hub: FakeHub, paths: Paths) -> None:
    """After a purge neither a list of messages nor opening the conversation brings the purged words back; scrolling up asks for them."""
    hub.put(said(1, days=2))
    clock = SystemClock()
    async with opened(hub, paths, clock=clock) as desk:
        assert await shown(desk) == ["word1"]
        hub.ahead = clock.ahead = timedelta(days=15)
        await desk.purge()

        assert await shown(desk) == []
        page = await desk.timeline(ident(1))
        assert page.messages == []
        assert page.has_earlier


async def test_who_wants_the_whole_is_told_when_the_hub_is_gone(paths: Paths) -> None:
    """The cache alone answers who can do with it; a reading that must be whole fails, and works as soon as the hub is back."""
    hub = FakeHub()
    with hub.serve():
        hub.put(conversation(1, last_at=NOW), said(1, days=90), said(2, days=2))
        async with opened(hub, paths) as desk:
            assert len(await desk.messages(ident(1), whole=True)) == 2
    port = int(hub.url.rpartition(":")[2])
    async with opened(hub, paths, synced=False) as desk:
        assert await shown(desk) == ["word2"]
        with pytest.raises(Unreachable):
            await desk.messages(ident(1), whole=True)
        with hub.serve(port):
            assert [plain_text(held.content) for held in await desk.messages(ident(1), whole=True)] == ["word1", "word2"]


async def test_what_is_shown_live_is_in_no_file(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """Read page by page and as a whole, words from beyond the window are in no page of the cache or outbox, decrypted, nor openly in any
    file of the machine's folders; those of the window are in the cache, so that the search can find what it looks for."""
    hub.put(message(1, 1, "Livemarker", sent_at=NOW - timedelta(days=90)), message(2, 1, "Heldmarker", sent_at=NOW - timedelta(days=2)))
    async with opened(hub, paths) as desk:
        page = await desk.timeline(ident(1))
        earlier = await desk.timeline(ident(1), before=page.messages[0].id)
        whole = await desk.messages(ident(1), whole=True)
        session = desk._session  # pyright: ignore[reportPrivateUsage] whose keys an examiner would have
        assert session is not None
        assert session.vault.outbox is not None
        key, outbox = session.vault.keys[session.cache.epoch].reveal(), session.vault.outbox.reveal()

        assert [plain_text(held.content) for held in (*earlier.messages, *whole)] == ["Livemarker", "Livemarker", "Heldmarker"]
        assert holds(session.cache.path, key, "Heldmarker")
        assert not holds(session.cache.path, key, "Livemarker")
        assert not holds(paths.data / "outbox.db", outbox, "Livemarker")
    for file in tmp_path.rglob("*"):  # noqa: ASYNC240 nothing else runs any more
        if file.is_file():
            assert b"livemarker" not in file.read_bytes().lower(), file.name
