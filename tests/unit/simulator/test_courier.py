"""Callbacks: whole addresses, overrides, what is subscribed, connections that are kept, and answers that are none."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.simulator_stage import NOW, NUMBER, VERIFY, WABA, Hub, serving, staged
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.webhooks.delivery import Delivery, DeliveryLog
from wabiz_tui.simulator.webhooks.poster import MAX_KEPT_ANSWER, Poster, PostFailed

Talker = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talker) -> AsyncGenerator[str, None]:
    """A bare server; its base URL."""

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(whole, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    await reader.readexactly(length)
    return head


async def test_the_address_is_kept_whole() -> None:
    """Path, slash at the end and query of a callback are used as they are, in the handshake too."""
    lines: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in (b"one", b"two"):
            lines.append((await head_of(reader)).split(b"\r\n")[0])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + body)

    async with listening(talk) as url:
        poster = Poster(f"{url}/hook/?key=1", timeout=5)
        answers = [await poster.request("GET", query="hub.mode=subscribe"), await poster.request("POST", body=b"{}")]
        poster.close()

    assert lines == [b"GET /hook/?key=1&hub.mode=subscribe HTTP/1.1", b"POST /hook/?key=1 HTTP/1.1"]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"one"), (200, b"two")]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000, 200),
        (b"SSH-2.0-OpenSSH\r\n", None),
        (b"HTTP/1.1 200", None),
        (b"", None),
    ],
)
async def test_any_answer_is_taken(said: bytes, status: int | None) -> None:
    """A redirect is an answer and not followed; an endless body is bounded; no HTTP is a failure, never a hang."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(said)
        await writer.drain()

    async with listening(talk) as url:
        poster = Poster(url, timeout=5)
        if status is None:
            with pytest.raises(PostFailed):
                await poster.request("POST", body=b"{}")
        else:
            answer = await poster.request("POST", body=b"{}")
            assert answer.status == status
            assert len(answer.body) <= MAX_KEPT_ANSWER
        poster.close()


async def test_a_connection_closed_meanwhile_is_replaced() -> None:
    """When the other side ends a kept connection the next request goes over a new one, and is made once."""
    asked: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        asked.append(1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listening(talk) as url:
        poster = Poster(url, timeout=5)
        for _ in range(3):
            assert (await poster.request("POST", body=b"{}")).status == 200
        poster.close()

    assert len(asked) == 3


async def test_silence_is_a_timeout_and_nobody_a_refusal() -> None:
    """A callback that says nothing fails by time, one that is not there at once."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(talk) as url:
        with pytest.raises(PostFailed, match="timeout"):
            await Poster(url, timeout=0.05).request("POST", body=b"{}")
    with pytest.raises(PostFailed, match="refused"):
        await Poster(url, timeout=5).request("POST", body=b"{}")


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "http://", "http://u:p@x/", "http://x:99999/", "http://x/a b", "http://é/", "http://x/\r\nA: b"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """Nothing but a plain http(s) URL is a callback."""
    with pytest.raises(BadInput, match="callback"):
        Poster(url, timeout=1)


async def test_number_before_account_before_app() -> None:
    """A number's own callback is told what is about it, the account's what is about its other numbers, the app's what is about none; taken
    away again, the next way up is used."""
    own, account = Hub(), Hub()
    async with staged(phone_number_ids=(NUMBER, "222")) as stage, serving(own.app()) as own_url, serving(account.app()) as account_url:
        for owner, url in (("222", own_url), (WABA, account_url)):
            told = await stage.control("callback", **{"for": owner, "url": f"{url}/webhooks/whatsapp", "verify_token": VERIFY})
            assert told["verified"]
        await stage.write("a", number="222")
        await stage.write("b")
        await stage.control("event", field="account_update")
        await stage.control("callback", **{"for": "222", "url": ""})
        await stage.write("c", number="222")
        await stage.control("callback", **{"for": WABA, "url": ""})
        await stage.write("d")

        assert [message["text"]["body"] for message in own.values("messages")] == ["a"]
        assert [message["text"]["body"] for message in account.values("messages")] == ["b", "c"]
        assert [message["text"]["body"] for message in stage.hub.values("messages")] == ["d"]
        assert (len(account.bodies), len(stage.hub.bodies)) == (2, 2)
        assert all(own.signed())


async def test_only_subscribed_fields_are_told() -> None:
    """What the app is not subscribed to never leaves, and the record says why."""
    async with staged() as stage:
        await stage.control("callback", fields=["messages"])
        event = await stage.control("event", field="account_update")
        written = await stage.write()
        await stage.control("callback", fields=None)
        again = await stage.control("event", field="account_update")

        assert (event["dropped"], "account_update" in event["error"]) == (True, True)
        assert written["delivered"]
        assert again["delivered"]


async def test_a_failed_handshake_says_why() -> None:
    """A callback that refuses, or does not echo, is told in a sentence; nothing is posted to it."""
    async with staged() as stage:
        url = stage.world.courier.callback.url  # type: ignore[union-attr]
        refused = await stage.control("callback", url=url, verify_token="wrong", timeout=0.3)
        nobody = await stage.control("callback", url="http://127.0.0.1:1/", verify_token="x", timeout=0.3)
        odd = await stage.http.post("/_control/callback", json={"url": "nowhere"})

        assert "403" in refused["error"]
        assert "refused" in nobody["error"]
        assert odd.status_code == 400
        assert stage.hub.bodies == []


def test_the_record_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settled deliveries are forgotten first; those that wait are lost only when there are far too many, and say so."""
    monkeypatch.setattr("wabiz_tui.simulator.webhooks.delivery.KEPT", 10)
    monkeypatch.setattr("wabiz_tui.simulator.webhooks.delivery.MAX_WAITING", 30)
    log, waiting = DeliveryLog(), Delivery(0, b"{}", [], [], NOW)
    log.add(waiting)
    for name in range(1, 25):
        log.add(Delivery(name, b"{}", [], [], NOW, status=200))
    assert len(log) == 25
    for name in range(25, 60):
        log.add(Delivery(name, b"{}", [], [], NOW, status=200))

    assert len(log) == 10
    assert waiting.is_dropped
    assert "lost" in waiting.error
    assert log.told == 60
