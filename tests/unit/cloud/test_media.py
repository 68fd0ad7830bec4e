"""Files up and down: against the pretend Meta, and against servers that break."""

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from tests.support.cloud_wire import answering, cloud_at, http, listening, request_of
from tests.support.simulator_stage import NUMBER, TOKEN, Stage, staged
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.media import digest_of
from wabiz_tui.cloud.outcomes import NeverLeft, Refused, Unanswered, WrongHash
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.responses import MediaInfo
from wabiz_tui.model.errors import BadInput, TooLarge
from wabiz_tui.model.secret import Secret

PDF = b"%PDF-1.4 " + bytes(range(256)) * 2000
HASH = hashlib.sha256(PDF).digest()


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


@pytest.fixture
async def cloud(stage: Stage) -> AsyncGenerator[CloudClient, None]:
    transport = Transport(stage.url, Secret(TOKEN))
    try:
        yield CloudClient(transport)
    finally:
        await transport.close()


async def test_up_and_down(cloud: CloudClient, tmp_path: Path) -> None:
    """A file goes up from disk and comes down to a sink, with progress both ways, its type and its hash."""
    path = tmp_path / "offer.pdf"
    path.write_bytes(PDF)
    up, down, sink = list[tuple[int, int | None]](), list[tuple[int, int | None]](), io.BytesIO()

    media = await cloud.media.upload(NUMBER, path, "application/pdf", "offer.pdf", progress=lambda *seen: up.append(seen))
    saved = await cloud.media.save(media, sink, number=NUMBER, sha256=base64.b64encode(HASH).decode(), progress=lambda *s: down.append(s))

    assert sink.getvalue() == PDF
    assert (saved.size, saved.sha256) == (len(PDF), HASH.hex())
    assert saved.mime_type.startswith("application/pdf")
    assert up[-1] == down[-1] == (len(PDF), len(PDF))
    assert len(up) > 1


async def test_a_stream_goes_up(cloud: CloudClient) -> None:
    """An iterator is sent as it comes; a whole hundred megabytes are never held."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(PDF), 1000):
            yield PDF[start : start + 1000]

    media = await cloud.media.upload(NUMBER, pieces(), "application/pdf", "x.pdf", size=len(PDF))

    assert b"".join([chunk async for chunk in cloud.media.download(media)]) == PDF


@pytest.mark.parametrize(
    ("size", "mime_type"), [(5 * 1024 * 1024 + 1, "image/jpeg"), (0, "image/png"), (1, "application/zip"), (600 * 1024, "image/webp")]
)
async def test_limits_are_known_before(cloud: CloudClient, stage: Stage, size: int, mime_type: str) -> None:
    """A type that is not on Meta's list, and a size above its kind's, are refused here with Meta's own code."""
    with pytest.raises(Refused) as refused:
        await cloud.media.upload(NUMBER, bytes(size), mime_type, "x")

    assert refused.value.graph_code == 131053
    assert len(stage.world.media) == 0


async def test_the_time_to_live_is_bounded(cloud: CloudClient) -> None:
    """ttl_minutes is an hour to thirty days."""
    for minutes in (59, 43201):
        with pytest.raises(BadInput):
            await cloud.media.upload(NUMBER, PDF, "application/pdf", "x", ttl_minutes=minutes)
    assert await cloud.media.upload(NUMBER, PDF, "application/pdf", "x", ttl_minutes=60)


async def test_deleted_and_dead_ids(cloud: CloudClient) -> None:
    """A deleted file is gone, as a refusal with a code."""
    media = await cloud.media.upload(NUMBER, PDF, "application/pdf", "x.pdf")
    await cloud.media.delete(media, number=NUMBER)

    with pytest.raises(Refused) as gone:
        async with cloud.media.open(media):
            pass

    assert gone.value.graph_code == 100


def test_hashes_in_both_forms() -> None:
    """Hexadecimal in either case and base64 with or without padding name the same bytes; anything else names none."""
    forms = [HASH.hex(), HASH.hex().upper(), base64.b64encode(HASH).decode(), base64.urlsafe_b64encode(HASH).decode().rstrip("=")]

    assert [digest_of(form) for form in forms] == [HASH] * 4
    assert [digest_of(text) for text in ("", "x", HASH.hex()[:-1], base64.b64encode(b"short").decode(), "é" * 44)] == [None] * 5


class Meta:
    """Tells of one file and serves it: `answers` are used up by the GETs of its URL, one each."""

    def __init__(self, *answers: bytes, sha256: str = "", size: object = None, host: str | None = None) -> None:
        self.answers, self.told, self.host = list(answers), {"sha256": sha256, "file_size": size, "mime_type": "image/png"}, host
        self.asked = list[str]()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await request_of(reader)
        path = head.split()[1].decode()
        self.asked.append(path)
        if path.startswith("/v26.0/"):
            url = f"{self.host or self.url}/file?round={len(self.asked)}"
            writer.write(http(200, json.dumps({"id": "7", "url": url, **self.told}).encode()))
        else:
            writer.write(self.answers.pop(0))
        await writer.drain()
        writer.close()


async def fetched(meta: Meta, **options: object) -> bytes:
    async with listening(meta.handle) as url, cloud_at(url) as cloud:
        meta.url = url
        return b"".join([chunk async for chunk in cloud.media.download("7", **options)])  # pyright: ignore[reportArgumentType] of the tests


async def test_a_dead_url_is_asked_for_anew_once() -> None:
    """404 on the URL fetches a new URL by the id, and then the file."""
    meta = Meta(http(404, b"gone"), http(200, b"file"))

    assert await fetched(meta) == b"file"
    assert meta.asked == ["/v26.0/7", "/file?round=1", "/v26.0/7", "/file?round=3"]


async def test_a_second_dead_url_is_the_end() -> None:
    """Two dead URLs in a row are told, not asked for a third time."""
    meta = Meta(http(404, b""), http(404, b""))

    with pytest.raises(Refused) as refused:
        await fetched(meta)

    assert refused.value.http_status == 404
    assert len(meta.asked) == 4


@pytest.mark.parametrize("status", [401, 403, 410, 500])
async def test_other_statuses_are_told_at_once(status: int) -> None:
    """Only 404 stands for a dead URL."""
    meta = Meta(http(status, b""))

    with pytest.raises((Refused, Unanswered)) as failure:
        await fetched(meta)

    assert (failure.value.http_status, len(meta.asked)) == (status, 2)


@pytest.mark.parametrize("form", [HASH.hex(), base64.b64encode(HASH).decode()])
@pytest.mark.parametrize("place", ["meta", "webhook"])
async def test_a_file_that_is_another(form: str, place: str) -> None:
    """A file whose bytes are not those of a hash, of Meta's or of the webhook's, is told at its end."""
    good, other = Meta(http(200, PDF), sha256=form), Meta(http(200, PDF[:-1] + b"!"), sha256=form if place == "meta" else "")

    assert await fetched(good, sha256=form) == PDF
    with pytest.raises(WrongHash):
        await fetched(other, sha256=form if place == "webhook" else "")


@pytest.mark.parametrize(
    "meta",
    [
        Meta(http(200, b"x" * 100)),
        Meta(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100),
        Meta(http(200, b"x"), size=100),
        Meta(http(200, b"x"), size="100"),
    ],
)
async def test_too_large(meta: Meta) -> None:
    """A file above the limit is refused by what Meta tells, by its length, or while it comes."""
    with pytest.raises(TooLarge):
        await fetched(meta, limit=99)


async def test_a_file_that_breaks_off() -> None:
    """Fewer bytes than promised is no file."""
    with pytest.raises(Unanswered) as failure:
        await fetched(Meta(http(200, b"x" * 100)[:-1]))

    assert failure.value.is_transient


@pytest.mark.parametrize("host", ["https://localhost:1", "https://127.0.0.1:1", "https://[::1]:1", "https://10.0.0.1", "http://10.0.0.1"])
async def test_no_answer_leads_into_our_network(host: str) -> None:
    """A URL that leads to this machine or a private network, unless it is the API's own, is not fetched."""
    with pytest.raises((BadInput, NeverLeft)) as refused:
        await fetched(Meta(host=host))

    assert isinstance(refused.value, BadInput)


async def test_a_consumer_that_leaves() -> None:
    """Who stops in the middle frees the connection: the next request is answered."""
    meta = Meta(http(200, PDF), http(200, b"file"))
    async with listening(meta.handle) as url, cloud_at(url, max_connections=1) as cloud:
        meta.url = url
        async with cloud.media.open("7") as incoming:
            async for _ in incoming:
                break

        assert b"".join([chunk async for chunk in cloud.media.download("7")]) == b"file"


async def test_an_early_refusal_of_a_large_upload() -> None:
    """A server that refuses before it has read the file is heard."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(400, b'{"error":{"code":131053,"error_data":{"details":"too large"}}}'))
        await writer.drain()
        # The rest is taken in, so that the answer is not lost to a reset.
        while await reader.read(65536):
            pass
        writer.close()

    async with listening(refuse) as url, cloud_at(url) as cloud:
        with pytest.raises(Refused) as refused:
            await cloud.media.upload("1", bytes(3_000_000), "application/pdf", "x.pdf")

    assert refused.value.graph_code == 131053


async def test_an_upload_that_is_answered_with_nothing() -> None:
    """An answer without an id is none."""
    async with listening(answering(http(200, b"{}"))) as url, cloud_at(url) as cloud:
        with pytest.raises(BadInput):
            await cloud.media.upload("1", PDF, "application/pdf", "x.pdf")


def test_signed_urls_are_not_printed() -> None:
    """The URL of a file can fetch it together with a token: it stays out of prints."""
    assert "hash=secret" not in repr(MediaInfo("1", "https://lookaside.fbsbx.com/x?hash=secret"))
