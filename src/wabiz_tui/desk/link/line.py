"""The desk's line to the hub: proves the device, keeps its token fresh, asks and listens."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.link.answers import parse_time, parse_wait, refusal
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput, CloudError, TooLarge, Unreachable, UsageError, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import (
    TIME_HEADER,
    TokenReply,
    TokenRequest,
)

if TYPE_CHECKING:
    import httpx

    Wire = httpx.AsyncBaseTransport

    from wabiz_tui.cloud.transport import Answer, Transport

T = TypeVar("T")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAX_ANSWER = 32 * 1024 * 1024
"""Sixteen times what the hub lets a page of its feed grow to; files come in pieces."""
_TIMEOUT, _CONNECT = 30.0, 5.0
# The hub sends a comment every 15 seconds; three missing ones mean that the line is dead.
_SILENCE = 45.0
_GATEWAY_VERSION = "v26.0"
_TOKEN_OVER = frozenset({"invalid_token", "unauthorized", "token_expired", "wrong_tokens"})
"""The hub's codes for a token that it does not know (any more); the last where too many such came from this address."""
# What is packed on the way could not be taken up in its middle, and customers' files are packed already.
_AS_IT_IS = {"Accept-Encoding": "identity"}
_NO_HUB = "What answers at the hub's address does not speak as a hub; check the address."
_TOO_LARGE = "The hub's answer is larger than any it should give."


class Line:
    """Requests as one device. Raises Unreachable when no answer came (whatever was asked is safe to ask again: the hub
    knows repeats by their key), Revoked when the hub no longer knows the device, and the hub's own refusals as errors of ours.

    `wire` replaces the network in tests.
    """

    def __init__(
        self,
        hub_url: str,
        *,
        device: str,
        tenant: str,
        seed: Secret | Callable[[], Awaitable[Secret]],
        clock: DeskClock,
        authorities: Path | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        wire: "Wire | None" = None,
    ) -> None:
        self.hub_url = check_url(hub_url)
        self._device, self._tenant, self._seed = device, tenant, seed
        self._clock, self._random = clock, random_bytes
        self._authorities, self._wire = authorities, wire
        self._http: httpx.AsyncClient | None = None
        self._gateway: Transport | None = None
        self._token: tuple[Secret, float] | None = None
        self._turn = asyncio.Lock()
        self.answered: Callable[[], None] = lambda: None
        """Told whenever the hub did what it was asked for."""

    async def request(self, method: str, path: str, body: bytes | None = None, *, timeout: float = _TIMEOUT) -> bytes:
        """One request as this device; `path` begins with /v1/. A token that ran out is renewed once."""
        for is_last in (False, True):
            token = await self._fresh_token()
            try:
                return await self._exchange(method, path, body, token=token, timeout=timeout)
            except WabizError as error:
                if not self._is_token_over(error) or is_last:
                    raise
        raise AssertionError("unreachable")

    async def events(self, path: str) -> AsyncIterator[tuple[str, str]]:
        """Server-sent events as (kind, data), until the hub ends the stream. Raises Unreachable after 45 seconds of silence."""
        http = await self._client()
        import httpx
        from httpx_sse import EventSource, SSEError

        headers = self._headers(await self._fresh_token()) | {"Accept": "text/event-stream", "Cache-Control": "no-store", **_AS_IT_IS}
        timeout = httpx.Timeout(_TIMEOUT, connect=_CONNECT, read=_SILENCE)
        try:
            async with http.stream("GET", self.hub_url + path, headers=headers, timeout=timeout) as response:
                if response.status_code != 200:
                    refused = await self._refused(response)
                    self._is_token_over(refused)  # the next stream begins with a new one
                    raise refused
                _check_as_it_is(response)
                response.stream = _bounded(response)
                async for event in EventSource(response).aiter_sse():
                    yield event.event, event.data
        except SSEError as error:
            raise BadInput(_NO_HUB) from error
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def download(self, path: str, *, start: int = 0) -> AsyncGenerator[bytes]:
        """What lies at `path`, from byte `start` on, as it comes and never unpacked. The caller bounds how much it takes.

        Raises Unreachable when the line is cut: ask again from where it was. Raises BadInput for what no hub answers: something
        packed, another part than was asked for, a body whose end could not be told from a cut."""
        http = await self._client()
        import httpx

        timeout = httpx.Timeout(_TIMEOUT, connect=_CONNECT)
        for is_last in (False, True):
            headers = self._headers(await self._fresh_token()) | _AS_IT_IS | ({"Range": f"bytes={start}-"} if start else {})
            try:
                async with http.stream("GET", self.hub_url + path, headers=headers, timeout=timeout) as response:
                    if response.status_code in (200, 206, 416):
                        async for piece in _from(response, start):
                            yield piece
                        return
                    error = await self._refused(response)
            except httpx.HTTPError as failure:
                raise self._unreachable(failure) from failure
            if not self._is_token_over(error) or is_last:
                raise error

    async def gateway(self, method: str, path: str, *, body: dict[str, Any] | None, headers: dict[str, str]) -> "Answer":
        """One request to the hub's gateway; `path` is what follows the version. Raises Unreachable when no answer came (ask again
        with the same key), CloudError with the hub's or Meta's refusal."""
        gateway = await self._open_gateway()
        for is_last in (False, True):
            await self._fresh_token()
            try:
                return await gateway.request(method, f"{_GATEWAY_VERSION}/{path}", body=body, headers=headers)
            except CloudError as error:
                if error.http_status is None:
                    raise Unreachable(f"The hub at {self._host} does not answer; the message waits and goes out by itself.") from error
                if not (error.http_status == 401 or self._is_token_over(error)) or is_last:
                    raise
                self._token = None
        raise AssertionError("unreachable")

    async def close(self) -> None:
        self._token = None
        if self._gateway is not None:
            await self._gateway.close()
        if self._http is not None:
            await self._http.aclose()
        self._gateway = self._http = None

    @property
    def _host(self) -> str:
        return urlsplit(self.hub_url).netloc

    async def _fresh_token(self) -> Secret:
        async with self._turn:
            if self._token is None or self._token[1] <= self._clock.monotonic():
                self._token = await self._new_token()
            return self._token[0]

    async def _new_token(self) -> tuple[Secret, float]:
        try:
            reply = await self._ask_token()
        except WabizError as error:
            # The refusal told the hub's time, so that a second assertion can be made by it.
            if error.code != "clock_skew":
                raise
            reply = await self._ask_token()
        # A token is renewed when four fifths of its life are over, so that none runs out on the way.
        return Secret(reply.access_token), self._clock.monotonic() + 0.8 * max(reply.expires_in, 1)

    async def _ask_token(self) -> TokenReply:
        from wabiz_tui.proof.assertions import make_assertion

        # After a warm start the key store is asked only when the first token is needed.
        seed = self._seed if isinstance(self._seed, Secret) else await self._seed()
        assertion = make_assertion(self._device, self._tenant, seed, self._clock.hub_now(), self._random)
        return decode(await self._exchange("POST", "/v1/token", encode(TokenRequest(assertion)), token=None), TokenReply)

    async def _exchange(self, method: str, path: str, body: bytes | None, *, token: Secret | None, timeout: float = _TIMEOUT) -> bytes:
        http = await self._client()
        import httpx

        try:
            async with http.stream(
                method,
                self.hub_url + path,
                content=body,
                headers=self._headers(token),
                timeout=httpx.Timeout(timeout, connect=_CONNECT),
            ) as response:
                self._hear_header(response.headers.get(TIME_HEADER))
                answer = await self._read(response)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if 200 <= response.status_code < 300:
            self.answered()
            return answer
        raise refusal(response.status_code, answer, self._wait(response))

    async def _refused(self, response: "httpx.Response") -> WabizError:
        """What an answer that is not 2xx stands for."""
        return refusal(response.status_code, await self._read(response), self._wait(response))

    def _is_token_over(self, error: WabizError) -> bool:
        """Whether the hub did not know the token: it is forgotten then, so that the next request proves the device anew."""
        is_over = error.code in _TOKEN_OVER
        if is_over:
            self._token = None
        return is_over

    async def _read(self, response: "httpx.Response") -> bytes:
        """The whole body, unpacked within its bound. Raises TooLarge, Unreachable; BadInput for what is packed otherwise than asked."""
        from wabiz_tui.cloud.wire import chunks

        try:
            async with aclosing(chunks(response, _MAX_ANSWER, is_safe=True)) as pieces:
                return b"".join([piece async for piece in pieces])
        except TooLarge as error:
            raise TooLarge(_TOO_LARGE) from error
        except CloudError as error:
            raise self._unreachable(error) from error

    def _wait(self, response: "httpx.Response") -> timedelta | None:
        return parse_wait(response.headers.get("retry-after"), self._clock.hub_now())

    def _headers(self, token: Secret | None) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"}
        return headers if token is None else headers | {"Authorization": f"Bearer {token.text()}"}

    def _unreachable(self, error: Exception) -> Unreachable:
        from wabiz_tui.cloud.wire import what_broke

        return Unreachable(f"The hub at {self._host} does not answer ({what_broke(error)}); check the network and try again.")

    def _hear(self, reply: T) -> T:
        at = cast("Any", reply).at
        if isinstance(at, datetime):
            self._clock.hear(at)
        return reply

    def _hear_header(self, text: str | None) -> None:
        at = parse_time(text)
        if at is not None:
            self._clock.hear(at)

    async def _client(self) -> "httpx.AsyncClient":
        if self._http is None:
            # Importing the libraries and reading the trusted authorities takes up to half a second: not on the event loop.
            self._http = await asyncio.to_thread(self._build_client)
        return self._http

    def _build_client(self) -> "httpx.AsyncClient":
        import httpx
        import httpx_sse  # noqa: F401  # pyright: ignore[reportUnusedImport] loaded here, so that the stream finds it
        import jwt  # noqa: F401  # pyright: ignore[reportUnusedImport] likewise the first token

        is_local = urlsplit(self.hub_url).hostname in _LOOPBACK
        # A proxy named in the environment cannot reach this machine's own hub.
        return httpx.AsyncClient(transport=self._own_wire(), follow_redirects=False, trust_env=not is_local)

    async def _open_gateway(self) -> "Transport":
        if self._gateway is None:
            self._gateway = await asyncio.to_thread(self._build_gateway)
        return self._gateway

    def _build_gateway(self) -> "Transport":
        from wabiz_tui.cloud.transport import Transport

        return Transport(
            self.hub_url,
            lambda: None if self._token is None else self._token[0],
            timeout=timedelta(seconds=_TIMEOUT),
            connect_timeout=timedelta(seconds=_CONNECT),
            media_hosts=(),
            wire=self._own_wire(),
        )

    def _own_wire(self) -> "Wire | None":
        if self._wire is not None or self._authorities is None:
            return self._wire
        import ssl

        import httpx

        try:
            return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=str(self._authorities)))
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{self._authorities} holds no certificates that can be read; see [hub] ca_file in config.toml.") from error


def check_url(hub_url: str) -> str:
    """The hub's address without a slash at the end. Raises UsageError for one that would send keys over an open line."""
    try:
        parts = urlsplit(hub_url)
        port_is_fine = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        port_is_fine, parts = False, urlsplit("")
    if not port_is_fine or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.query:
        raise UsageError("The hub's address must look like https://hub.example.com, without a user name.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError("The hub must be reached over https: over http its answers could be read and changed on the way.")
    return hub_url.rstrip("/")


def _bounded(response: "httpx.Response") -> "httpx.AsyncByteStream":
    """The body of an event stream, of which no event may be larger than an answer: the library keeps one until its end."""
    import httpx

    class Bounded(httpx.AsyncByteStream):
        def __init__(self, whole: httpx.AsyncByteStream) -> None:
            self._whole = whole

        async def __aiter__(self) -> AsyncIterator[bytes]:
            taken, tail = 0, b""
            async for chunk in self._whole:
                # An empty line ends an event, in whichever of the three ways its lines end (HTML, "Parsing an event stream").
                seen = tail + chunk
                ended = max(seen.rfind(end) for end in (b"\n\n", b"\r\r", b"\r\n\r\n"))
                taken = taken + len(chunk) if ended < 0 else len(seen) - ended
                tail = seen[-3:]
                if taken > _MAX_ANSWER:
                    raise TooLarge(_TOO_LARGE)
                yield chunk

        async def aclose(self) -> None:
            await self._whole.aclose()

    whole = response.stream
    assert isinstance(whole, httpx.AsyncByteStream)  # noqa: S101 an asynchronous client's response has no other
    return Bounded(whole)


async def _from(response: "httpx.Response", start: int) -> AsyncIterator[bytes]:
    """The bytes from `start` on of an answer 200, 206 or 416. Raises BadInput where it does not speak of them."""
    headers = response.headers
    part = headers.get("content-range", "")
    if response.status_code == 416:
        # Nothing comes behind `start`: true only of a file that ends there (RFC 9110 §15.5.17).
        if not start or part != f"bytes */{start}":
            raise BadInput(_NO_HUB)
        return
    if response.status_code == 206 and not (start and part.startswith(f"bytes {start}-")):
        raise BadInput(_NO_HUB)
    _check_as_it_is(response)
    if "content-length" not in headers and headers.get("transfer-encoding", "").lower() != "chunked":
        raise BadInput(_NO_HUB)
    # A hub that gives the whole again is told nothing twice: what is here already is passed over.
    known = start if response.status_code == 200 else 0
    async for piece in response.aiter_raw():
        rest = piece[known:]
        known -= len(piece) - len(rest)
        if rest:
            yield rest


def _check_as_it_is(response: "httpx.Response") -> None:
    """Raises BadInput for a body that is packed though that was not asked for: a small one could unfold to gigabytes."""
    if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise BadInput(_NO_HUB)
