"""A hub that was updated before this desk: what it tells beyond this version neither stops the desk nor is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.support.desk_bench import opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import NOON, contact, conversation, ident, message
from wabiz_tui.desk.cache import reading
from wabiz_tui.desk.sync import sync
from wabiz_tui.desk.sync.pages import items_of
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Content, Text, Unsupported
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.feed import Change
from wabiz_tui.model.newer import decode_or_translate
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import HistoryPage

HOLOGRAM = {"kind": "hologram", "rays": [1, 2], "caption": "hello"}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


def of_later(told: Message, **content: object) -> bytes:
    """`told` as a later version might tell it."""
    return encode(msgspec.to_builtins(told) | {"content": content, "mood": "cheerful"})


async def test_what_a_later_hub_tells_stops_nothing(hub: FakeHub, tmp_path: Path) -> None:
    """Unknown kinds of record are passed over, a message of an unknown kind is shown as one, and all that follows arrives."""
    now = datetime.now(UTC)
    hub.put(contact(1), conversation(1, last_at=now), message(1, 1, "before", sent_at=now))
    hub._change("hologram_room", "not even 32 hexadecimal digits", encode({"size": 3}))
    unknown = message(2, 1, sent_at=now)
    hub._change("message", unknown.id, of_later(unknown, **HOLOGRAM))
    hub.put(message(3, 1, "after", sent_at=now))

    async with opened(hub, paths_under(tmp_path / "home")) as desk:
        hub._change("hologram_room", "another", None)
        hub.put(message(4, 1, "on the stream", sent_at=now))
        await desk.sync()

        before, met, *others = [one.content for one in await desk.messages(ident(1))]
        notice = (await desk.status()).notice

    assert [before, *others] == [Text("before"), Text("after"), Text("on the stream")]
    assert isinstance(met, Unsupported)
    assert (met.type, met.json) == ("hologram", HOLOGRAM)
    assert "update wabiz" in met.reason
    assert not notice


async def test_a_desk_that_is_updated_reads_again_what_it_did_not_know(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, however often it starts; a desk that knew everything reads nothing twice."""
    paths, now = paths_under(tmp_path / "home"), datetime.now(UTC)
    hub.put(contact(1), contact(2), conversation(1, last_at=now), message(1, 1, "before", sent_at=now))

    async def contents_at(version: str) -> tuple[list[Content], bool]:
        """And whether the feed was read from its start."""
        monkeypatch.setattr(sync, "__version__", version)
        hub.pages_asked.clear()
        async with opened(hub, paths) as desk:
            found = [one.content for one in await desk.messages(ident(1))]
            # Nobody talks with the second contact: to read the feed again brings nobody back.
            session = desk._session
            assert session is not None
            assert await session.cache._read(lambda connection, now: reading.contact(connection, contact(2).id, now=now)) is None
        return found, 0 in hub.pages_asked

    assert await contents_at("1") == ([Text("before")], True)
    assert await contents_at("2") == ([Text("before")], False)
    unknown = message(2, 1, "a dancing figure", sent_at=now)
    hub._change("message", unknown.id, of_later(unknown, **HOLOGRAM))
    assert [type(one) for one in (await contents_at("2"))[0]] == [Text, Unsupported]
    assert not (await contents_at("2"))[1]

    # The version after it knows the kind: the same row of the feed says more to it.
    row = hub.rows["message", unknown.id]
    hub.rows["message", unknown.id] = msgspec.structs.replace(row, value=msgspec.Raw(encode(unknown)))

    assert await contents_at("3") == ([Text("before"), Text("a dancing figure")], True)
    assert await contents_at("3") == ([Text("before"), Text("a dancing figure")], False)
    assert await contents_at("4") == ([Text("before"), Text("a dancing figure")], False)


def test_a_page_of_history_may_hold_unknown_kinds() -> None:
    """Those that are known are read as ever."""
    raw = encode(HistoryPage([message(1, 1, "known"), message(2, 1)], has_earlier=True))
    later = msgspec.json.decode(raw)
    later["messages"][1]["content"] = HOLOGRAM

    page = decode_or_translate(encode(later), HistoryPage)

    assert [type(one.content) for one in page.messages] == [Text, Unsupported]
    assert page.has_earlier


@pytest.mark.parametrize(
    "content",
    [{"kind": "text", "body": 7}, {"kind": 7}, {}, {"kind": "image", "size": "large"}],
    ids=["known but wrong", "kind is no name", "no kind", "file of words"],
)
def test_what_is_wrong_is_not_taken_for_new(content: dict[str, object]) -> None:
    """A known kind of the wrong form, or none at all, is refused with its whole page."""
    with pytest.raises(BadInput):
        items_of([Change(1, "message", ident(1), msgspec.Raw(of_later(message(1, 1), **content)))])


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b'{"messages": 3}', b"\xff", b"[" * 5000, encode({"at": NOON})])
def test_what_is_no_message_at_all_is_refused(raw: bytes) -> None:
    """As by the plain reader, whatever it is."""
    with pytest.raises(BadInput):
        decode_or_translate(raw, Message)
