"""The one door for HTTP to Meta (and to the hub's gateway): it sends, bounds and says whether a failed request may have arrived."""

import asyncio
import hmac
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import SplitResult, urlencode, urlunsplit

import msgspec

from wabiz_tui.cloud.addresses import Resolve, public_address, resolve, split_url
from wabiz_tui.cloud.multipart import Upload, new_boundary
from wabiz_tui.cloud.outcomes import Refused, Uncertain, may_have_arrived, outcome
from wabiz_tui.cloud.usage import Usage, parse_usage
from wabiz_tui.graph.errors import parse_error
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError, TooLarge
from wabiz_tui.model.secret import Secret

if TYPE_CHECKING:
    import httpx

    from wabiz_tui.cloud.wire import Wire

MEDIA_HOSTS = ("lookaside.fbsbx.com",)
MAX_ANSWER = 16 * 1024 * 1024
MAX_MEDIA = 110 * 1024 * 1024
_MAX_ERROR = 4 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SAFE_METHODS = ("GET", "HEAD")
_TOKEN = re.compile(r"[\x21-\x7e]+")
# Meta's access tokens begin so: also one that is not ours, or cut short, is not shown.
_ANY_TOKEN = re.compile(r"EAA[A-Za-z0-9]{16,}")

Secrets: TypeAlias = tuple[Secret | None, ...]
Token: TypeAlias = Secret | Callable[[], Secret | None] | None


class Answer(msgspec.Struct, frozen=True):
    """An answer with status 2xx. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Download:
    """A file on its way in: iterate over it once, within the `async with` that opened it. `size` is what the server promised."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], mime_type: str, size: int | None) -> None:
        self._pieces, self.mime_type, self.size = pieces, mime_type, size

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces


class Transport:
    """Requests below `base_url` with a Bearer token. Redirects are not followed, and the token goes to no host but that of
    `base_url` and Meta's media host (cloud-api §1).

    `token` may be a function when it is renewed while the transport lives. With `app_secret` every request below `base_url`
    carries `appsecret_proof` (Meta: Securing Graph API Requests). `timeout` is for each step on the way, `whole` for a request
    from its start to its answer's end, `whole_media` for a file. `wire` replaces the network, and `resolve` the look-up of names,
    in tests. Nothing is retried here: who calls knows whether a repeat would be a second message.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        app_secret: Secret | None = None,
        timeout: timedelta = timedelta(seconds=30),
        connect_timeout: timedelta = timedelta(seconds=10),
        whole: timedelta = timedelta(minutes=2),
        whole_media: timedelta = timedelta(minutes=30),
        max_connections: int = 100,
        media_hosts: tuple[str, ...] = MEDIA_HOSTS,
        resolve: Resolve = resolve,
        wire: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        from wabiz_tui.cloud import wire as wires

        parts = split_url(base_url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and (token is not None or app_secret is not None):
            raise BadInput("A token travels over http only on this machine: use https.")
        self._base = base_url.rstrip("/")
        self._origin = _origin(parts)
        self._media_hosts, self._resolve = media_hosts, resolve
        self._token, self._app_secret = token, app_secret
        self._whole, self._whole_media = whole, whole_media
        self.usage: Usage | None = None
        """What Meta last told of its rate limits."""
        self._wires = wires

        def build(*, trust_env: bool) -> "Wire":
            return wires.Wire(
                timeout=timeout, connect_timeout=connect_timeout, max_connections=max_connections, trust_env=trust_env, transport=wire
            )

        # A proxy named in the environment cannot reach this machine's own servers.
        self._wire = build(trust_env=parts.hostname not in _LOOPBACK)
        self._build_direct, self._direct = lambda: build(trust_env=False), None

    def __repr__(self) -> str:
        return f"Transport({self._base!r})"

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
        secret_params: Mapping[str, Secret] | None = None,
        secrets: tuple[Secret, ...] = (),
        token: Secret | None = None,
    ) -> Answer:
        """One request. `body` travels as JSON, `content` as it is, `form` and `upload` (its part is named `file`) as multipart; an
        empty `path` is the base URL itself. `token` stands in for the transport's own, `secret_params` go into the query unseen, and
        `secrets`, which the body holds, are taken out of what Meta repeats.

        Raises the kinds of cloud/outcomes.py: Refused for an answer that is not 2xx; NeverLeft when it certainly never left;
        Uncertain when it may have been carried out (a time-out, a cut, an answer that cannot be read), which for safe methods
        is Unanswered instead. BadInput and TooLarge for what cannot be asked, and for a safe method's unreadable answer.
        """
        is_safe = method in _SAFE_METHODS
        bearer = token if token is not None else self._bearer()
        hidden = {**self._proof(bearer), **(secret_params or {})}
        limit = self._whole if upload is None else self._whole_media
        sent_headers, sent = _written(body, content, form, upload)
        scope = asyncio.timeout(limit.total_seconds())
        try:
            async with scope:
                response = await self._wire.open(
                    method,
                    self._base + "/" + path.lstrip("/") if path else self._base,
                    headers={"Accept-Encoding": "gzip", **(headers or {}), **sent_headers},
                    bearer=bearer,
                    params=params,
                    secret_params=hidden,
                    content=sent,
                )
                return await self._answer(response, is_safe=is_safe, secrets=(bearer, *hidden.values(), *secrets))
        except TimeoutError:
            if not scope.expired():
                raise
        raise may_have_arrived("it took too long", is_safe=is_safe)

    @asynccontextmanager
    async def download(self, url: str, *, limit: int = MAX_MEDIA) -> AsyncGenerator[Download, None]:
        """The file behind an absolute `url`, as it comes. Hosts other than the base URL's and Meta's media host are asked over
        https, without the token, and only at public addresses. Raises BadInput for any other URL, Refused (with the HTTP status)
        when the answer is not 2xx, Unanswered when it breaks off, TooLarge above `limit` bytes."""
        parts = split_url(url)
        is_trusted = self._is_trusted(parts)
        bearer = self._bearer() if is_trusted else None
        response = await (self._open_trusted(url, bearer) if is_trusted else self._open_public(parts))
        try:
            if not 200 <= response.status_code < 300:
                raise await self._refusal(response, is_safe=True, secrets=(bearer,))
            size = _content_length(response)
            if size is not None and size > limit:
                raise TooLarge(f"The file is larger than {limit} bytes.")
            pieces = self._wires.chunks(response, limit, is_safe=True, within=self._whole_media)
            async with aclosing(pieces):
                yield Download(pieces, response.headers.get("content-type", "")[:200], size)
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._wire.close()
        if self._direct is not None:
            await self._direct.close()

    def _bearer(self) -> Secret | None:
        token = self._token() if callable(self._token) else self._token
        if token is not None and not _TOKEN.fullmatch(token.text()):
            raise BadInput("The token is empty or holds characters that no token has: look for a line break at its end.")
        return token

    def _proof(self, bearer: Secret | None) -> dict[str, Secret]:
        if self._app_secret is None or bearer is None:
            return {}
        return {"appsecret_proof": Secret(hmac.new(self._app_secret.reveal(), bearer.reveal(), "sha256").hexdigest())}

    def _is_trusted(self, parts: SplitResult) -> bool:
        if _origin(parts) == self._origin:
            return True
        return parts.scheme == "https" and parts.hostname in self._media_hosts and parts.port in (None, 443)

    async def _open_trusted(self, url: str, bearer: Secret | None) -> "httpx.Response":
        return await self._wire.open("GET", url, headers={"Accept-Encoding": "identity"}, bearer=bearer)

    async def _open_public(self, parts: SplitResult) -> "httpx.Response":
        """Not by way of a proxy: which address it would connect to cannot be checked here."""
        if parts.scheme != "https":
            raise BadInput("A file outside of WhatsApp's own hosts is fetched over https only.")
        try:
            host = (parts.hostname or "").encode("idna").decode()
        except UnicodeError:
            raise BadInput("The URL's host is no name.") from None
        address = await public_address(host, parts.port or 443, self._resolve)
        port = f":{parts.port}" if parts.port not in (None, 443) else ""
        netloc = (f"[{address}]" if ":" in address else address) + port
        if self._direct is None:
            self._direct = self._build_direct()
        headers = {"Accept-Encoding": "identity", "Host": host + port}
        return await self._direct.open("GET", urlunsplit(parts._replace(netloc=netloc, fragment="")), headers=headers, server_name=host)

    async def _answer(self, response: "httpx.Response", *, is_safe: bool, secrets: Secrets) -> Answer:
        try:
            self.usage = parse_usage(response.headers) or self.usage
            if not 200 <= response.status_code < 300:
                raise await self._refusal(response, is_safe=is_safe, secrets=secrets)
            try:
                body = await self._wires.read(response, MAX_ANSWER, is_safe=is_safe)
            except BadInput as error:
                if is_safe:
                    raise
                raise _unreadable(response.status_code) from error
            return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)
        finally:
            await response.aclose()

    async def _refusal(self, response: "httpx.Response", *, is_safe: bool, secrets: Secrets) -> CloudError:
        """What breaks off, or is too much to read, is an answer without a reason: its status still says what became of the request."""
        try:
            raw = await self._wires.read(response, _MAX_ERROR, is_safe=True)
        except (CloudError, BadInput):
            raw = b""
        known = (*secrets, self._app_secret)
        for secret in known:
            raw = raw.replace(secret.reveal(), b"<secret>") if secret else raw
        error = parse_error(raw, response.status_code, retry_after=_retry_after(response.headers.get("retry-after")))
        failure = outcome(error, is_safe=is_safe, hide=lambda text: _hidden(text, known))
        if isinstance(failure, Refused):
            failure.answer = raw
        return failure


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _written(
    body: object | None, content: bytes | None, form: Mapping[str, str] | None, upload: Upload | None
) -> tuple[dict[str, str], bytes | AsyncIterator[bytes] | None]:
    """The headers that tell what is sent, and what is sent."""
    if upload is not None:
        boundary = new_boundary()
        return upload.headers(form or {}, boundary), upload.body(form or {}, boundary)
    if body is not None:
        return {"Content-Type": "application/json"}, encode(body)
    if form is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
    return {}, content


def _unreadable(status: int) -> Uncertain:
    sentence = "WhatsApp's answer cannot be read: check whether it arrived before sending again."
    return Uncertain(sentence, http_status=status, is_uncertain=True)


def _hidden(text: str, secrets: Secrets) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret.text(), "<secret>")
    return _ANY_TOKEN.sub("<secret>", text)


def _content_length(response: "httpx.Response") -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _retry_after(value: str | None) -> timedelta | None:
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 6:
        return None
    return timedelta(seconds=int(value))
