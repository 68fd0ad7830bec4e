"""One codec for the wire, the feed, the socket, the cache and the archive: msgspec JSON, strict types, RFC 3339 UTC times."""

from functools import cache
from threading import Lock
from typing import Any, TypeVar

import msgspec

from wabiz_tui.model.errors import BadInput

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_canonical = msgspec.json.Encoder(order="sorted")
_making = Lock()


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    # msgspec 0.22 shows other threads what it knows of a struct while it still finds that out, and they crash on it.
    with _making:
        return msgspec.json.Decoder(kind)


def encode(value: object) -> bytes:
    """`value` as compact JSON; struct fields in their declared order."""
    return _encoder.encode(value)


def encode_canonical(value: object) -> bytes:
    """`value` as compact JSON with all keys sorted: the one form that is hashed and signed."""
    return _canonical.encode(value)


def decode(raw: bytes | str | msgspec.Raw, kind: type[T]) -> T:
    """`raw` as a `kind`. Unknown keys are ignored. Raises BadInput naming the field (never the value)."""
    try:
        return _decoder(kind).decode(raw)
    except RecursionError as error:
        raise BadInput("The JSON is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The JSON is not of the expected form: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    text = str(error)
    # msgspec quotes the offending value in a few messages ("Invalid enum value 'x'"): keep the path, drop the value.
    if isinstance(error, msgspec.ValidationError):
        _, found, path = text.rpartition(" - at ")
        return f"wrong value at {path}" if found else "wrong value"
    return "it is not JSON"
