"""The connections of a client: as few as can be, never more than allowed, and none held by an answer that is over."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from tests.support.cloud_wire import http, listening, request_of
from wabiz_tui.cloud.lanes import Lanes

ANSWER = http(200, b"{}")


class Server:
    """Answers until told to hold; counts connections as they come and go."""

    def __init__(self) -> None:
        self.opened = self.open = self.most = self.waiting = 0
        self.may_answer, self.changed = asyncio.Event(), asyncio.Condition()
        self.may_answer.set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened, self.open = self.opened + 1, self.open + 1
        self.most = max(self.most, self.open)
        try:
            while True:
                await request_of(reader)
                await self._told(waiting=1)
                await self.may_answer.wait()
                await self._told(waiting=-1)
                writer.write(ANSWER)
                await writer.drain()
        finally:
            self.open -= 1

    async def _told(self, *, waiting: int) -> None:
        async with self.changed:
            self.waiting += waiting
            self.changed.notify_all()

    async def holds(self, count: int) -> None:
        async with self.changed, asyncio.timeout(60):
            await self.changed.wait_for(lambda: self.waiting == count)


@asynccontextmanager
async def serving() -> AsyncGenerator[tuple[str, Server], None]:
    server = Server()
    async with listening(server.handle) as url:
        yield url, server


@asynccontextmanager
async def over(lanes: Lanes) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with httpx.AsyncClient(transport=lanes, trust_env=False) as client:
        yield client


async def test_one_after_the_other_share_a_connection() -> None:
    """Twenty requests in a row need one connection."""
    async with serving() as (url, server), over(Lanes(10)) as client:
        for _ in range(20):
            assert (await client.get(url)).status_code == 200

    assert server.opened == 1


async def test_never_more_than_allowed() -> None:
    """Of nine requests at a time three are under way where three are allowed, and all are answered."""
    async with serving() as (url, server), over(Lanes(3)) as client:
        server.may_answer.clear()
        requests = [asyncio.create_task(client.get(url, timeout=60)) for _ in range(9)]
        await server.holds(3)
        server.may_answer.set()
        answers = await asyncio.gather(*requests)

    assert [answer.status_code for answer in answers] == [200] * 9
    assert server.most == server.opened == 3


async def test_nothing_free_in_time() -> None:
    """A request that found no free connection in time says so, and never left."""
    async with serving() as (url, server), over(Lanes(1)) as client:
        server.may_answer.clear()
        first = asyncio.create_task(client.get(url, timeout=60))
        await server.holds(1)
        with pytest.raises(httpx.PoolTimeout):
            await client.get(url, timeout=httpx.Timeout(30, pool=0.05))
        server.may_answer.set()

        assert (await first).status_code == 200
        assert server.opened == 1


async def test_a_cancelled_request_frees_its_place() -> None:
    """Who gives up leaves room for the next, though their answer never came."""
    async with serving() as (url, server), over(Lanes(1)) as client:
        server.may_answer.clear()
        given_up = asyncio.create_task(client.get(url))
        await server.holds(1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        server.may_answer.set()

        assert (await client.get(url, timeout=60)).status_code == 200


async def test_an_answer_left_unread_frees_its_place() -> None:
    """A place is free again when the answer is closed, read or not, and however often it is closed."""
    async with serving() as (url, _), over(Lanes(1)) as client:
        for _ in range(3):
            async with client.stream("GET", url) as answer:
                await answer.aclose()

        assert (await client.get(url, timeout=60)).status_code == 200


async def test_room_is_made_for_another_server() -> None:
    """With all places held by free connections to one server, one of them is closed for the next."""
    async with serving() as (one, first), serving() as (other, second), over(Lanes(1)) as client:
        for url in (one, other, other, one):
            assert (await client.get(url)).status_code == 200

    assert (first.opened, second.opened) == (2, 1)


async def test_what_nobody_used_is_closed() -> None:
    """Connections that a burst needed are closed in the quiet after it, one an answer."""
    async with serving() as (url, server):
        lanes = Lanes(10, idle=timedelta(0))
        async with over(lanes) as client:
            server.may_answer.clear()
            burst = [asyncio.create_task(client.get(url, timeout=60)) for _ in range(4)]
            await server.holds(4)
            server.may_answer.set()
            await asyncio.gather(*burst)
            for _ in range(8):
                await client.get(url)

            assert lanes.count <= 1
