"""The one door for HTTP to Meta (and to the hub's gateway): it sends, bounds and says whether a failed request may have arrived."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from wabiz_tui.graph.errors import parse_error
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError, TooLarge
from wabiz_tui.model.secret import Secret

if TYPE_CHECKING:
    import httpx

MEDIA_HOSTS = ("lookaside.fbsbx.com",)
MAX_ANSWER = 16 * 1024 * 1024
MAX_MEDIA = 110 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SAFE_METHODS = ("GET", "HEAD")


class Answer(msgspec.Struct, frozen=True):
    """An answer with status 2xx. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Upload(msgspec.Struct, frozen=True):
    """A file for a multipart request."""

    filename: str
    mime_type: str
    content: bytes


class Transport:
    """Requests below `base_url` with a Bearer token. Redirects are not followed, and the token goes to no host but that of
    `base_url` and Meta's media host (cloud-api §1).

    `token` may be a function when it is renewed while the transport lives. `wire` replaces the network in tests. Nothing is
    retried here: who calls knows whether a repeat would be a second message.
    """

    def __init__(
        self,
        base_url: str,
        token: Secret | Callable[[], Secret | None] | None,
        *,
        timeout: timedelta = timedelta(seconds=30),
        connect_timeout: timedelta = timedelta(seconds=10),
        max_connections: int = 100,
        media_hosts: tuple[str, ...] = MEDIA_HOSTS,
        wire: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        import httpx

        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise BadInput("The base URL must be http(s)://host[:port][/path] without a user name.")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and token is not None:
            raise BadInput("A token travels over http only on this machine: use https.")
        self._base = base_url.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self._media_hosts = media_hosts
        self._token = token
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout.total_seconds(), connect=connect_timeout.total_seconds()),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            follow_redirects=False,
            # A proxy named in the environment cannot reach this machine's own servers.
            trust_env=parts.hostname not in _LOOPBACK,
            transport=wire,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: object | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        upload: Upload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. `body` travels as JSON, `content` as it is, `form` and `upload` (its part is named `file`) as multipart; an
        empty `path` is the base URL itself.

        Raises CloudError for every answer that is not 2xx and for every failure on the way: with is_transient and not
        is_uncertain when it certainly never left (no connection), with is_uncertain when it may have been carried out (a
        time-out or a cut after it was sent; safe methods are transient instead).
        """
        prepared = self._prepare(method, self._base + "/" + path.lstrip("/") if path else self._base, headers)
        if content is not None:
            prepared["content"] = content
        if body is not None:
            prepared |= {"content": encode(body), "headers": {**prepared["headers"], "Content-Type": "application/json"}}
        if upload is not None:
            prepared |= {"data": dict(form or {}), "files": {"file": (upload.filename, upload.content, upload.mime_type)}}
        elif form is not None:
            prepared["data"] = dict(form)
        if params is not None:
            prepared["params"] = dict(params)
        async with self._exchange(prepared) as response:
            content = await _read(response, MAX_ANSWER)
            if not 200 <= response.status_code < 300:
                raise parse_error(content, response.status_code, retry_after=_retry_after(response.headers.get("retry-after")))
            return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)

    @asynccontextmanager
    async def download(self, url: str, *, limit: int = MAX_MEDIA) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """The bytes behind an absolute `url`, in chunks. Raises BadInput for a host the token may not go to, CloudError (with the
        HTTP status) when the answer is not 2xx or breaks off, TooLarge after `limit` bytes."""
        if not self._is_trusted(url):
            raise BadInput("The media URL points to a host that must not get the token.")
        async with self._exchange(self._prepare("GET", url, None)) as response:
            if not 200 <= response.status_code < 300:
                raise parse_error(await _read(response, MAX_ANSWER), response.status_code)
            yield _chunks(response, limit)

    async def close(self) -> None:
        await self._http.aclose()

    def _prepare(self, method: str, url: str, headers: Mapping[str, str] | None) -> dict[str, Any]:
        token = self._token() if callable(self._token) else self._token
        bearer = {"Authorization": f"Bearer {token.text()}"} if token is not None else {}
        return {"method": method, "url": url, "headers": {**(headers or {}), **bearer}}

    def _is_trusted(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        if parts.username is not None or host is None:
            return False
        if (parts.scheme, parts.netloc) == self._origin:
            return True
        return parts.scheme == "https" and host in self._media_hosts and parts.port in (None, 443)

    @asynccontextmanager
    async def _exchange(self, prepared: dict[str, Any]) -> AsyncGenerator["httpx.Response", None]:
        """httpx's failures as ours. Everything before the request's first byte is 'never left'."""
        import httpx

        is_safe = prepared["method"] in _SAFE_METHODS
        try:
            async with self._http.stream(**prepared) as response:
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise _never_left(error) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise BadInput("The URL cannot be used.") from error
        except httpx.HTTPError as error:
            raise _may_have_arrived(error, is_safe=is_safe) from error


def _never_left(error: Exception) -> CloudError:
    sentence = f"WhatsApp cannot be reached ({type(error).__name__}): nothing was sent."
    return CloudError(sentence, code="unreachable", is_transient=True)


def _may_have_arrived(error: Exception, *, is_safe: bool) -> CloudError:
    if is_safe:
        return CloudError(f"WhatsApp did not answer ({type(error).__name__}).", code="unreachable", is_transient=True)
    return CloudError(
        f"The connection broke before WhatsApp answered ({type(error).__name__}): check whether it arrived before sending again.",
        is_uncertain=True,
    )


async def _read(response: "httpx.Response", limit: int) -> bytes:
    return b"".join([chunk async for chunk in _chunks(response, limit)])


async def _chunks(response: "httpx.Response", limit: int) -> AsyncIterator[bytes]:
    received = 0
    async for chunk in response.aiter_bytes():
        received += len(chunk)
        if received > limit:
            raise TooLarge(f"The answer is larger than {limit} bytes.")
        yield chunk


def _retry_after(value: str | None) -> timedelta | None:
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 6:
        return None
    return timedelta(seconds=int(value))
