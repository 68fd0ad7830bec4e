"""Search: words, phrases and filters of any script find what they say, whatever is typed is data, and nobody waits for an old search."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.desk_samples import NOON, StillClock, contact, conversation, holding, ident, item, message, until
from wabiz_tui.desk.cache.search.question import HAS, IS, NAMES, ask
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.words import indexed
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.server import DeskServer
from wabiz_tui.model.content import Document, Image, Note
from wabiz_tui.model.desk import DeskEvent, SearchHit
from wabiz_tui.model.errors import Conflict, UsageError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Delivery, DeliveryState, Direction, Message

KEY = Secret(bytes(range(32)))
OURS = {"direction": Direction.OUTGOING, "author": ident(7), "author_name": "Robin Ng", "origin": "wabiz"}


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def cache(tmp_path: Path, clock: StillClock) -> Iterator[Cache]:
    opened = Cache(tmp_path / "cache-1.db", KEY, epoch=1, now=clock.now, me=ident(7))
    yield opened
    opened.close()


async def texts(cache: Cache, words: str, *, limit: int = 50, ranked: bool = False) -> list[str]:
    """What was found: the ids of messages and of conversations, as the small numbers they were made of."""
    found = await cache.search(words, limit=limit, ranked=ranked)
    return [
        f"c{int(hit.place, 16)}" if hit.message is None else str(int(hit.message.id, 16) - 1_000_000)
        for hit in found
    ]  # fmt: skip


SCRIPTS = {
    1: "Your café order: naïve Straße, ﬁne Ångström",
    2: "東京の料理を注文しました",
    3: "नमस्ते, मेरी किताब कहाँ है? १२३",
    4: "مُحَمَّد أرسل الرسالة إلى المكتبة ٤٥",
    5: "שָׁלוֹם, איפה ההזמנה שלי",
    6: "สวัสดีครับ สินค้ามาถึงหรือยัง",
    7: "배송은 언제 오나요",
    8: "Жёлтая посылка ещё едет",
}


WORDS = [
    ("cafe", [1]), ("CAFÉ", [1]), ("cafe\u0301", [1]), ("caf", [1]), ("strasse", [1]), ("fine angstrom", [1]),
    ("京", [2]), ("京の料", [2]), ("注文", [2]), ("京都", []), ("料理 東京", [2]), ("文注", []),
    ("नमस्ते", [3]), ("किताब", [3]), ("कताब", []), ("कित", [3]), ("123", [3]),
    ("محمد", [4]), ("ارسل", [4]), ("المكتبه", [4]), ("الرسالة", [4]), ("45", [4]),
    ("שלום", [5]), ("שָׁלוֹם", [5]), ("הזמנה", []), ("ההזמ", [5]),
    ("สินค้า", [6]), ("ถึงหรือ", [6]), ("ครบ", []), ("สวัสดี สินค้า", [6]),
    ("배송", [7]), ("송은 언제", [7]), ("желтая", [8]), ("ЕЩЕ", [8]),
    ('"your cafe"', [1]), ('"cafe your"', []), ('"cafe ord"', []), ('"cafe ord', [1]), ("naiv* cafe", [1]), ("naiv cafe", []),
]  # fmt: skip


async def test_words_of_every_script_are_found_as_they_are_read(cache: Cache) -> None:
    """Accents, points and case do not matter, vowel signs do; scripts without spaces are found by any part; phrases keep their order."""
    rows = [item(conversation(1, name="")), *(item(message(number, 1, text)) for number, text in SCRIPTS.items())]
    await cache.apply(rows, holding(), cursor=1)

    found = [(words, [int(number) for number in await texts(cache, words)]) for words, _ in WORDS]

    assert found == WORDS


async def fill(cache: Cache) -> None:
    """Two customers, both sides of the talk, files, a note and a failed send."""
    values = [
        conversation(1, name="Anna Müller", labels=("Big customer", "vip"), unread=2, assignee=ident(7)),
        conversation(2, name="王小明", status="resolved", held=True, resolved_at=NOON),
        contact(1, name="Anna Müller", username="annam", phone="+49151234567"),
        contact(2, name="王小明"),
        message(1, 1, "the blue parcel has not come", sent_at=NOON - timedelta(days=3)),
        message(2, 1, Image(caption="a broken parcel", filename="holiday.jpg"), sent_at=NOON - timedelta(days=2)),
        message(3, 1, "we send a new parcel", sent_at=NOON - timedelta(hours=9), **OURS),
        message(4, 2, "parcel? see https://example.com/p", sent_at=NOON - timedelta(hours=8)),
        message(5, 2, "your parcel is paid", sent_at=NOON - timedelta(hours=7), delivery=Delivery(DeliveryState.FAILED), **OURS),
        message(6, 2, Note("ask the courier about the parcel"), **(OURS | {"direction": Direction.NOTE})),
        message(7, 1, Document(filename="invoice-2026.pdf", caption="your bill"), **OURS),
    ]
    await cache.apply([item(value) for value in values], holding(), cursor=1)


ASKED = [
    ("parcel", "6 5 4 3 2 1"), ("holiday", "2"), ("broken holiday", "2"), ("invoice", "7"), ("bill", "7"), ("courier", "6"),
    ("parcel from:customer", "4 2 1"), ("from:me", "7 6 5 3"), ("from:anna", "2 1"), ("from:ROBIN parcel", "6 5 3"),
    ('from:"anna mul"', "2 1"), ("from:王", "4"), ("to:anna", "7 3"), ("to:小明", "5"), ("from:nobody", ""), ("from:!", ""),
    ("label:VIP parcel", "3 2 1"), ('label:"big customer" blue', "1"), ("label:big", ""),
    ("has:media", "7 2"), ("has:image parcel", "2"), ("has:document", "7"), ("has:link", "4"), ("has:audio", ""),
    ("is:unread parcel", "3 2 1"), ("is:resolved parcel", "6 5 4"), ("is:held is:note", "6"), ("is:failed", "5"), ("is:mine blue", "1"),
    ("is:outgoing is:resolved", "5"), ("is:unassigned is:open", ""),
    ("before:2d parcel", "1"), ("after:1d parcel", "6 5 4 3"), ("after:8h before:2026-05-04T05:30:00+00:00", "5 4"),
    ("annam", "c1"), ("49151", "c1"), ("muller", "c1"), ("anna is:unread", "c1"), ("anna is:resolved", ""), ("小", "c2"),
    ("before:", ""), ("from:", ""), ("from: blue", "1"), ("Re: blue", ""), ("https://example.com/p", "4"),
]  # fmt: skip


async def test_filters_and_words_must_all_hold(cache: Cache) -> None:
    """Each filter alone, with words and with others; names lead to the conversation; captions, file names and notes are found."""
    await fill(cache)

    assert [(asked, " ".join(await texts(cache, asked))) for asked, _ in ASKED] == ASKED


async def test_days_are_those_of_this_machine_and_the_first_instant_belongs_to_after(cache: Cache) -> None:
    """Before and after a day divide the messages without a gap and without one in both."""
    midnight = datetime(2026, 5, 4).astimezone()
    rows = [message(number, 1, sent_at=(midnight + timedelta(milliseconds=number - 1)).astimezone(UTC)) for number in range(3)]
    await cache.apply([item(conversation(1)), *(item(row) for row in rows)], holding(), cursor=1)

    assert await texts(cache, "before:2026-05-04") == ["0"]
    assert await texts(cache, "after:2026-05-04") == ["2", "1"]


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("form:anna", "from:"), ("lable:x", "label:"), ("zz:1", "from:, to:"), ("is:unred", "is:unread"), ("is:o", "is:open"),
        ("has:pictures", "media"),
        ("before:soon", "2026-05-01"), ("after:2026-13-01", "7d"), ("before:99999999999y", "7d"), ("after:0001-01-01T00:00:00+14:00", "7d"),
    ],
)  # fmt: skip
async def test_a_filter_that_does_not_exist_is_refused_with_the_nearest_that_does(cache: Cache, asked: str, nearest: str) -> None:
    """The sentence names what is meant, or what there is."""
    with pytest.raises(UsageError) as caught:
        await cache.search(asked, limit=5)

    assert nearest in caught.value.sentence


_PLAIN = sqlite3.connect(":memory:")
_PLAIN.execute("CREATE VIRTUAL TABLE t USING fts5 (body, other)")
_PIECES = st.lists(
    st.sampled_from(
        ["AND", "OR", "NOT", "NEAR(", ")", "(", '"', "*", "^", "body:", "{body}", ":", "-", "+", "'", "\0", "a", "京", "\ud800", " "]
    )
    | st.text(max_size=6)
    | st.sampled_from([f"{name}:" for name in NAMES])
    | st.sampled_from([*HAS, *IS, "7d", "2026-05-01"]),
    max_size=12,
).map("".join)


@given(_PIECES)
@example('"' * 7)
@example("a" * 5000)
@example('from:"unfinished')
def test_nothing_of_the_index_query_language_gets_through(typed: str) -> None:
    """Any text is a question or a UsageError; its expression is quoted strings alone, which the index takes and reads as data."""
    try:
        question = ask(typed, now=NOON)
    except UsageError:
        return
    expression = question.expression()
    assert (expression is None) == (not question.terms)
    if expression is None:
        return
    for term in question.terms:
        assert '"' not in term.text
        assert "\0" not in term.text
    assert expression == " ".join(f'"{term.text}"{"*" if term.begins else ""}' for term in question.terms)
    if not any("\ud800" <= character <= "\udfff" for character in expression):
        _PLAIN.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_text_is_indexed_alike_however_it_is_composed(text: str) -> None:
    """Composed or decomposed, what is stored and what is asked become the same words, and again the same."""
    import unicodedata

    assert indexed(unicodedata.normalize("NFD", text)).split() == indexed(unicodedata.normalize("NFC", text)).split()


async def test_the_best_come_first_when_asked_and_the_newest_otherwise(cache: Cache) -> None:
    """A short message that is all about the word is better than a long one that names it in passing."""
    rows = [message(1, 1, "refund refund"), message(2, 1, "we spoke of many things, of which a refund was the least, and went home")]
    await cache.apply([item(conversation(1)), *(item(row) for row in rows)], holding(), cursor=1)

    assert await texts(cache, "refund") == ["2", "1"]
    assert await texts(cache, "refund", ranked=True) == ["1", "2"]


async def test_a_name_is_found_as_it_is_now_and_only_while_it_is_shown(cache: Cache, clock: StillClock) -> None:
    """A renamed conversation or contact is found by its new name alone; one that was removed by none."""
    await cache.apply([item(conversation(1, name="Old Name")), item(contact(1, name="Old Name"))], holding(), cursor=1)
    await cache.apply([item(conversation(1, name="New Name"))], holding(), cursor=2)
    await cache.apply([item(contact(1, name="Newest Person"))], holding(), cursor=3)

    assert [await texts(cache, words) for words in ("old", "new name", "person")] == [[], ["c1"], ["c1"]]
    await cache.apply([item(conversation(1))._replace(value=None)], holding(), cursor=4)
    assert await texts(cache, "person") == []


async def test_a_search_is_broken_off_when_nobody_wants_it(cache: Cache) -> None:
    """However long a statement would go on, its thread is free again at once, and the next search on it is whole."""
    await cache.apply([item(conversation(1)), item(message(1, 1))], holding(), cursor=1)
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(connection: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(began.set)
        connection.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n").fetchone()

    for _ in range(2):
        # As many as there are threads that read.
        tasks = [asyncio.create_task(cache.database.read(endless)) for _ in range(3)]
        await began.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        asked = time.perf_counter()
        assert await texts(cache, "hello") == ["1"]
        assert time.perf_counter() - asked < 5
        began.clear()


@pytest.mark.parametrize("ranked", [False, True])
async def test_a_limit_counts_names_and_messages_together(cache: Cache, ranked: bool) -> None:
    """No more than asked for is given, whichever it is."""
    rows: list[Message] = [message(number, number, "anna") for number in range(1, 8)]
    await cache.apply([*(item(conversation(n, name=f"Anna {n}")) for n in range(1, 8)), *(item(row) for row in rows)], holding(), cursor=1)

    for limit in (1, 7, 9, 50):
        assert len(await texts(cache, "anna", limit=limit, ranked=ranked)) == min(limit, 14)


class _Endless:
    """A desk whose search runs until it is broken off, or finds at once what is asked for as `quick`."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.began = 0

    async def search(self, words: str, *, limit: int = 50, ranked: bool = False) -> list[SearchHit]:
        if words == "quick":
            return await self.cache.search("hello", limit=limit, ranked=ranked)
        self.began += 1
        await self.cache.database.read(lambda connection: connection.execute(_LONG).fetchone())
        return []

    async def listen(self) -> AsyncIterator[DeskEvent]:
        await asyncio.Event().wait()
        yield DeskEvent("status")


_LONG = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("how", ["the next search", "not wanted", "gone"])
async def test_over_the_socket_a_search_ends_when_its_client_wants_another_or_none(cache: Cache, tmp_path: Path, how: str) -> None:
    """The next search, a client that stops waiting and one that is cut off each end the statement that runs for it."""
    await cache.apply([item(conversation(1)), item(message(1, 1))], holding(), cursor=1)
    desk = _Endless(cache)
    server = DeskServer(cast("Any", desk), ahead=0.0, on_end=lambda: None, on_clients=lambda _: None, broken=lambda _call, _error: None)
    await server.start(tmp_path / "desk.sock")
    client, other = [await DeskClient.open(tmp_path / "desk.sock") for _ in range(2)]
    # More than there are threads that read: what was not broken off would keep the last one waiting.
    for began in range(1, 5):
        asked = asyncio.create_task(client.search("endless"))
        await until(lambda began=began: desk.began == began)
        if how == "the next search":
            assert len(await client.search("quick")) == 1
            with pytest.raises(Conflict):
                await asked
        elif how == "not wanted":
            asked.cancel()
        else:
            await client.close()
            await asyncio.wait((asked,))
            asked.exception()
            client = await DeskClient.open(tmp_path / "desk.sock")
        assert len(await other.search("quick")) == 1
    await client.close()
    await other.close()
    await server.stop()
