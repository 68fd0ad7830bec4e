"""Samples go up once, whatever breaks on the way."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from tests.support.cloud_wire import answering, cloud_at, http, listening, request_of
from tests.support.simulator_stage import TOKEN, Stage, staged
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.outcomes import Uncertain
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

APP = "670843887433847"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
SESSION = "upload:MTphdHRhY2g6=?sig=signaturesensitive"


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def test_a_file_gets_a_handle(stage: Stage) -> None:
    """A picture goes up in one piece, and a handle names it."""
    transport = Transport(stage.url, Secret(TOKEN))
    try:
        handle = await CloudClient(transport).uploads.upload(APP, PICTURE, "image/png", "shop.png")
    finally:
        await transport.close()

    assert handle.startswith("4::")


class Meta:
    """Keeps what comes; as often as told it keeps a part of a piece and leaves without an answer."""

    def __init__(self, *, cuts: int) -> None:
        self.cuts, self.kept, self.heads = cuts, b"", list[bytes]()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await request_of(reader)
        self.heads.append(head)
        if b"/uploads " in head:
            told = {"id": SESSION}
        elif head.startswith(b"GET"):
            told = {"id": SESSION, "file_offset": len(self.kept)}
        elif self.cuts:
            self.cuts -= 1
            self.kept += body[:1000]
            writer.transport.abort()
            return
        else:
            assert f"file_offset: {len(self.kept)}\r".encode() in head
            self.kept += body
            told = {"h": "4:handle"}
        writer.write(http(200, json.dumps(told).encode()))
        await writer.drain()
        writer.close()


async def test_what_breaks_off_goes_on() -> None:
    """After each cut the upload goes on where Meta says it ended, in the session with its signature."""
    meta = Meta(cuts=3)
    async with listening(meta.handle) as url, cloud_at(url) as cloud:
        assert await cloud.uploads.upload(APP, PICTURE, "image/png", "shop.png") == "4:handle"

    assert meta.kept == PICTURE
    assert all(b"/v26.0/upload:MTphdHRhY2g6=?sig=signaturesensitive " in head for head in meta.heads[1:])


async def test_what_keeps_breaking_off_ends(caplog: pytest.LogCaptureFixture) -> None:
    """The fifth cut ends it; the session's signature is in no log."""
    caplog.set_level("DEBUG")
    meta = Meta(cuts=100)
    async with listening(meta.handle) as url, cloud_at(url) as cloud:
        with pytest.raises(Uncertain):
            await cloud.uploads.upload(APP, PICTURE, "image/png", "shop.png")

    assert meta.cuts == 95
    assert "signaturesensitive" not in caplog.text


async def test_answers_without_a_session_or_handle() -> None:
    """An answer that is none of the documented ones is an error, not a handle."""
    for answer in (b"{}", b'{"id": "1/../2"}', b'{"id": "upload:1", "file_offset": "x"}'):
        async with listening(answering(http(200, answer))) as url, cloud_at(url) as cloud:
            with pytest.raises(BadInput):
                await cloud.uploads.upload(APP, PICTURE, "image/png", "shop.png")


@pytest.mark.parametrize(("content", "mime_type"), [(b"", "image/png"), (PICTURE, "image/webp")])
async def test_what_is_no_sample_stays_here(content: bytes, mime_type: str) -> None:
    """An empty file and a type that samples cannot have are refused before anything is sent."""
    async with cloud_at("http://127.0.0.1:9") as cloud:
        with pytest.raises(BadInput):
            await cloud.uploads.upload(APP, content, mime_type, "shop.png")
