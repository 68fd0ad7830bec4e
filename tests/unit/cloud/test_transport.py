"""The door to Meta: what a failed request means, and where the token may go."""

import asyncio
import ssl
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.cloud_wire import TOKEN, Recorder, answering, cloud_at, listening, public
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.cloud.wire import what_broke
from wabiz_tui.graph.requests import build_text
from wabiz_tui.model.errors import BadInput, CloudError, TooLarge
from wabiz_tui.model.secret import Secret

BODY = build_text(to="+1", body="Hi")


async def failure_of(url: str, *, seconds: float = 5.0) -> CloudError:
    async with cloud_at(url, seconds=seconds) as cloud:
        with pytest.raises(CloudError) as failure:
            await cloud.send("1", BODY)
        return failure.value


async def test_nobody_listens() -> None:
    """A send to a closed port never left: it may be repeated."""
    failure = await failure_of("http://127.0.0.1:1")

    assert (failure.is_transient, failure.is_uncertain, failure.code) == (True, False, "unreachable")


async def test_unknown_host() -> None:
    """A name that does not resolve never left either."""
    async with cloud_at("https://graph.invalid") as cloud:
        with pytest.raises(CloudError) as failure:
            await cloud.send("1", BODY)

    assert (failure.value.is_transient, failure.value.is_uncertain) == (True, False)


@pytest.mark.parametrize(
    ("url", "words"), [("http://127.0.0.1:1", "the connection was refused"), ("https://graph.invalid", "its name is not known")]
)
async def test_what_broke_is_told_in_words(url: str, words: str) -> None:
    """Who reads the failure learns what to look at, and no name of a class in a library."""
    failure = await failure_of(url)

    assert failure.sentence == f"WhatsApp cannot be reached ({words}): nothing was sent."


def test_a_certificate_that_is_not_trusted_is_named() -> None:
    """A hub or proxy with a certificate of its own is told apart from a network that is down, on whichever of its addresses it was."""
    failure = httpx.ConnectError("All connection attempts failed")
    failure.__cause__ = ExceptionGroup("all", [OSError(101, "unreachable"), ssl.SSLCertVerificationError("self-signed")])

    assert what_broke(failure) == "its certificate is not trusted here"
    assert what_broke(httpx.ReadTimeout("")) == "no answer in time"
    assert what_broke(httpx.RemoteProtocolError("customer's text")) == "the connection broke"


async def test_cut_after_the_request() -> None:
    """A connection that ends after the request was sent leaves it uncertain."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with listening(cut) as url:
        failure = await failure_of(url)

    assert (failure.is_transient, failure.is_uncertain) == (False, True)


async def test_no_answer_in_time() -> None:
    """A send that is never answered is uncertain."""
    over = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with listening(wait) as url:
        failure = await failure_of(url, seconds=0.2)
        over.set()

    assert failure.is_uncertain


@pytest.mark.parametrize(
    ("raw", "is_transient", "is_uncertain", "code"),
    [
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\nnope", False, True, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", False, True, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", False, True, None),
        (b"garbage\r\n\r\n", False, True, None),
        (b'HTTP/1.1 400 Bad\r\nRetry-After: 7\r\nContent-Length: 25\r\n\r\n{"error":{"code":130429}} ', True, False, 130429),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", False, False, None),
    ],
)
async def test_answers_to_a_send(raw: bytes, is_transient: bool, is_uncertain: bool, code: int | None) -> None:
    """A refusal with a code is certain; an answer that cannot be read is not; a redirect is not followed."""
    async with listening(answering(raw)) as url:
        failure = await failure_of(url)

    assert (failure.is_transient, failure.is_uncertain, failure.graph_code) == (is_transient, is_uncertain, code)
    assert failure.retry_after == (timedelta(seconds=7) if code else None)


async def test_safe_methods_are_never_uncertain() -> None:
    """A question that got no answer may simply be asked again."""
    async with listening(answering(b"")) as url, cloud_at(url) as cloud:
        with pytest.raises(CloudError) as failure:
            await cloud.numbers.info("1")

    assert (failure.value.is_transient, failure.value.is_uncertain) == (True, False)


async def test_errors_hold_no_secret() -> None:
    """Neither token nor message stands in the error or in what caused it."""
    failure = await failure_of("http://127.0.0.1:1")
    texts = f"{failure!r} {failure.sentence} {failure.__cause__!r} {failure.__dict__}"

    assert "EAAGtokensensitive0123456789abcdef" not in texts
    assert "Hi" not in texts.split()


@pytest.mark.parametrize(
    "url",
    [
        "http://lookaside.fbsbx.com/x",
        "https://graph.facebook.com@evil.example/x",
        "http://graph.facebook.com/x",
        "http://graph.facebook.com:443/x",
        "file:///etc/passwd",
        "//evil.example/x",
        "https://[bad",
        "https://graph.facebook.com:99999/x",
        "https://graph.facebook.com\\@evil.example/x",
        "https://evil.example/\r\nAuthorization: x",
        "",
    ],
)
async def test_urls_that_are_not_fetched(url: str) -> None:
    """A URL that is no plain https URL, or not https outside of the base URL's own origin, is refused before anything is sent."""
    recorder = Recorder(b"x")
    transport = Transport("https://graph.facebook.com", TOKEN, wire=recorder, resolve=public)

    with pytest.raises(BadInput):
        async with transport.download(url):
            pass

    assert recorder.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x?y=1",
        "https://lookaside.fbsbx.com.evil.example/x?y=1",
        "https://lookaside.fbsbx.com:8443/x?y=1",
        "https://graph.facebook.com:444/x?y=1",
        "https://GRAPH.facebook.com.:443/x?y=1",
    ],
)
async def test_the_token_goes_nowhere_else(url: str) -> None:
    """A file on another public host is fetched from the address that was checked, under its name, without the token."""
    recorder = Recorder(b"x")
    transport = Transport("https://graph.facebook.com", TOKEN, app_secret=Secret("app"), wire=recorder, resolve=public)

    async with transport.download(url) as chunks:
        assert [chunk async for chunk in chunks] == [b"x"]

    (asked,) = recorder.asked
    assert "authorization" not in asked.headers
    assert asked.url.host == "93.184.216.34"
    assert asked.url.raw_path == b"/x?y=1"
    assert asked.headers["host"] == urlsplit(url).netloc.lower().removesuffix(":443")
    assert asked.extensions["sni_hostname"] == urlsplit(url).hostname


@pytest.mark.parametrize("url", ["https://lookaside.fbsbx.com/x", "https://graph.facebook.com/x", "https://Graph.Facebook.com:443/x"])
async def test_the_token_goes_to_meta(url: str) -> None:
    """Meta's media host and the API host get the token, whatever the URL's capitals and default port."""
    recorder = Recorder(b"x")
    transport = Transport("https://graph.facebook.com", TOKEN, wire=recorder)

    async with transport.download(url) as chunks:
        assert [chunk async for chunk in chunks] == [b"x"]

    assert recorder.asked[0].headers["authorization"] == "Bearer EAAGtokensensitive0123456789abcdef"


async def test_downloads_are_bounded() -> None:
    """More bytes than asked for end in TooLarge."""
    transport = Transport("https://graph.facebook.com", TOKEN, wire=Recorder(b"x" * 100))

    with pytest.raises(TooLarge):
        async with transport.download("https://graph.facebook.com/x", limit=99) as chunks:
            _ = [chunk async for chunk in chunks]


@pytest.mark.parametrize("url", ["http://graph.facebook.com", "ftp://x", "graph.facebook.com", "https://user:pass@host"])
def test_base_urls(url: str) -> None:
    """A token travels over http on this machine only, and a base URL names no user."""
    with pytest.raises(BadInput):
        Transport(url, TOKEN)


async def test_ids_cannot_leave_their_place() -> None:
    """An id with slashes in it stays one part of the path."""
    recorder = Recorder(b'{"id":"1"}')
    cloud = CloudClient(Transport("https://graph.facebook.com", TOKEN, wire=recorder))

    await cloud.numbers.info("../me/accounts?x=")

    assert recorder.asked[0].url.raw_path.startswith(b"/v26.0/..%2Fme%2Faccounts%3Fx%3D?")


async def test_token_may_be_renewed() -> None:
    """A function for a token is asked at each request."""
    tokens = iter([Secret("first"), Secret("second")])
    recorder = Recorder(b"{}")
    transport = Transport("https://graph.facebook.com", lambda: next(tokens), wire=recorder)

    for _ in range(2):
        await transport.request("GET", "x")

    assert [request.headers["authorization"] for request in recorder.asked] == ["Bearer first", "Bearer second"]
