"""Streams that last: who is too slow, who comes back, who changes, and what is told of others and never stored."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.support.hub_served import Served, TestDevice, served_hub
from tests.unit.hub.test_feed import Stream, open_stream
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.sight import note_person_changed
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.feed import stream as streams
from wabiz_tui.hub.front.protocol import GuardedProtocol
from wabiz_tui.model.work import PRESENCE_SECONDS


@contextlib.asynccontextmanager
async def deaf(device: TestDevice, since: int) -> AsyncGenerator[asyncio.StreamReader]:
    """A listener that asks for the stream and then reads nothing, with as little room on its way as there can be."""
    url = urlsplit(str(device.served.http.base_url))
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1024)
    writer.write(f"GET /v1/changes/stream?since={since} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {device.token}\r\n\r\n".encode())
    await writer.drain()
    await reader.readuntil(b": wabiz")
    try:
        yield reader
    finally:
        writer.close()


def open_now(served: Served) -> float | None:
    return served.hub.metrics.registry.get_sample_value("wabiz_streams")


async def until_open(served: Served, count: int) -> None:
    async with asyncio.timeout(60):
        while open_now(served) != count:  # noqa: ASYNC110 the hub counts them and tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_guarded", [False, True], ids=["by-asgi", "by-the-line"])
async def test_who_does_not_read_is_dropped_and_resumes_without_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_guarded: bool
) -> None:
    """A listener that stops reading holds up nobody, is dropped, and gets from its place on each change once."""
    monkeypatch.setattr(streams, "SLOWEST_WRITE", 0.5)
    async with served_hub(tmp_path, is_guarded=is_guarded) as served:
        admin = await served.admin()
        slow, quick = await served.person(admin, "Slow", "agent"), await served.person(admin, "Quick", "agent")
        head = (await slow.page()).head
        async with deaf(slow, head), open_stream(quick, since=head) as response:
            live = Stream(response)
            await until_open(served, 2)
            sent = 0
            async with asyncio.timeout(60):
                while open_now(served) == 2:
                    await served.incoming("x" * 60_000, wamid=f"wamid.{sent}")
                    sent += 1
                    await live.next()
        page, seen = await slow.page(head), list[str]()
        while True:
            seen += [one.id for one in page.changes if one.entity == "message"]
            if not page.more:
                break
            page = await slow.page(page.next)

        assert len(seen) == len(set(seen)) == sent


async def test_who_sees_the_same_gets_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event is put together and framed once for all who see the same, handed to their lines as it is, and heard whole by each."""
    framed: list[bytes] = []
    write_chunk = GuardedProtocol.write_chunk

    def noted(line: GuardedProtocol, cycle: Any, chunk: bytes) -> bool:
        framed.append(chunk)
        return write_chunk(line, cycle, chunk)

    monkeypatch.setattr(GuardedProtocol, "write_chunk", noted)
    async with served_hub(tmp_path, is_guarded=True) as served, contextlib.AsyncExitStack() as stack:
        admin = await served.admin()
        devices = [await served.person(admin, name, "agent") for name in ("One", "Two", "Three")]
        head = (await devices[0].page()).head
        heard = [Stream(await stack.enter_async_context(open_stream(device, since=head))) for device in devices]
        await until_open(served, 3)
        await served.incoming("first", wamid="wamid.FIRST")  # whoever heard it has caught up
        for one in heard:
            await one.next()
        await served.incoming("for all", wamid="wamid.ALL")
        told = [await one.next() for one in heard]

    assert [event for event, *_ in told] == ["changes"] * 3
    assert told[0] == told[1] == told[2]
    assert len({id(chunk) for chunk in framed if b"for all" in chunk}) == 1


async def test_a_line_too_many_ends_the_oldest(tmp_path: Path) -> None:
    """A device that opens one stream more than it may loses the first; the others go on."""
    async with served_hub(tmp_path) as served, contextlib.AsyncExitStack() as stack:
        agent = await served.person(await served.admin(), "Agent", "agent")
        head = (await agent.page()).head
        opened: list[Stream] = []
        for count in range(streams.MOST_PER_DEVICE + 1):
            opened.append(Stream(await stack.enter_async_context(open_stream(agent, since=head))))
            await until_open(served, min(count + 1, streams.MOST_PER_DEVICE))
        ended = await opened[0].next()
        await served.incoming()

        assert ended[0] == "end"
        assert {(await one.next())[0] for one in opened[1:]} == {"changes"}


async def test_an_open_stream_follows_what_its_person_becomes(tmp_path: Path) -> None:
    """An agent made supervisor, then agent again, is told on the open stream what came into sight and what left it."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        one, two = await served.person(admin, "One", "agent"), await served.person(admin, "Two", "agent")
        await served.incoming("for one")
        [conversation] = await one.seen("conversation")
        await one.post(f"/v1/conversations/{conversation}/assignee", {"person": one.reply.person})
        async with open_stream(two, since=(await two.page()).head) as response:
            stream = Stream(response)
            await until_open(served, 1)
            shown: list[dict[str, Any]] = []
            for role in ("supervisor", "agent"):
                await become(served, two.reply.person, role)
                _, _, page = await stream.next()
                shown.append({change["entity"]: change.get("value") for change in page["changes"]})
            await served.incoming("not for two", wamid="wamid.B")
            _, _, after = await stream.next()

        assert shown[0]["message"]["content"] is not None
        assert shown[0]["conversation"]["id"] == conversation
        assert shown[0]["contact"]["name"] == "Ada Lovelace"
        assert shown[1]["conversation"] is shown[1]["contact"] is None
        assert {change.get("value") is None for change in after["changes"]} == {True}


async def become(served: Served, person: str, role: str) -> None:
    """Change the role of a person as the people's room does."""

    def work(writing: Writing) -> None:
        before = load_people(writing)[person]
        column = schema.person.c
        writing.connection.execute(schema.person.update().where(column.id == person).values(role=role))
        note_person_changed(writing, before, msgspec.structs.replace(before, role=role))  # type: ignore[arg-type]

    await served.hub.archive.write(work)


async def test_others_are_told_who_looks_and_types_and_it_is_never_kept(tmp_path: Path) -> None:
    """A mark goes to those who may see the conversation, to who comes later too; it ends by itself, and the feed knows nothing of it."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        one, two, boss = [
            await served.person(admin, name, role) for name, role in (("One", "agent"), ("Two", "agent"), ("Boss", "supervisor"))
        ]
        [conversation] = await one.seen("conversation")
        await one.post(f"/v1/conversations/{conversation}/assignee", {"person": one.reply.person})
        head = (await boss.page()).head
        place = f"/v1/conversations/{conversation}/presence"
        async with open_stream(boss, since=head) as first, open_stream(two, since=head) as blind:
            stream, other = Stream(first), Stream(blind)
            await until_open(served, 2)
            assert (await one.post(place, {"doing": "typing"})).status_code == 204
            told = await stream.next()
            async with open_stream(boss, since=head) as second:
                late = await Stream(second).next()
            served.clock.move(timedelta(seconds=PRESENCE_SECONDS + 1))
            left = await stream.next()
            assert (await two.post(place, {"doing": "viewing"})).status_code == 404
            assert (await admin.post(place, {"doing": "viewing"})).status_code == 403
            await served.incoming("for all", wamid="wamid.B", sender="447700900124")
            next_of_two = await other.next()
        later = (await boss.page(head)).changes

        assert [one[0] for one in (told, late, left)] == ["presence"] * 3
        assert {key: told[2][key] for key in ("conversation", "person", "name", "doing")} == {
            "conversation": conversation, "person": one.reply.person, "name": "One", "doing": "typing",
        }  # fmt: skip
        assert (late[2]["doing"], left[2]["doing"]) == ("typing", "left")
        assert next_of_two[0] == "changes"
        assert {change.entity for change in later} == {"contact", "conversation", "message"}


async def test_marks_are_bounded_by_person(tmp_path: Path) -> None:
    """Who marks without end is told to wait."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        agent = await served.person(await served.admin(), "One", "agent")
        [conversation] = await agent.seen("conversation")

        answers = [await agent.post(f"/v1/conversations/{conversation}/presence", {"doing": "viewing"}) for _ in range(25)]

        assert {answer.status_code for answer in answers} == {204, 429}


async def test_pages_are_compressed_for_who_takes_it(tmp_path: Path) -> None:
    """A page is a fraction of its size to a client that takes gzip, the same when unpacked, and plain to one that does not."""
    async with served_hub(tmp_path) as served:
        await served.incoming("words " * 500)
        agent = await served.person(await served.admin(), "One", "agent")
        packed = await agent.served.http.get("/v1/changes", headers=agent.headers | {"Accept-Encoding": "gzip"})
        plain = await agent.served.http.get("/v1/changes", headers=agent.headers | {"Accept-Encoding": "gzip;q=0, identity"})

        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.json()["changes"] == plain.json()["changes"]
        assert packed.num_bytes_downloaded < plain.num_bytes_downloaded / 2
