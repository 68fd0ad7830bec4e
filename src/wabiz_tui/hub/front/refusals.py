"""What the front answers by itself, before any route: one status, one code, one sentence, in the shape the path's clients read."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from wabiz_tui.graph.errors import build_error
from wabiz_tui.model.codec import encode
from wabiz_tui.model.wire import ErrorBody

_GATEWAY = re.compile(r"/v\d{1,3}\.\d{1,2}/")
_TRANSIENT, _WRONG = 131016, 100  # Meta's codes: the service is overloaded; the request is not valid


class Refusal(NamedTuple):
    """`reason` is the code for callers, metrics and the log; there are only those below."""

    status: int
    reason: str
    sentence: str
    retry_after: int = 0


BAD_REQUEST = Refusal(400, "bad_request", "This is no valid HTTP request.")
HEAD_TOO_SLOW = Refusal(408, "header_too_slow", "The request came too slowly; send it again.")
BODY_TOO_SLOW = Refusal(408, "body_too_slow", "The request came too slowly; send it again.")
NO_TLS = Refusal(403, "plain_http", "The hub takes plain HTTP from this machine and its trusted proxies only; use https.")
TOO_LARGE = Refusal(413, "too_large", "The request is larger than this endpoint takes.")
URL_TOO_LONG = Refusal(414, "url_too_long", "The address of the request is too long.")
HEAD_TOO_LARGE = Refusal(431, "header_too_large", "The headers of the request are too large.")
TOO_MANY_LINES = Refusal(429, "too_many_connections", "Too many connections from this address; use fewer.", 5)
WRONG_TOKENS = Refusal(
    429, "wrong_tokens", "Too many wrong access tokens came from this address; try again after the time that Retry-After says."
)
FULL = Refusal(503, "connections_full", "The hub has no room for another connection now; try again in a moment.", 2)
BUSY = Refusal(503, "requests_full", "The hub is busy; try again in a moment.", 1)
WEBHOOKS_BUSY = Refusal(503, "webhooks_full", "The hub is busy; send it again in a moment.", 1)
STREAMS_FULL = Refusal(503, "streams_full", "The hub has no room for another stream now; try again in a moment.", 5)
BODIES_FULL = Refusal(503, "bodies_full", "The hub has too much on its way in; try again in a moment.", 2)


def render(refusal: Refusal, path: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """The whole answer as it goes on the line; the line ends with it."""
    body, kind = b"", b"text/plain; charset=utf-8"
    if _GATEWAY.match(path):
        body, kind = _graph(refusal), b"application/json"
    elif path.startswith("/v1/"):
        body, kind = encode(ErrorBody(code=refusal.reason, sentence=refusal.sentence)), b"application/json"
    status = HTTPStatus(refusal.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"content-type: " + kind, b"content-length: %d" % len(body), b"cache-control: no-store", b"connection: close"]
    if refusal.retry_after:
        lines.append(b"retry-after: %d" % refusal.retry_after)
    return b"\r\n".join((*lines, b"", body))


def _graph(refusal: Refusal) -> bytes:
    told = build_error(_TRANSIENT if refusal.status in (429, 503) else _WRONG, refusal.sentence, "wabiz")["error"]
    return encode({"error": {**told, "error_data": {**told["error_data"], "wabiz_code": refusal.reason}}})
