"""What httpx does for the door, in our terms: requests whose URLs print without their query, failures by whether anything left,
answers decoded within bounds. Imported when the first door is built, because httpx is slow to import."""

import asyncio
import logging
import re
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, TypeAlias, cast
from urllib.request import getproxies

import httpx

from wabiz_tui.cloud.lanes import Lanes
from wabiz_tui.cloud.outcomes import may_have_arrived, never_left
from wabiz_tui.model.errors import BadInput, TooLarge
from wabiz_tui.model.secret import Secret

SAFE_METHODS = ("GET", "HEAD")
Chunks: TypeAlias = AsyncGenerator[bytes, None]
_PIECE = 256 * 1024
_MOST_CAUSES = 16
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_UNUSABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
# A TLS connection that breaks off in the middle can surface as ssl.SSLError, outside httpx's own tree.
_BROKEN = (httpx.HTTPError, ssl.SSLError)
_SECRET_PARAMETER = re.compile(r"((?:appsecret_proof|access_token|input_token|verify_token)=)[^&\s'\"]+|(Bearer )[^\s'\"]+", re.IGNORECASE)


_CAUSES: Final = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted here"),
    (ssl.SSLError, "no secure connection came about"),
    (socket.gaierror, "its name is not known"),
    (ConnectionRefusedError, "the connection was refused"),
)
_KINDS: Final = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.PoolTimeout, "too many requests at once"),
    (httpx.TimeoutException, "no answer in time"),
    (httpx.ProxyError, "the proxy refuses"),
    (httpx.ConnectError, "no connection"),
)


def what_broke(error: Exception) -> str:
    """Why a request failed, in words of ours: a library's name for it tells people nothing, and its text may repeat what was sent."""
    causes = list(_causes(error))
    for kind, words in _CAUSES:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return next((words for kind, words in _KINDS if isinstance(error, kind)), "the connection broke")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what led to it; a name with several addresses fails with a group of causes."""
    waiting = [error]
    for _ in range(_MOST_CAUSES):
        if not waiting:
            return
        cause = waiting.pop(0)
        yield cause
        waiting += cast("BaseExceptionGroup[Any]", cause).exceptions if isinstance(cause, BaseExceptionGroup) else ()
        before = cause.__cause__ or cause.__context__
        waiting += [before] if before is not None else ()


class QuietURL(httpx.URL):
    """Prints without its query: httpx logs every URL at INFO, and ours may carry appsecret_proof or a signature."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc.decode('ascii')}{self.path}"

    def __repr__(self) -> str:
        return f"QuietURL({str(self)!r})"


class _WithoutSecrets(logging.Filter):
    """httpcore logs the headers of answers at DEBUG; a redirect's Location may repeat the query it came with."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str):
            record.msg = _SECRET_PARAMETER.sub(r"\1\2<secret>", record.msg)
        return True


_FILTER = _WithoutSecrets()


class Wire:
    """Sends one request at a time, follows no redirect, keeps no cookie, and repeats nothing. Errors raised here hold neither the
    request nor the exception they stand for: both know the token."""

    def __init__(
        self,
        *,
        timeout: timedelta,
        connect_timeout: timedelta,
        max_connections: int,
        trust_env: bool,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        for name in ("httpcore.http11", "httpcore.http2"):
            logging.getLogger(name).addFilter(_FILTER)
        # By way of a proxy httpx finds the connections itself.
        lanes = None if trust_env and getproxies() else Lanes(max_connections)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout.total_seconds(), connect=connect_timeout.total_seconds()),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            follow_redirects=False,
            trust_env=trust_env,
            transport=transport or lanes,
        )
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        bearer: Secret | None = None,
        params: Mapping[str, str | int] | None = None,
        secret_params: Mapping[str, Secret] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        server_name: str | None = None,
    ) -> httpx.Response:
        """The answer's head; its body is still to be read, and the answer to be closed. `server_name` is what the certificate must
        be made out to where `url` names an address. Raises NeverLeft, Unanswered, Uncertain, or BadInput for what HTTP cannot say."""
        try:
            request = self._http.build_request(method, url, headers=headers, params=params, content=content)
            for name, value in (secret_params or {}).items():
                request.url = request.url.copy_merge_params({name: value.text()})
            request.url = QuietURL(request.url)
            if bearer is not None:
                request.headers["Authorization"] = f"Bearer {bearer.text()}"
            if server_name is not None:
                request.extensions["sni_hostname"] = server_name
            response = await self._http.send(request, stream=True)
        except _NEVER_LEFT as error:
            failure = never_left(what_broke(error))
            failure.add_note(str(error)[:200])
        except _UNUSABLE:
            failure = BadInput("The request cannot be written as HTTP: its URL or a header is not valid.")
        except _BROKEN as error:
            failure = may_have_arrived(what_broke(error), is_safe=method in SAFE_METHODS)
        else:
            return response
        raise failure

    async def close(self) -> None:
        await self._http.aclose()


async def read(response: httpx.Response, limit: int, *, is_safe: bool) -> bytes:
    """The whole body, decoded. Raises as `chunks` does."""
    async with aclosing(chunks(response, limit, is_safe=is_safe)) as pieces:
        return b"".join([piece async for piece in pieces])


async def chunks(response: httpx.Response, limit: int, *, is_safe: bool, within: timedelta | None = None) -> Chunks:
    """The body in pieces of at most 256 KiB, decoded. Raises TooLarge above `limit` bytes, BadInput for an encoding that was not
    asked for, Unanswered or Uncertain when it breaks off or takes longer than `within` to come."""
    received = 0
    encoding = response.headers.get("content-encoding", "")
    raw = _raw(response, within, is_safe=is_safe)
    async with aclosing(_whole(response) if response.is_stream_consumed else _decoded(raw, encoding)) as pieces:
        async for piece in pieces:
            received += len(piece)
            if received > limit:
                raise TooLarge(f"The answer is larger than {limit} bytes.")
            yield piece


async def _whole(response: httpx.Response) -> Chunks:
    """What a stand-in for the network made of bytes: httpx has read and decoded it already."""
    yield response.content


async def _raw(response: httpx.Response, within: timedelta | None, *, is_safe: bool) -> Chunks:
    """httpx's failures as ours; time that the reader of the pieces takes is not counted."""
    loop = asyncio.get_running_loop()
    left = within.total_seconds() if within is not None else None
    pieces = response.aiter_raw()
    while True:
        since = loop.time()
        try:
            async with asyncio.timeout(left):
                piece = await anext(pieces, None)
        except _BROKEN as error:
            failure = may_have_arrived(what_broke(error), is_safe=is_safe)
        except TimeoutError:
            failure = may_have_arrived("it took too long", is_safe=is_safe)
        else:
            if piece is None:
                return
            left = left - (loop.time() - since) if left is not None else None
            yield piece
            continue
        raise failure


async def _decoded(raw: Chunks, encoding: str) -> Chunks:
    """gzip is undone piece by piece: a small answer that unfolds to gigabytes is found out at the limit, not in memory."""
    kind = encoding.strip().lower()
    if kind not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise BadInput("The answer is packed in a way that was not asked for.")
    async with aclosing(raw if kind in ("", "identity") else _unpacked(raw)) as pieces:
        async for piece in pieces:
            yield piece


async def _unpacked(raw: Chunks) -> Chunks:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        async with aclosing(raw) as pieces:
            async for piece in pieces:
                packed = piece
                while packed and not unpacking.eof:
                    yield unpacking.decompress(packed, _PIECE)
                    packed = unpacking.unconsumed_tail
        yield unpacking.flush()
    except zlib.error:
        raise BadInput("The answer is not packed as it says.") from None
    if not unpacking.eof:
        raise BadInput("The answer is packed and ends too early.")
