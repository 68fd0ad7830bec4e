"""What travels over the desk's socket: versioned, length-prefixed JSON frames between one desk and many clients.

A frame is four bytes of length, big-endian, and that many bytes of JSON. The desk says Hello first, or a Reply of id 0 with its reason
when it takes nobody more. A client sends Requests; the desk answers each with a Reply of the same id, in any order, and sends Events
between them.
"""

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from wabiz_tui.model.desk import DeskEvent
from wabiz_tui.model.errors import BadInput, Denied, TooLarge, Unreachable, UsageError, WabizError, error_from
from wabiz_tui.model.secret import Secret

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

PROTOCOL = 1
MAX_FRAME = 64 * 1024 * 1024
"""A cache of the policy's default size lists its conversations in a fraction of this."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The desk's first frame: who answers here. `ahead` are the seconds its clock is moved forward."""

    protocol: int
    version: str
    ahead: float
    pid: int


BREAK_OFF = "break_off"
"""A request that names another one of the same client, which nobody wants any more: it is not answered if it was not yet."""
BROKEN_OFF = frozenset({"search"})
"""Calls that are broken off, so, and by the same client's next one, and change nothing when they are."""


class BreakOff(msgspec.Struct, frozen=True):
    request: int


class Request(msgspec.Struct, frozen=True, tag="request"):
    id: int
    call: str
    args: msgspec.Raw


class Failure(msgspec.Struct, frozen=True):
    """`exit_status` says of an error whose code is not one of the tree's own which branch it belongs to."""

    code: str
    sentence: str
    exit_status: int = 1


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """`ok` holds the call's value, or `failure` says why there is none."""

    id: int
    ok: msgspec.Raw = msgspec.Raw(b"null")
    failure: Failure | None = None


class Event(msgspec.Struct, frozen=True, tag="event"):
    event: DeskEvent


FromDesk = Hello | Reply | Event

_BRANCHES: dict[int, type[WabizError]] = {2: UsageError, 3: Denied, 4: Unreachable}


def failure_of(error: WabizError) -> Failure:
    return Failure(error.code, error.sentence, error.exit_status)


def error_of(failure: Failure) -> WabizError:
    """The error as it was before it crossed the socket."""
    known = error_from(failure.code, failure.sentence)
    if type(known) is not WabizError:
        return known
    return _BRANCHES.get(failure.exit_status, WabizError)(failure.sentence, code=failure.code)


def _out(value: Any) -> Any:
    if isinstance(value, Secret):
        # The one place where a passphrase leaves a process: over the private socket, to the desk of the same user.
        return value.text()
    raise NotImplementedError(f"{type(value).__name__} does not cross the desk's socket")


def _in(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(f"{kind.__name__} does not cross the desk's socket")


_encoder = msgspec.json.Encoder(enc_hook=_out)
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def pack(value: object) -> bytes:
    """`value` as JSON for a frame's body or a part of it."""
    return _encoder.encode(value)


def unpack(raw: bytes | msgspec.Raw, kind: Any) -> Any:
    """`raw` as a `kind`. Raises BadInput, naming the place and never the value."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, dec_hook=_in)
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("The desk and its client do not understand each other; close both and start again.") from error


def frame(value: object) -> bytes:
    """`value` as a whole frame. Raises TooLarge."""
    body = pack(value)
    if len(body) > MAX_FRAME:
        raise TooLarge("That is more than fits into one answer of the desk; ask for less.")
    return len(body).to_bytes(4, "big") + body


async def read_frame(reader: "asyncio.StreamReader", *, limit: int = MAX_FRAME) -> bytes:
    """The body of the next frame. Raises Unreachable at the end of the stream, TooLarge beyond `limit`."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > limit:
            raise TooLarge("A frame on the desk's socket is larger than any that wabiz sends.")
        return await reader.readexactly(size)
    except (EOFError, ConnectionError) as error:  # asyncio's IncompleteReadError is an EOFError
        raise Unreachable("The desk has ended; start wabiz again.") from error


Arguments = dict[str, Any]
"""The keyword arguments of a call: JSON values, datetimes and at most one Secret."""
