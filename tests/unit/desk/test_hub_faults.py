"""What a hub, or a proxy in its place, may answer instead of a page: the desk says one sentence, waits, and goes on when all is well."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.support.desk_bench import opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths, paths_under

NOW = datetime.now(UTC)
PAGE = '{"changes":[%s],"next":%d,"head":%d,"more":%s,"at":"2026-05-04T12:00:00Z"}'
VALUE = '{"seq":%d,"entity":"%s","id":"x","value":%s}'
ANSWERS = {
    "a server's error": (500, "Internal Server Error"),
    "a proxy's page": (200, "<html><body>Sign in to the network</body></html>"),
    "a page cut short": (200, (PAGE % ("", 5, 5, "false"))[:40]),
    "no page at all": (200, "[]"),
    "wrong types": (200, '{"changes":7,"next":"a","head":null,"more":0,"at":1}'),
    "a value of another kind": (200, PAGE % (VALUE % (1, "message", '{"id":5}'), 1, 1, "false")),
    "an id that is none": (200, PAGE % (VALUE % (1, "message", "null"), 1, 1, "false")),
    "an entity that is no name": (200, PAGE % ('{"seq":1,"entity":7,"id":"x"}', 1, 1, "false")),
    "sequences that fall": (200, PAGE % (VALUE % (2, "person", "null") + "," + VALUE % (1, "person", "null"), 2, 2, "false")),
    "a change beyond its page": (200, PAGE % (VALUE % (9, "person", "null"), 3, 9, "false")),
    "a page that leads nowhere": (200, PAGE % ("", 0, 99, "true")),
    "numbers below nothing": (200, PAGE % ("", -4, -1, "false")),
    "a mountain": (200, " " * (33 * 1024 * 1024)),
}


class FaultyHub(FakeHub):
    """A hub that answers in the place of a page what `fault` says, if anything."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: tuple[int, str] | None = None
        self.asked_pages = 0
        self.headers: dict[str, str] = {}

    async def changes(self, request: Request) -> object:
        self.asked_pages += 1
        if self.fault is None:
            return await super().changes(request)
        status, body = self.fault
        return Response(body, status, self.headers)


@pytest.fixture
def hub() -> Iterator[FaultyHub]:
    with FaultyHub().serve() as served:
        served.put(conversation(1, last_at=NOW), message(1, 1, "at last", sent_at=NOW - timedelta(minutes=1)))  # type: ignore[attr-defined]
        yield served  # type: ignore[misc]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


async def test_no_answer_ends_the_desk_and_each_is_one_sentence(hub: FaultyHub, paths: Paths) -> None:
    """Every kind of nonsense is refused whole and in one short sentence without anything of it; then the next good page is taken."""
    async with opened(hub, paths, synced=False) as desk:
        for what, fault in ANSWERS.items():
            hub.fault = fault
            with pytest.raises(WabizError) as refused:
                await desk.sync()
            assert 0 < len(refused.value.sentence) < 200, what
            assert "\n" not in refused.value.sentence, what
            assert "Sign in" not in refused.value.sentence
            assert await desk.conversations() == []
        hub.fault = None
        await desk.sync()
        assert [held.id for held in await desk.messages(ident(1))] == [ident(1_000_001)]


async def test_a_head_that_goes_back_and_a_page_told_twice_change_nothing(hub: FaultyHub, paths: Paths) -> None:
    """What was applied stays, nothing is doubled, and nobody asks for ever."""
    async with opened(hub, paths) as desk:
        for fault in (PAGE % ("", 1, 1, "false"), PAGE % ("", 0, 0, "false")):
            hub.fault = 200, fault
            async with asyncio.timeout(30):
                await desk.sync()
        hub.fault = None
        await desk.sync()
        assert len(await desk.messages(ident(1))) == 1


@pytest.mark.parametrize("what", ["a server's error", "a page that leads nowhere"])
async def test_a_faulty_hub_is_asked_at_a_human_pace(hub: FaultyHub, paths: Paths, what: str) -> None:
    """In three seconds of trouble a desk asks a handful of times; with Retry-After not before that time; then it is online by itself."""
    hub.fault = ANSWERS[what]
    async with opened(hub, paths, synced=False) as desk:
        await until(status(desk, "offline"))
        asked = hub.asked_pages
        await asyncio.sleep(3)
        assert hub.asked_pages - asked <= 6
        hub.fault = None
        await until(status(desk, "online"))
        assert (await desk.status()).notice == ""


def status(desk: object, link: str) -> Callable[[], object]:
    async def is_so() -> bool:
        return (await desk.status()).link == link  # type: ignore[attr-defined]

    return is_so
