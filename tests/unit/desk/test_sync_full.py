"""A disk that takes no more while the feed comes in: one sentence, no half batch, what is held is read on, and the rest comes by itself."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, holding, ident, item, message, until
from tests.support.full_disk import full_above, largest_in
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.model.errors import StoreFull
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

NOW = datetime.now(UTC)
MANY = 400


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        served.put(conversation(1, last_at=NOW), message(1, 1, "held already", sent_at=NOW - timedelta(hours=1)))
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


async def test_a_full_disk_is_told_and_the_rest_comes_when_there_is_room(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """Status says the sentence; nothing of the batch is there meanwhile, all of it afterwards, and nobody had to do anything."""
    async with opened(hub, paths) as desk:
        with full_above(largest_in(tmp_path)):
            hub.put(*(message(n, 1, f"{n} " + "late word " * 300, sent_at=NOW - timedelta(minutes=1)) for n in range(2, MANY)))

            async def is_told() -> bool:
                return "disk" in (await desk.status()).notice

            await until(is_told)
            assert [one.id for one in (await desk.timeline(ident(1))).messages] == [message(1, 1).id]
            assert await desk.search("held") != []

        async def is_in() -> bool:
            return (await desk.status()).messages == MANY - 1

        await until(is_in)
        assert len(await desk.search("late", limit=MANY)) == MANY - 2

        async def is_quiet() -> bool:
            return (await desk.status()).notice == ""

        await until(is_quiet)


async def test_a_batch_that_does_not_fit_leaves_rows_cursor_and_words_as_they_were(tmp_path: Path) -> None:
    """Also for whoever opens the file next; the same batch goes in when there is room."""
    path, key = tmp_path / "cache.db", Secret(b"k" * 32)

    def open_it() -> Cache:
        return Cache(path, key, epoch=1, now=lambda: NOW, me=ident(0))

    cache = open_it()
    await cache.apply([item(conversation(1, last_at=NOW)), item(message(1, 1, "first", sent_at=NOW))], holding(), cursor=2)
    batch = [item(message(n, 1, f"{n} " + "late word " * 300, sent_at=NOW)) for n in range(2, MANY)]
    with full_above(largest_in(tmp_path) + 50_000):
        for _ in range(2):
            with pytest.raises(StoreFull, match="disk"):
                await cache.apply(batch, holding(), cursor=9)
        assert (await cache.marks()).cursor == 2
        assert await cache.search("late", limit=5) == []
    cache.close()
    cache = open_it()
    assert ((await cache.marks()).cursor, await cache.totals()) == (2, (1, 1))
    await cache.apply(batch, holding(), cursor=9)
    assert ((await cache.marks()).cursor, await cache.totals()) == (9, (MANY - 1, 1))
    assert len(await cache.search("late", limit=5)) == 5
    cache.close()


async def test_a_read_only_folder_is_told_and_opens_again_when_it_is_writable(tmp_path: Path) -> None:
    """The sentence names the cure, the file is as it was, and nothing lies beside it."""
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("whoever runs this may write everywhere")
    path, key = folder / "cache.db", Secret(b"k" * 32)
    with pytest.raises(StoreFull, match="make its folder writable"):
        Cache(path, key, epoch=1, now=lambda: NOW, me=ident(0))
    assert list(folder.iterdir()) == []
    folder.chmod(0o700)
    cache = Cache(path, key, epoch=1, now=lambda: NOW, me=ident(0))
    await cache.apply([item(conversation(1, last_at=NOW))], holding(), cursor=1)
    cache.close()
    folder.chmod(0o500)
    before = path.read_bytes()
    with pytest.raises(StoreFull, match="make its folder writable"):
        await _write(path, key)
    assert (path.read_bytes(), [one.name for one in folder.iterdir()]) == (before, ["cache.db"])
    folder.chmod(0o700)
    await _write(path, key)


async def _write(path: Path, key: Secret) -> None:
    cache = Cache(path, key, epoch=1, now=lambda: NOW, me=ident(0))
    try:
        await cache.apply([item(message(1, 1, sent_at=NOW))], holding(), cursor=2)
    finally:
        cache.close()


@pytest.mark.parametrize("how", ["removed", "moved away"])
async def test_a_folder_that_goes_under_a_running_desk_is_told_and_made_up_for(hub: FakeHub, paths: Paths, how: str) -> None:
    """What is held is read on and what comes is taken in; what needs the folder says what to do, and is done when it is there again, be it
    empty: then the cache is filled anew."""
    away = paths.cache.with_name("away")
    async with opened(hub, paths) as desk:
        if how == "removed":
            shutil.rmtree(paths.cache)
        else:
            paths.cache.rename(away)
        hub.put(message(2, 1, "late word", sent_at=NOW))

        await desk.sync()
        # Several at once, and more than connections were open.
        for read in await asyncio.gather(*(desk.messages(ident(1)) for _ in range(5))):
            assert [one.id for one in read] == [message(1, 1).id, message(2, 1).id]
        with pytest.raises(StoreFull, match="make its folder writable"):
            await desk.purge()
        assert not (await desk.status()).locked

        if how == "removed":
            paths.cache.mkdir(mode=0o700)
        else:
            away.rename(paths.cache)
        await desk.purge()
        await desk.lock()
        await desk.unlock(Secret(PASSPHRASE.reveal()))
        assert [one.id for one in await desk.messages(ident(1))] == [message(1, 1).id, message(2, 1).id]
