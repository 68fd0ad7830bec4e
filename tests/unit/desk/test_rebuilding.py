"""The rebuild while others read and write: what they do meanwhile is in the new cache, and what may not stay is not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_forensics import holds
from tests.support.desk_samples import NOON, StillClock, contact, conversation, holding, ident, item, message
from wabiz_tui.desk.cache import writing
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.cache.rebuilding import Rebuilding, hash_ids
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.surviving import TABLES
from wabiz_tui.desk.cache.times import to_ms
from wabiz_tui.desk.cache.writing import Item
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.purge.successor import Successor
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ReceiptCounts

OLD, NEXT = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))
OLD_WORDS, NEW_WORDS = "Zanzibarcloves", "Reykjavikwool"
NOTHING = ReceiptCounts()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def cache(shelf: Shelf, clock: StillClock) -> Iterator[Cache]:
    opened = Cache(shelf.path(1), Secret(OLD.reveal()), epoch=1, now=clock.now, me=ident(7))
    yield opened
    opened.close()


class Rebuilt:
    def __init__(self, cache: Cache, shelf: Shelf, clock: StillClock) -> None:
        pending = Pending(1, 2, 1, "due", clock.now(), removed=NOTHING, kept=NOTHING, ids_hash="")
        self.successor = Successor(
            cache,
            OLD,
            pending,
            NEXT,
            in_memory=False,
            shelf=shelf,
            open_cache=lambda epoch, path: Cache(path, Secret(NEXT.reveal()), epoch=epoch, now=clock.now, me=ident(7)),
        )


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Cache, list[Item]], None]:
    """Let a writer write once the messages are copied and before anything else is."""
    whole = Rebuilding._copy_table

    def arrange(cache: Cache, items: list[Item]) -> None:
        def copy_table(self: Rebuilding, target: object, copying: object) -> None:
            whole(self, target, copying)  # type: ignore[arg-type] handed on as it came
            if copying.table.name == "messages":  # type: ignore[attr-defined] likewise
                cache.database.write_now(lambda connection: writing.apply(connection, items, holding(), now=to_ms(cache._now())))

        monkeypatch.setattr(Rebuilding, "_copy_table", copy_table)

    return arrange


async def test_what_is_written_meanwhile_is_in_the_new_cache(
    cache: Cache, shelf: Shelf, clock: StillClock, meanwhile: Callable[[Cache, list[Item]], None]
) -> None:
    """New messages and conversations, changed ones and their words: the new cache answers as the old one would."""
    await cache.apply([item(conversation(1)), item(contact(1)), *(item(message(n, 1)) for n in range(5))], holding(), cursor=4)
    meanwhile(
        cache,
        [
            item(conversation(2)),
            item(contact(2)),
            item(message(9, 2, NEW_WORDS)),
            item(message(1, 1, NEW_WORDS)),
            item(conversation(1, unread=3)),
        ],
    )
    rebuilt = Rebuilt(cache, shelf, clock).successor

    rebuilt.fill()
    after = rebuilt.take_over()

    try:
        assert await after.messages(ident(1)) == await cache.messages(ident(1))
        assert await after.conversations() == await cache.conversations()
        assert len(await after.search(NEW_WORDS, limit=9)) == 2
        assert [hit.message for hit in await after.search("Customer 2", limit=9)] == [None]
        assert (await after.marks()).cursor == 4
        done = await after.pending_receipt()
        assert done is not None
        assert (done.removed, done.kept) == (NOTHING, ReceiptCounts(messages=6, conversations=2, contacts=2))
    finally:
        after.close()


async def test_what_is_taken_away_after_it_was_copied_is_invisible_and_due(
    cache: Cache, shelf: Shelf, clock: StillClock, meanwhile: Callable[[Cache, list[Item]], None]
) -> None:
    """This rebuild counts what it had not copied yet: the conversation, not its message, whose words are in the new file until the next."""
    await cache.apply(
        [item(conversation(1)), item(conversation(2)), item(message(1, 1, OLD_WORDS)), item(message(2, 2))], holding(), cursor=1
    )
    meanwhile(cache, [Item("conversation", ident(1), None)])
    rebuilt = Rebuilt(cache, shelf, clock).successor
    rebuilt.fill()

    after = rebuilt.take_over()

    try:
        done = await after.pending_receipt()
        assert done is not None
        assert done.removed == ReceiptCounts(conversations=1)
        assert await after.totals() == (1, 1)
        due = await after.due_since()
        assert due is not None
        assert due <= NOON
    finally:
        after.close()


async def test_words_replaced_after_they_were_copied_are_due(
    cache: Cache, shelf: Shelf, clock: StillClock, meanwhile: Callable[[Cache, list[Item]], None]
) -> None:
    """The index of the new file has both, so the new file says that it holds what must be destroyed; words replaced before are gone."""
    await cache.apply([item(conversation(1)), item(message(1, 1, OLD_WORDS)), item(message(2, 1, OLD_WORDS))], holding(), cursor=1)
    await cache.apply([item(message(2, 1, "plain"))], holding(), cursor=2)
    quiet = Rebuilt(cache, shelf, clock).successor
    quiet.fill()
    first = quiet.take_over()
    assert (await first.marks()).residue_since is None
    first.close()
    shelf.destroy_file(shelf.path(2))
    meanwhile(cache, [item(message(1, 1, "edited"))])
    rebuilt = Rebuilt(cache, shelf, clock).successor
    rebuilt.fill()

    after = rebuilt.take_over()

    try:
        assert await after.search(OLD_WORDS, limit=9) == []
        assert (await after.marks()).residue_since == NOON
    finally:
        after.close()


async def test_the_removed_are_counted_and_hashed_once_each(cache: Cache, shelf: Shelf, clock: StillClock) -> None:
    """By kind, with the keyed hash over their sorted ids; a contact goes with their last conversation."""
    gone = [message(n, 1, OLD_WORDS, sent_at=NOON - timedelta(days=13)) for n in range(30)]
    rows = [conversation(1, status="resolved", last_at=NOON - timedelta(days=13)), conversation(2), contact(1), contact(2)]
    await cache.apply([*map(item, rows), *map(item, gone), item(message(99, 2, NEW_WORDS))], holding(), cursor=1)
    clock.pass_(days=2)
    rebuilt = Rebuilt(cache, shelf, clock).successor
    rebuilt.fill()

    after = rebuilt.take_over()

    done = await after.pending_receipt()
    after.close()
    assert done is not None
    assert done.removed == ReceiptCounts(messages=30, conversations=1, contacts=1)
    assert done.kept == ReceiptCounts(messages=1, conversations=1, contacts=1)
    ids = sorted([*(held.id for held in gone), ident(1), contact(1).id])
    assert done.ids_hash == hash_ids(OLD, ids)
    assert not holds(shelf.path(2), NEXT.reveal(), OLD_WORDS)
    assert holds(shelf.path(2), NEXT.reveal(), NEW_WORDS)


async def test_a_rebuild_given_up_leaves_no_draft_and_no_burden(cache: Cache, shelf: Shelf, clock: StillClock) -> None:
    """The old cache is written as before, and notes nothing any more."""
    await cache.apply([item(conversation(1)), item(message(1, 1))], holding(), cursor=1)
    rebuilt = Rebuilt(cache, shelf, clock).successor
    rebuilt.fill()

    rebuilt.give_up()

    assert [path.name for path in shelf.everything() if "part" in path.name] == []
    await cache.apply([item(message(2, 1))], holding(), cursor=2)
    temporary = cache.database.write_now(lambda connection: connection.execute("SELECT count(*) FROM sqlite_temp_schema").fetchone()[0])
    assert (temporary, await cache.totals()) == (0, (2, 1))


def test_every_table_of_the_schema_is_copied(cache: Cache) -> None:
    """A table that a migration adds and nobody lists here would be lost at the first purge."""
    rows = cache.database.read_now(
        lambda connection: connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
    )
    indexes = {name for name, kind in rows if kind == "virtual"}
    tables = {name for name, kind in rows if kind == "table" and not name.startswith("sqlite_")}

    assert tables - {"meta"} <= {table.name for table in TABLES}
    assert indexes <= {"words", "names"}
