"""Read requests and write answers of /v1: bounded bodies in, JSON out, errors as a code and a sentence."""

import math
import re
import traceback
from datetime import timedelta
from typing import TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import (
    BadInput,
    BadSignature,
    Conflict,
    Denied,
    DocumentError,
    NoRoom,
    NotFound,
    Revoked,
    StoreError,
    TooLarge,
    TooMany,
    Unreachable,
    UsageError,
    WabizError,
)
from wabiz_tui.model.wire import ErrorBody

T = TypeVar("T")
STORE_WAIT = timedelta(seconds=2)
"""An archive that has no room, or whose server is away, seldom comes back sooner."""
STORE_AWAY = "The hub cannot use its archive now; try again in a moment"
"""What callers hear of it. Where the archive lies and what is wrong there is for this machine's own eyes: /readyz and the doctor."""
log = structlog.get_logger("hub.app")
LARGEST_BODY = 1024 * 1024
_HELD = "wabiz.body"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as JSON writes it: no text of ours holds one, and PostgreSQL's cannot."""

_STATUS: tuple[tuple[type[WabizError], int], ...] = (
    (Revoked, 401),
    (BadSignature, 401),
    (Denied, 403),
    (NoRoom, 503),
    (TooMany, 429),
    (TooLarge, 413),
    (BadInput, 400),
    (NotFound, 404),
    (Conflict, 409),
    (DocumentError, 422),
    (UsageError, 422),
    (Unreachable, 503),
    (StoreError, 503),
)


async def hold_body(request: Request) -> None:
    """Wait for the whole body, which `read_body` gives then. Raises as `read_body` does."""
    request.scope[_HELD] = await read_body(request)


async def read_body(request: Request, *, limit: int = LARGEST_BODY) -> bytes:
    """The whole body. Raises TooLarge as soon as it is longer than `limit`, whatever its Content-Length says."""
    held = request.scope.get(_HELD)
    if isinstance(held, bytes):
        return held
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"The request is larger than {limit // 1024} KiB.")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise BadInput("The request was cut off.") from error
    return b"".join(chunks)


async def read_json(request: Request, kind: type[T]) -> T:
    """The body as a `kind`. Raises BadInput, TooLarge."""
    raw = await read_body(request)
    if b"u0000" in raw and _NUL.search(raw):
        raise BadInput("A text of the request holds a NUL character; leave it out.")
    return decode(raw, kind)


def whole_number(request: Request, name: str, default: int) -> int:
    """A query parameter that is a whole number of at most 18 digits."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadInput(f"The parameter '{name}' must be a whole number.")
    return int(text)


def json_answer(value: object, status: int = 200) -> Response:
    return Response(encode(value), status, media_type="application/json", headers={"Cache-Control": "no-store"})


def error_answer(error: WabizError) -> Response:
    status = 401 if error.code == "invalid_token" else next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    is_store = isinstance(error, StoreError)
    response = json_answer(ErrorBody(code=error.code, sentence=f"{STORE_AWAY}." if is_store else error.sentence), status)
    wait = error.retry_after if isinstance(error, TooMany) else STORE_WAIT if is_store else None
    if wait is not None:
        response.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return response


def report(error: Exception, path: str) -> None:
    """Where it happened, never what was in it: an exception's text can hold what a customer wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""
    log.error("request_failed", path=path, error=type(error).__name__, place=place)
