"""Answers that break: each is told as what it means for the request, within bounded time and memory."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from datetime import timedelta
from typing import Any

import pytest

from tests.support.cloud_wire import Handler, answering, cloud_at, http, listening, request_of
from wabiz_tui.cloud.outcomes import Refused, Unanswered, Uncertain
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.requests import build_text
from wabiz_tui.graph.responses import build_accepted
from wabiz_tui.model.errors import BadInput, CloudError, TooLarge, WabizError

BODY = build_text(to="+4915730000077", body="Hi")
ACCEPTED = json.dumps(build_accepted(wamid="wamid.X", input="+4915730000077", wa_id="4915730000077")).encode()
REFUSED = b'{"error":{"message":"(#130429) Rate limit hit","code":130429,"fbtrace_id":"AbC"}}'
GOOD = http(200, ACCEPTED, "Content-Type: application/json")
BAD = http(400, REFUSED)


async def send_to(url: str, **options: Any) -> Any:
    async with cloud_at(url, **options) as cloud:
        try:
            return await cloud.send("1", BODY)
        except WabizError as error:
            return error


async def sent_at(handle: Handler, **options: Any) -> Any:
    async with listening(handle) as url:
        return await send_to(url, **options)


def cuts(answer: bytes) -> list[int]:
    """Every byte boundary of the head's first line and of the last of it, and a few of each other part."""
    head = answer.index(b"\r\n\r\n") + 4
    return sorted({*range(20), *range(head - 6, head + 3), *range(20, head, 13), *range(head, len(answer), 29), len(answer) - 1})


async def test_a_good_answer_cut_anywhere_is_uncertain() -> None:
    """An accepted send whose answer is cut, wherever that is, may have arrived."""
    async with listening(answering(*(GOOD[:cut] for cut in cuts(GOOD)))) as url, cloud_at(url) as cloud:
        for cut in cuts(GOOD):
            with pytest.raises(Uncertain) as failure:
                await cloud.send("1", BODY)

            assert failure.value.is_uncertain, cut


async def test_a_refusal_cut_anywhere_is_never_repeatable() -> None:
    """A refusal that is cut before its status is told is uncertain, and after that a refusal without a reason."""
    head = BAD.index(b"\r\n\r\n") + 4
    async with listening(answering(*(BAD[:cut] for cut in cuts(BAD)))) as url, cloud_at(url) as cloud:
        for cut in cuts(BAD):
            with pytest.raises(Uncertain if cut < head else Refused) as failure:
                await cloud.send("1", BODY)

            assert (failure.value.is_transient, failure.value.graph_code) == (False, None), cut


async def test_cut_while_the_request_is_sent() -> None:
    """A connection that ends before the whole request was taken leaves it uncertain."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(10)
        writer.transport.abort()

    assert isinstance(await sent_at(cut), Uncertain)


async def test_closed_at_once() -> None:
    """A listener that closes every connection tells nothing."""

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    assert isinstance(await sent_at(close), Uncertain)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(200, b""), Uncertain),
        (http(200, b"{}"), Uncertain),
        (http(200, b"[]"), Uncertain),
        (http(200, b"null"), Uncertain),
        (http(200, b'{"messages":[]}'), Uncertain),
        (http(200, b'{"messages":[{"id":7.5}]}'), Uncertain),
        (http(200, b"<html>Sign in to the hotel's network</html>", "Content-Type: text/html"), Uncertain),
        (http(200, b"[" * 100_000), Uncertain),
        (http(200, b'{"a":' * 5000 + b"1" + b"}" * 5000), Uncertain),
        (http(200, b"\xff\xfe\x00"), Uncertain),
        (http(200, b"not gzip", "Content-Encoding: gzip"), Uncertain),
        (http(200, ACCEPTED, "Content-Encoding: br"), Uncertain),
        (http(200, gzip.compress(ACCEPTED)[:-9], "Content-Encoding: gzip"), Uncertain),
        (http(204, b""), Uncertain),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"mes\r\nZZ\r\n", Uncertain),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Uncertain),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", Uncertain),
        (b"HTTP/9.9 200 OK\r\n\r\n", Uncertain),
        (b"SSH-2.0-OpenSSH_9\r\n", Uncertain),
        (b"\x15\x03\x01\x00\x02\x02\x46", Uncertain),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 60_000, Uncertain),
        (http(500, b"<html>"), Uncertain),
        (http(503, b'{"error":"down"}'), Uncertain),
        (http(500, b'{"error":{"code":131000}}'), Uncertain),
        (http(502, b'{"error":{"code":true}}'), Uncertain),
        (http(503, b'{"error":{"code":"2"}}'), Refused),
        (http(400, b"[" * 100_000), Refused),
        (http(400, b'{"error":[]}'), Refused),
        (http(400, b'{"error":{"code":1e400,"message":7}}'), Refused),
        (http(404, b""), Refused),
        (http(307, b"", "Location: /elsewhere"), Refused),
        (http(302, b"", "Location: http://[bad"), Refused),
    ],
)  # fmt: skip
async def test_answers_nobody_would_send(answer: bytes, kind: type[CloudError]) -> None:
    """2xx that cannot be read may have been carried out, 5xx without a code as well; other statuses are refusals. Nothing else."""
    outcome = await sent_at(answering(answer))

    assert isinstance(outcome, kind)
    assert not outcome.is_transient or outcome.graph_code == 2


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + GOOD,
        http(200, gzip.compress(ACCEPTED), "Content-Encoding: gzip"),
        http(200, zlib.compress(ACCEPTED), "Content-Encoding: deflate"),
        http(200, ACCEPTED, "Content-Type: text/javascript; charset=UTF-8"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + f"{len(ACCEPTED):x}\r\n".encode() + ACCEPTED + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + ACCEPTED,
        http(200, ACCEPTED) + b"HTTP/1.1 200 OK\r\n\r\ntrailing",
    ],
)
async def test_answers_that_are_fine(answer: bytes) -> None:
    """Chunked, packed, without a length or with interim answers before it: an acceptance is one."""
    assert (await sent_at(answering(answer))).wamid == "wamid.X"


async def test_an_answer_in_single_bytes() -> None:
    """An answer that comes byte by byte is read whole."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        for index in range(len(GOOD)):
            writer.write(GOOD[index : index + 1])
            await writer.drain()
        writer.close()

    assert (await sent_at(drip)).wamid == "wamid.X"


async def test_an_answer_that_never_ends() -> None:
    """A byte now and then keeps no request alive beyond its whole time, though each step is quick."""
    over = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.is_set():
            writer.write(b" ")
            await asyncio.wait([asyncio.ensure_future(over.wait())], timeout=0.02)
        writer.close()

    async with asyncio.timeout(60):
        outcome = await sent_at(drip, whole=timedelta(seconds=0.4))
        over.set()

    assert isinstance(outcome, Uncertain)


async def test_a_body_that_is_too_large() -> None:
    """An endless answer to a send is uncertain, and to a question too large; neither is taken in."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(400):
                writer.write(b" " * 65536)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async with listening(flood) as url, cloud_at(url) as cloud:
        with pytest.raises(Uncertain):
            await cloud.send("1", BODY)
        with pytest.raises(TooLarge):
            await cloud.numbers.info("1")


async def test_a_packed_bomb() -> None:
    """A small answer that unfolds to gigabytes is stopped at the limit; memory holds no more of it than that."""
    zeros = zlib.compressobj(wbits=31)
    bomb = b"".join([zeros.compress(bytes(1 << 20)) for _ in range(64)]) + zeros.flush()
    async with listening(answering(http(200, bomb, "Content-Encoding: gzip"))) as url, cloud_at(url) as cloud:
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                async with cloud.media.fetch(url, limit=1 << 20) as incoming:
                    _ = [chunk async for chunk in incoming]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert len(bomb) < 100_000
    assert peak < 8 * 1024 * 1024


async def test_a_question_cut_anywhere_may_be_asked_again() -> None:
    """A question's broken answer is never uncertain."""
    async with listening(answering(*(GOOD[:cut] for cut in cuts(GOOD)))) as url, cloud_at(url) as cloud:
        for cut in cuts(GOOD):
            with pytest.raises(Unanswered) as failure:
                await cloud.numbers.info("1")

            assert (failure.value.is_uncertain, failure.value.is_transient) == (False, True), cut


async def test_a_redirect_leads_nowhere() -> None:
    """A redirect to another host is told as a refusal: nobody is asked there."""
    asked = list[bytes]()

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await request_of(reader))[0])
        writer.close()

    async with listening(elsewhere) as other, listening(answering(http(307, b"", f"Location: {other}/x"))) as url, cloud_at(url) as cloud:
        with pytest.raises(Refused) as refused:
            await cloud.send("1", BODY)
        with pytest.raises(Refused):
            async with cloud.media.fetch(f"{url}/file"):
                pass

    assert refused.value.http_status == 307
    assert asked == []


async def test_no_cookie_is_kept() -> None:
    """What a server would have us remember is not sent back."""
    heads = list[bytes]()

    async def baking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append((await request_of(reader))[0])
            writer.write(http(200, b"{}", "Set-Cookie: id=1; Path=/"))
        writer.close()

    async with listening(baking) as url, cloud_at(url) as cloud:
        for _ in range(2):
            await cloud.numbers.info("1")

    assert b"cookie:" not in heads[1].lower()


@pytest.mark.parametrize("header", ["a\r\nb", "a\nb", "a\0b"])
async def test_headers_that_http_cannot_say(header: str) -> None:
    """A header that would end early is refused before anything leaves."""
    transport = Transport("http://127.0.0.1:9", None)
    try:
        with pytest.raises((BadInput, Unanswered)):
            await transport.request("POST", "x", headers={"Idempotency-Key": header})
    finally:
        await transport.close()
