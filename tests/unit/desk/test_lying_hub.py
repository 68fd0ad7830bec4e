"""What answers at the hub's address may lie: what comes is bounded, compared, and refused in words that fit."""

import gzip
import os
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.support.desk_bench import opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import contact, conversation, message
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.media import store
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Image
from wabiz_tui.model.errors import BadInput, TooLarge, Unreachable, WabizError
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.values import Message
from wabiz_tui.model.wire import ErrorBody, TokenReply
from wabiz_tui.proof.signing import generate

FILE = bytes(range(256)) * 8
PACKED = {"Content-Encoding": "gzip"}
Answer = Callable[[httpx.Request], httpx.Response]


class Pieces(httpx.AsyncByteStream):
    """A body that comes piece by piece, with no word of its length."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def answered(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """An answer as it comes off the line, unread; header names with underscores."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"Content-Length": str(len(body))} | told, stream=Pieces(body))


def link_to(answer: Answer) -> Link:
    """A device's link to a hub that gives tokens, numbered as they are asked for, and answers everything else as told."""
    tokens = iter(range(1000))

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/token":
            return httpx.Response(200, content=encode(TokenReply(f"token-{next(tokens)}", 600)))
        return answer(request)

    clock, wire = DeskClock(SystemClock()), httpx.MockTransport(handle)
    return Link("https://hub.example.com", device="d" * 32, tenant="t", seed=generate(os.urandom), clock=clock, wire=wire)


async def taken(answer: Answer, *, start: int = 0) -> bytes:
    link = link_to(answer)
    try:
        return b"".join([piece async for piece in link.media("m" * 32, start=start)])
    finally:
        await link.close()


def part(start: int, *, told: int | None = None) -> httpx.Response:
    place = start if told is None else told
    return answered(206, FILE[start:], content_range=f"bytes {place}-{len(FILE) - 1}/{len(FILE)}")


@pytest.mark.parametrize(
    ("answer", "start", "got"),
    [
        (answered(200, FILE), 0, FILE),
        (httpx.Response(200, headers={"Transfer-Encoding": "chunked"}, stream=Pieces(FILE[:9], FILE[9:])), 0, FILE),
        (part(100), 100, FILE[100:]),
        (answered(200, FILE), 100, FILE[100:]),
        (answered(416, content_range=f"bytes */{len(FILE)}"), len(FILE), b""),
    ],
)
async def test_what_a_hub_may_answer_is_taken(answer: httpx.Response, start: int, got: bytes) -> None:
    """The whole, with or without its length; the part asked for; the whole again, of which what is here is passed over; its end."""
    assert await taken(lambda _: answer, start=start) == got


@pytest.mark.parametrize(
    ("answer", "start"),
    [
        (answered(200, gzip.compress(FILE), content_encoding="gzip"), 0),
        (answered(200, gzip.compress(gzip.compress(FILE)), content_encoding="gzip, gzip"), 0),
        (answered(200, FILE, content_encoding="br"), 0),
        (httpx.Response(200, stream=Pieces(FILE)), 0),
        (part(0), 0),
        (part(200, told=200), 100),
        (answered(206, FILE), 100),
        (answered(416), 0),
        (answered(416, content_range="bytes */0"), 0),
        (answered(416, content_range=f"bytes */{len(FILE)}"), 100),
        (answered(416), 100),
        (answered(302, location="https://elsewhere.example/"), 0),
    ],
)
async def test_what_no_hub_answers_is_no_file(answer: httpx.Response, start: int) -> None:
    """Something packed, a body whose end cannot be told from a cut, another part than asked for, an end where none is, another place."""
    with pytest.raises(WabizError, match="does not speak as a hub") as refused:
        await taken(lambda _: answer, start=start)

    assert not isinstance(refused.value, Unreachable)


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_a_small_answer_does_not_unfold_to_gigabytes(status: int) -> None:
    """A packed answer is unpacked within the bound of an answer, whatever its status; packing twice or otherwise is refused."""
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = b"".join(packing.compress(bytes(1 << 20)) for _ in range(40)) + packing.flush()
    bombs = {"gzip": (bomb, TooLarge), "gzip, gzip": (gzip.compress(bomb), BadInput), "br": (bomb, BadInput)}

    for packed, (content, kind) in bombs.items():
        link = link_to(lambda _, packed=packed, content=content: answered(status, content, content_encoding=packed))
        with pytest.raises(kind):
            await link.me()
        await link.close()
    assert len(bomb) < 64 * 1024


async def test_a_packed_stream_is_no_stream() -> None:
    """Events come as they are: what is packed could be one event without end in few bytes."""
    events = gzip.compress(b"event: changes\ndata: {}\n\n")
    link = link_to(lambda _: answered(200, events, content_encoding="gzip", content_type="text/event-stream"))

    with pytest.raises(BadInput, match="does not speak as a hub"):
        await anext(aiter(link.stream(0)))
    await link.close()


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_token"), (429, "wrong_tokens")])
async def test_a_token_that_ran_out_is_renewed_at_every_door(status: int, code: str) -> None:
    """Requests and files are asked for once more with a new token; a stream ends, and the next one has it."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["authorization"].removeprefix("Bearer token-"))
        if len(asked) % 2:
            return answered(status, encode(ErrorBody(code=code, sentence="No.")), retry_after="1")
        if request.url.path == "/v1/changes/stream":
            return answered(200, b'event: shift\ndata: {"state":"working"}\n\n', content_type="text/event-stream")
        return answered(200, FILE)

    link = link_to(answer)
    assert await link.request("GET", "/v1/people") == FILE
    assert b"".join([piece async for piece in link.media("m" * 32)]) == FILE
    with pytest.raises(WabizError):
        await anext(aiter(link.stream(0)))
    told = [one async for one in link.stream(0)]
    await link.close()

    assert asked == ["0", "1", "1", "2", "2", "3"]
    assert len(told) == 1


class LyingHub(FakeHub):
    """A hub whose files are what `lie` makes of the request for them."""

    lie: Callable[[Request], Response]

    async def media(self, request: Request) -> Response:
        self.media_asked.append(request.headers.get("range", ""))
        return self.lie(request)


@pytest.fixture
def hub() -> Iterator[LyingHub]:
    lying = LyingHub()
    with lying.serve():
        yield lying


def announced(hub: FakeHub, *, size: int) -> Message:
    """A message with a file of which nobody told the hash."""
    found = message(1, 1, content=Image(id="1", mime_type="image/png", size=size, stored="stored"), sent_at=hub.now())
    hub.put(conversation(1, last_at=hub.now()), contact(1), found)
    return found


def endless() -> Iterator[bytes]:
    while True:
        yield bytes(65536)


LIES: dict[str, tuple[Callable[[], Response], int, str]] = {
    "endless": (lambda: StreamingResponse(endless()), 1000, "not the one WhatsApp announced"),
    "longer": (lambda: Response(bytes(1001)), 1000, "not the one WhatsApp announced"),
    "shorter": (lambda: Response(bytes(999)), 1000, "not the one WhatsApp announced"),
    "no end": (lambda: Response(status_code=416), 0, "does not speak as a hub"),
    "packed": (lambda: Response(gzip.compress(bytes(1000)), headers=PACKED), 1000, "does not speak as a hub"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_file_that_is_not_what_was_told_is_not_kept(hub: LyingHub, tmp_path: Path, lie: str) -> None:
    """Without a hash the length that was told is the bound; nothing of what is refused stays, and it is asked for once."""
    paths = paths_under(tmp_path / "a home")
    told, size, refusal = LIES[lie]
    hub.lie = lambda _request: told()
    found = announced(hub, size=size)
    async with opened(hub, paths) as desk:
        with pytest.raises(BadInput, match=refusal):
            await desk.fetch_media(found.id)

    assert hub.media_asked == [""]
    assert not [file for file in (paths.cache / "media").rglob("*") if file.is_file()]


async def test_who_cuts_for_ever_is_not_asked_for_ever(hub: LyingHub, tmp_path: Path) -> None:
    """A line that is cut after each byte is taken up only so many times, and the refusal says that the hub cannot be reached."""

    def cut(request: Request) -> Response:
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        headers = {"Content-Length": str(1000 - start)} | ({"Content-Range": f"bytes {start}-999/1000"} if start else {})
        return StreamingResponse(iter([b"x"]), 206 if start else 200, headers)

    hub.lie = cut
    found = announced(hub, size=1000)
    async with opened(hub, paths_under(tmp_path / "a home")) as desk:
        with pytest.raises(Unreachable):
            await desk.fetch_media(found.id)

    assert len(hub.media_asked) == 200


async def test_who_drips_holds_nobody_up_for_ever(hub: LyingHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes more slowly than anybody would wait for is given up, is not taken up again, and the next one may bring it."""
    monkeypatch.setattr(store, "_PATIENCE", 0.0)
    monkeypatch.setattr(store, "_SLOWEST", 1 << 40)
    hub.lie = lambda _request: Response(bytes(1000))
    found = announced(hub, size=1000)
    async with opened(hub, paths_under(tmp_path / "a home")) as desk:
        with pytest.raises(Unreachable, match="too slowly"):
            await desk.fetch_media(found.id)
        asked = len(hub.media_asked)
        monkeypatch.undo()

        assert (await desk.fetch_media(found.id)).size == 1000
    assert asked == 1
