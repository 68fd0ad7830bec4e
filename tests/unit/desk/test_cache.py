"""The cache: what goes in comes out in order, what has expired is not there, and only our own files open."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from sqlite3 import Connection

import pytest

from tests.support.desk_samples import NOON, StillClock, contact, conversation, holding, ident, item, message
from wabiz_tui.desk.cache import reading
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.writing import Item
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import BadInput, DamagedStore, ForeignFile, Locked, NewerSchema, NotFound, StoreError, WrongKey
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, Direction
from wabiz_tui.model.wire import SignedPolicy

KEY = Secret(bytes(range(32)))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def cache(tmp_path: Path, clock: StillClock) -> Iterator[Cache]:
    opened = Cache(tmp_path / "cache 1.db", KEY, epoch=1, now=clock.now, me=ident(7))
    yield opened
    opened.close()


async def test_a_page_of_the_queue_is_newest_first_and_knows_its_total(cache: Cache) -> None:
    """Rows come in falling order of their last activity, whatever slice is asked for."""
    await cache.apply([item(conversation(number)) for number in (3, 1, 2, 4)], holding(), cursor=1)

    page = await cache.queue("all", offset=1, limit=2)

    assert [row.id for row in page.rows] == [ident(2), ident(3)]
    assert (page.total, page.offset) == (4, 1)


async def test_counts_are_true_after_every_batch_and_every_moment_at_which_something_falls_due(
    cache: Cache, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are not made again in between, for counting reads whole indexes."""
    made: list[int] = []
    count = reading.count_messages

    def counted(connection: Connection, *, now: int) -> reading.Counted[int]:
        made.append(now)
        return count(connection, now=now)

    monkeypatch.setattr(reading, "count_messages", counted)
    rule = holding(window=timedelta(hours=2))
    await cache.apply([item(conversation(1)), *(item(message(number, 1)) for number in (1, 2))], rule, cursor=1)
    assert [(await cache.totals(), await cache.counts())[0] for _ in range(3)] == [(2, 1)] * 3
    assert len(made) == 1

    await cache.apply([item(message(3600, 1))], rule, cursor=2)
    assert await cache.totals() == (3, 1)

    # The first two were sent an hour before noon, a second apart.
    clock.pass_(hours=1, seconds=1)
    assert await cache.totals() == (2, 1)
    clock.pass_(seconds=1)
    assert await cache.totals() == (1, 1)
    clock.pass_(minutes=10)
    assert await cache.totals() == (1, 1)
    assert len(made) == 4


async def test_views_hold_the_rows_of_their_name(cache: Cache) -> None:
    """Each view counts and shows the same rows."""
    rows = [
        conversation(1, assignee=ident(7)),
        conversation(2, unread=3),
        conversation(3, status="resolved", resolved_at=NOON, assignee=ident(7)),
        conversation(4, status="snoozed", assignee=ident(8)),
    ]
    await cache.apply([item(row) for row in rows], holding(), cursor=1)

    counts = await cache.counts()
    shown = {view: [int(row.id, 16) for row in (await cache.queue(view, offset=0, limit=9)).rows] for view in counts}  # pyright: ignore[reportArgumentType] the names of counts are the views

    assert shown == {
        "all": [1, 2, 3, 4], "mine": [1], "unassigned": [2], "unread": [2], "open": [1, 2], "pending": [], "snoozed": [4], "resolved": [3]
    }  # fmt: skip
    assert {view: len(rows) for view, rows in shown.items()} == counts


async def test_a_timeline_pages_back_and_forth_without_gaps(cache: Cache) -> None:
    """Walking back from the newest slice and forth again meets every message once, in rising time."""
    await cache.apply([item(conversation(1)), *(item(message(number, 1)) for number in range(10))], holding(), cursor=1)

    newest = await cache.timeline(ident(1), before=None, after=None, limit=4)
    older = await cache.timeline(ident(1), before=newest.messages[0].id, after=None, limit=4)
    oldest = await cache.timeline(ident(1), before=older.messages[0].id, after=None, limit=4)
    again = await cache.timeline(ident(1), before=None, after=oldest.messages[-1].id, limit=4)

    walked = [*oldest.messages, *older.messages, *newest.messages]
    assert walked == await cache.messages(ident(1)) == [message(number, 1) for number in range(10)]
    assert [page.has_earlier for page in (oldest, older, newest)] == [False, True, True]
    assert [page.has_later for page in (oldest, older, newest, again)] == [True, True, False, True]
    assert again.messages == older.messages


async def test_the_first_unread_message_counts_back_over_the_customers_own(cache: Cache) -> None:
    """Our answers between the unread messages are not counted."""
    rows = [message(1, 1), message(2, 1), message(3, 1, direction=Direction.OUTGOING), message(4, 1)]
    await cache.apply([item(conversation(1, unread=2)), *(item(row) for row in rows)], holding(), cursor=1)

    assert (await cache.timeline(ident(1), before=None, after=None, limit=9)).first_unread == message(2, 1).id


async def test_an_expired_message_is_in_no_answer(cache: Cache, clock: StillClock) -> None:
    """At the end of the window messages and preview vanish from every call, without any purge; work that waits stays in the queue."""
    rows = [item(conversation(1, preview="tomato soup")), item(contact(1)), item(message(1, 1, "tomato soup"))]
    await cache.apply(rows, holding(window=timedelta(hours=3)), cursor=1)
    assert len(await cache.search("tomato", limit=5)) == 1

    clock.pass_(hours=3)

    assert await cache.messages(ident(1)) == []
    assert await cache.search("tomato", limit=5) == []
    assert await cache.message(message(1, 1).id) is None
    assert (await cache.conversation(ident(1))).preview == ""
    assert await cache.totals() == (0, 1)
    assert await cache.due_since() == message(1, 1).sent_at + timedelta(hours=3)


async def test_a_preview_past_its_time_is_not_taken_in(cache: Cache, clock: StillClock) -> None:
    """Work that waits longer than the window is told again and again (assigned, labelled): nothing is there to be destroyed, save once
    for the words that were held before."""
    old = NOON - timedelta(days=20)
    await cache.apply([item(conversation(1, last_at=old, preview="tomato soup")), item(contact(1))], holding(), cursor=1)

    assert await cache.due_since() is None
    assert await _stored_previews(cache) == [("", 0)]
    await cache.apply([item(conversation(1, last_at=NOON, preview="leek soup"))], holding(), cursor=2)
    assert await cache.due_since() == NOON + timedelta(days=14)
    clock.pass_(days=15)
    await cache.apply([item(conversation(1, last_at=NOON, preview="leek soup", assignee=ident(7)))], holding(), cursor=3)
    assert await cache.due_since() == clock.now()
    assert await _stored_previews(cache) == [("", 0)]


async def test_another_policy_revives_no_preview(cache: Cache) -> None:
    """What a rebuild has taken out of a row is not timed again."""
    await cache.apply([item(conversation(1, last_at=NOON - timedelta(days=20), preview="tomato soup"))], holding(), cursor=1)
    policy = SignedPolicy("", "")

    await cache.apply([], holding(window=timedelta(days=16)), cursor=2, policy=policy)

    assert await cache.due_since() is None


async def _stored_previews(cache: Cache) -> list[tuple[str, int]]:
    rows = await cache.database.read(lambda held: held.execute("SELECT value, preview_until_ms FROM conversations").fetchall())
    return [(decode(bytes(value), Conversation).preview, until) for value, until in rows]


async def test_what_has_expired_already_is_not_stored(cache: Cache) -> None:
    """A message older than the window leaves no row."""
    await cache.apply([item(conversation(1)), item(message(1, 1))], holding(window=timedelta(minutes=30)), cursor=1)

    assert await cache.due_since() == NOON + timedelta(minutes=29)
    assert await cache.totals() == (0, 1)


async def test_resolving_brings_the_end_nearer_and_takes_the_conversation_along(cache: Cache, clock: StillClock) -> None:
    """Messages of a resolved conversation vanish after `after_resolve`, and so does the conversation itself."""
    await cache.apply([item(conversation(1)), item(message(1, 1))], holding(), cursor=1)
    await cache.apply([item(conversation(1, status="resolved", resolved_at=NOON))], holding(), cursor=2)

    clock.pass_(hours=24)

    assert await cache.totals() == (0, 0)
    with pytest.raises(NotFound):
        await cache.messages(ident(1))


async def test_reopening_extends_only_what_has_not_expired(cache: Cache, clock: StillClock) -> None:
    """A conversation that opens again brings no expired message back."""
    rule = holding(after_resolve=timedelta(hours=1))
    early, late = message(1, 1), message(2, 1, sent_at=NOON + timedelta(minutes=30))
    await cache.apply([item(conversation(1, status="resolved", resolved_at=NOON)), item(early)], rule, cursor=1)
    clock.pass_(hours=1)
    await cache.apply([item(conversation(1)), item(late)], rule, cursor=2)

    assert await cache.messages(ident(1)) == [late]


async def test_a_removed_conversation_is_gone_at_once_and_due(cache: Cache) -> None:
    """A removal hides the conversation with all it has, and a rebuild falls due at once."""
    await cache.apply([item(conversation(1)), item(contact(1)), item(message(1, 1))], holding(), cursor=1)

    applied = await cache.apply([Item("conversation", ident(1), None)], holding(), cursor=2)

    assert applied.conversations == {ident(1)}
    assert await cache.totals() == (0, 0)
    due = await cache.due_since()
    assert due is not None
    assert due <= NOON


async def test_only_the_newest_messages_are_kept(cache: Cache) -> None:
    """Beyond max_messages the oldest go."""
    await cache.apply([item(conversation(1)), *(item(message(number, 1)) for number in range(20))], holding(most=5), cursor=1)

    assert await cache.messages(ident(1)) == [message(number, 1) for number in range(15, 20)]


async def test_replaced_words_are_found_no_more_and_leave_a_residue(cache: Cache) -> None:
    """After an edit only the new words are found, and the pages of the old ones are to be destroyed."""
    await cache.apply([item(conversation(1)), item(message(1, 1, "the old wording"))], holding(), cursor=1)
    assert (await cache.marks()).residue_since is None

    await cache.apply([item(message(1, 1, "the new wording"))], holding(), cursor=2)

    assert await cache.search("old", limit=5) == []
    assert len(await cache.search("new", limit=5)) == 1
    assert await cache.due_since() == NOON


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("cafe", 1), ("CAFÉ", 1), ("caf", 1), ("東京", 1), ("京都", 0), ("料理 東京", 1), ("order AND", 0), ("\"", 0), ('"body:café"', 0),
        ("naïve café", 0), ("", 0), ("***", 0), ("\0café", 1), ("नमस्ते", 1), ("مرحبا", 1),
    ],
)  # fmt: skip
async def test_search_finds_words_of_any_script_and_obeys_no_operator(cache: Cache, words: str, hits: int) -> None:
    """Words are found without their accents, by their beginning, inside unspaced scripts; query syntax is only text."""
    await cache.apply([item(conversation(1)), item(message(1, 1, "café order, 東京の料理, नमस्ते, مرحبا"))], holding(), cursor=1)

    assert len(await cache.search(words, limit=5)) == hits


async def test_search_gives_the_newest_first(cache: Cache) -> None:
    """Hits come in falling time, in whatever order they arrived."""
    rows = [item(message(number, 1, "same word")) for number in (2, 9, 4)]
    for cursor, row in enumerate(rows):
        await cache.apply([row], holding(), cursor=cursor)

    assert [hit.message.id for hit in await cache.search("word", limit=2)] == [message(9, 1).id, message(4, 1).id]


async def test_a_batch_and_its_cursor_are_one(cache: Cache) -> None:
    """A batch that cannot be applied leaves neither rows nor cursor."""
    broken = conversation(2, contact="not an id")

    with pytest.raises(BadInput):
        await cache.apply([item(conversation(1)), item(broken)], holding(), cursor=5)

    assert (await cache.marks()).cursor == 0
    assert await cache.totals() == (0, 0)


async def test_a_closed_cache_answers_nothing(cache: Cache) -> None:
    """After close every call says that the desk is locked."""
    cache.close()

    with pytest.raises(Locked):
        await cache.conversations()


def test_the_file_is_encrypted_and_private(tmp_path: Path) -> None:
    """The file begins with random bytes and belongs to its owner alone."""
    path = tmp_path / "cache-1.db"
    Database(path, KEY, Kind.CACHE).close()

    assert path.read_bytes()[:15] != b"SQLite format 3"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_wrong_key_is_refused(tmp_path: Path) -> None:
    """Another key opens nothing and changes nothing."""
    path = tmp_path / "cache-1.db"
    Database(path, KEY, Kind.CACHE).close()
    before = path.read_bytes()

    with pytest.raises(WrongKey, match=r"cache-1\.db"):
        Database(path, Secret(bytes(32)), Kind.CACHE)

    assert path.read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, 31, 33, 48])
def test_a_key_of_another_size_never_reaches_the_database(tmp_path: Path, size: int) -> None:
    """SQLCipher would take it for a passphrase."""
    with pytest.raises(StoreError, match="32 bytes"):
        Database(tmp_path / "cache-1.db", Secret(bytes(size)), Kind.CACHE)


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    """A plain SQLite file, and an outbox where a cache is wanted, are left alone."""
    plain = tmp_path / "plain.db"
    connection = sqlite3.connect(plain)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    outbox = tmp_path / "outbox.db"
    Database(outbox, KEY, Kind.OUTBOX).close()

    for path in (plain, outbox):
        with pytest.raises(ForeignFile, match=path.name):
            Database(path, KEY, Kind.CACHE)


def test_a_newer_schema_is_refused_by_name(tmp_path: Path) -> None:
    """An older program does not touch a newer file."""
    path = tmp_path / "cache-1.db"
    database = Database(path, KEY, Kind.CACHE)
    database.write_now(lambda connection: connection.execute("PRAGMA user_version = 99"))
    database.close()

    with pytest.raises(NewerSchema, match=r"cache-1\.db.*99"):
        Database(path, KEY, Kind.CACHE)


async def test_messages_whose_numbers_in_the_index_would_be_the_same_are_each_found(cache: Cache) -> None:
    """Sent in one millisecond, with ids that end alike: in one batch, in a later one, and told again with other words."""
    first, second, third = (message(number << 20, 1, f"word{number}", sent_at=NOON) for number in range(3))
    await cache.apply([item(first), item(second)], holding(), cursor=1)
    changed = message(0, 1, "other", sent_at=NOON)
    await cache.apply([item(third), item(changed), item(second)], holding(), cursor=2)

    found = {words: [hit.message for hit in await cache.search(words, limit=5)] for words in ("word0", "word1", "word2", "other")}

    assert found == {"word0": [], "word1": [second], "word2": [third], "other": [changed]}


async def test_a_changed_bit_is_told_as_damage(tmp_path: Path, clock: StillClock) -> None:
    """Encryption with authentication notices a flipped bit, and the error says so."""
    path = tmp_path / "cache-1.db"
    cache = Cache(path, KEY, epoch=1, now=clock.now, me=ident(7))
    await cache.apply([item(conversation(number)) for number in range(1, 200)], holding(), cursor=1)
    cache.close()
    raw = bytearray(path.read_bytes())
    for page in range(4096, len(raw), 4096):
        raw[page + 100] ^= 1
    path.write_bytes(raw)

    async def reopen() -> None:
        cache = Cache(path, KEY, epoch=1, now=clock.now, me=ident(7))
        try:
            await cache.conversations()
        finally:
            cache.close()

    with pytest.raises(DamagedStore, match=r"cache-1\.db"):
        await reopen()
