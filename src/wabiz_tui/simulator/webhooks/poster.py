"""Post bodies to one address over kept HTTP/1.1 connections: the quick half of the courier, which knows nothing of webhooks.

A thousand posts a second leave one process this way; a general client takes several times as long for each.
"""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import httptools
import msgspec

from wabiz_tui.model.errors import BadInput

MAX_KEPT_ANSWER = 64 * 1024
MAX_ANSWER = 1024 * 1024


class PostFailed(Exception):
    """No whole answer came; the text says why in a word or two."""


class PostAnswer(msgspec.Struct, frozen=True):
    """An answer of any status; of its body the first 64 KiB."""

    status: int
    body: bytes


def check_address(url: str) -> None:
    """Raises BadInput for an address that nothing can be posted to."""
    _address(url)


def _address(url: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput("The callback must be a URL such as http://127.0.0.1:8000/webhook.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or not url.isascii():
        raise BadInput("The callback must be a URL such as http://127.0.0.1:8000/webhook, without a user name.")
    if any(character <= " " for character in url):
        raise BadInput("The callback's URL must not hold spaces.")
    return parts, parts.hostname, port


class Poster:
    """Requests to `url` (with its own path and query). Redirects are answers like any other; proxies are not used.

    Raises BadInput for an address that is no http(s) URL."""

    def __init__(self, url: str, *, timeout: float) -> None:
        parts, host, port = _address(url)
        self._host, self._is_tls, self._timeout = host, parts.scheme == "https", timeout
        self._port = port or (443 if self._is_tls else 80)
        self._netloc, self._path, self._query = parts.netloc, parts.path or "/", parts.query
        self._idle: list[_Line] = []
        self._is_closed = False

    async def request(self, method: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, query: str = "") -> PostAnswer:
        """One request; `query` is added to the URL's own. Raises PostFailed. A kept connection that the other side has closed in the
        meantime is replaced once, as long as no byte of an answer came."""
        whole = self._bytes(method, body, headers or {}, query)
        try:
            async with asyncio.timeout(self._timeout):
                line = self._kept()
                if line is not None:
                    try:
                        return await self._exchange(line, whole)
                    except _Stale:
                        pass
                return await self._exchange(await self._opened(), whole)
        except TimeoutError as error:
            raise PostFailed("timeout") from error
        except (OSError, _Stale) as error:
            raise PostFailed("connection refused" if isinstance(error, ConnectionRefusedError) else "connection lost") from error

    def close(self) -> None:
        self._is_closed = True
        while self._idle:
            self._idle.pop().abort()

    def _bytes(self, method: str, body: bytes, headers: Mapping[str, str], query: str) -> bytes:
        joined = "&".join(part for part in (self._query, query) if part)
        lines = [f"{method} {self._path}{'?' + joined if joined else ''} HTTP/1.1", f"Host: {self._netloc}", "Accept: */*"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    def _kept(self) -> "_Line | None":
        while self._idle:
            line = self._idle.pop()
            if line.is_open:
                return line
        return None

    async def _opened(self) -> "_Line":
        tls = ssl.create_default_context() if self._is_tls else None
        _, line = await asyncio.get_running_loop().create_connection(_Line, self._host, self._port, ssl=tls)
        return line

    async def _exchange(self, line: "_Line", whole: bytes) -> PostAnswer:
        try:
            answer = await line.exchange(whole)
        except BaseException:
            line.abort()
            raise
        if line.is_open and not self._is_closed:
            self._idle.append(line)
        else:
            line.abort()
        return answer


class _Stale(Exception):
    """The connection ended before the first byte of an answer."""


class _Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[PostAnswer] | None = None
        self._start()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def exchange(self, whole: bytes) -> "asyncio.Future[PostAnswer]":
        self._start()
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            self._answer.set_exception(_Stale())
        else:
            self._transport.write(whole)
        return self._answer

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 what create_connection promises
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(PostFailed("no HTTP answer"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._is_in_body:
            # An answer without a length ends with its connection.
            self._finish()
        self._fail(PostFailed("connection lost") if self._has_begun else _Stale())

    def on_headers_complete(self) -> None:
        self._is_in_body = self._parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        self._length += len(body)
        if len(self._body) < MAX_KEPT_ANSWER:
            self._body += body[: MAX_KEPT_ANSWER - len(self._body)]
        if self._length > MAX_ANSWER:
            self._finish()
            self.abort()

    def on_message_complete(self) -> None:
        """The answer proper comes after one of status 1xx."""
        if self._is_in_body:
            is_kept = self._parser.should_keep_alive()
            self._finish()
            if not is_kept:
                self.abort()

    def _start(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._length = 0
        self._has_begun = self._is_in_body = False

    def _finish(self) -> None:
        self._is_in_body = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(PostAnswer(self._parser.get_status_code(), bytes(self._body)))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.abort()
