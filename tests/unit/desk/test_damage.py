"""A cache that is damaged costs a sync, wherever the damage is and whenever it shows: at the opening or in the middle of the work."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.model.errors import DamagedStore, Unreachable
from wabiz_tui.model.paths import Paths, paths_under

PAGE = 4096
MESSAGES = 300
NOW = datetime.now(UTC)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        for number in range(1, 4):
            served.put(conversation(number, last_at=NOW, window_until=NOW + timedelta(hours=20)))
        served.put(*(message(n, 1 + n % 3, f"word{n} and some more", sent_at=NOW - timedelta(minutes=n)) for n in range(MESSAGES)))
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


def cache_file(paths: Paths) -> Path:
    (file,) = paths.cache.glob("cache-*.db")
    return file


def spoil(file: Path, pages: range) -> None:
    """Overwrite these pages (from 0) with noise, as a failing disk would."""
    with file.open("r+b") as raw:
        raw.seek(pages.start * PAGE)
        raw.write(os.urandom(len(pages) * PAGE))


def size(file: Path) -> int:
    return file.stat().st_size // PAGE


async def read_all(desk: LocalDesk) -> int:
    await desk.counts()
    await desk.search("word1")
    return sum([len(await desk.messages(row.id)) for row in await desk.conversations()])


WHERE = {"second": (1, 2), "third": (2, 3), "middle": (0.4, 0.6), "all but the first": (1, 1.0)}


def where(file: Path, start: float, stop: float) -> range:
    pages = size(file)
    return range(start if isinstance(start, int) else int(start * pages), stop if isinstance(stop, int) else int(stop * pages))


@pytest.mark.parametrize("place", WHERE)
@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
async def test_a_damaged_file_is_filled_again_when_it_is_opened(hub: FakeHub, paths: Paths, place: str, is_warm: bool) -> None:
    """After a lock or a warm end, whichever page is gone: everything is there again, the drafts too, under a later epoch."""
    async with opened(hub, paths) as desk:
        await desk.save_draft(ident(1), "kept")
        if not is_warm:
            await desk.lock()
    file = cache_file(paths)
    spoil(file, where(file, *WHERE[place]))

    async with opened(hub, paths, synced=False) as desk:
        status = await desk.status()
        assert not status.locked
        assert await read_all(desk) == MESSAGES
        assert "filled again" in (await desk.status()).notice
        draft = await desk.draft(ident(1))
        assert draft is not None
        assert draft.text == "kept"
        assert (await desk.purge()).removed == 0
    assert cache_file(paths).name != file.name
    assert not list(paths.cache.glob("damaged*"))


@pytest.mark.parametrize("first", ["read", "status", "sync", "purge"])
async def test_damage_in_the_middle_of_the_work_is_mended_before_the_call_returns(hub: FakeHub, paths: Paths, first: str) -> None:
    """Whichever call meets the damage answers from the cache that took its place; none fails."""
    async with opened(hub, paths) as desk:
        session = desk._session  # pyright: ignore[reportPrivateUsage] the damage has to reach the open file
        assert session is not None
        file = session.cache.path
        await session.cache.database.vacuum()
        spoil(file, range(1, size(file)))
        # What the connections have in memory does not show the damage.
        for connection in (*session.cache.database._opened, session.cache.database._writer_connection):  # pyright: ignore[reportPrivateUsage]
            connection.execute("PRAGMA shrink_memory")
        hub.put(message(MESSAGES, 1, "one more", sent_at=NOW))

        await {"read": desk.conversations, "status": desk.status, "sync": desk.sync, "purge": desk.purge}[first]()

        await desk.sync()
        assert await read_all(desk) == MESSAGES + 1
        assert "filled again" in (await desk.status()).notice
    assert not file.exists()


@pytest.mark.parametrize("first", ["read", "search", "purge"])
async def test_a_value_that_is_none_any_more_is_damage(hub: FakeHub, paths: Paths, first: str) -> None:
    """A page of zeros within a long value reads as zeros: no such row is shown, and the cache is filled again."""
    async with opened(hub, paths) as desk:
        session = desk._session  # pyright: ignore[reportPrivateUsage] the damage has to reach the open file
        assert session is not None
        spoiled = "UPDATE messages SET value = substr(value, 1, length(value) - 9) || zeroblob(9) WHERE id = ?"
        identifier = bytes.fromhex(message(1, 2).id)
        await session.cache.database.write(lambda connection: connection.execute(spoiled, (identifier,)))

        with suppress(DamagedStore):
            await {"read": lambda: desk.messages(ident(2)), "search": lambda: desk.search("word1"), "purge": desk.purge}[first]()

        assert await read_all(desk) == MESSAGES
        assert "filled again" in (await desk.status()).notice


async def test_damage_without_the_hub_says_that_the_hub_is_needed(paths: Paths) -> None:
    """Nothing is destroyed while the hub cannot fill the cache again; once it answers, it is."""
    hub = FakeHub()
    with hub.serve():
        hub.put(conversation(1, last_at=NOW), message(1, 1, "hello", sent_at=NOW))
        async with opened(hub, paths):
            pass
    port = int(hub.url.rpartition(":")[2])
    file = cache_file(paths)
    spoil(file, range(1, size(file)))

    with pytest.raises(Unreachable):
        async with opened(hub, paths, synced=False):
            pass
    assert file.exists()
    with hub.serve(port):
        async with opened(hub, paths) as desk:
            assert len(await desk.messages(ident(1))) == 1
