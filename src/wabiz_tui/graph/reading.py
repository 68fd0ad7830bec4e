"""Read decoded JSON of unknown shape: total functions that give a typed value or say that there is none."""

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeAlias, cast

import msgspec

from wabiz_tui.model.codec import encode_canonical
from wabiz_tui.model.errors import BadInput, TooLarge

Json: TypeAlias = dict[str, Any]

MAX_BODY = 16 * 1024 * 1024
MAX_DEPTH = 64
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time as Meta writes it, for a decoder that is not strict: seconds since 1970 as text or number, or RFC 3339."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decoder = msgspec.json.Decoder()


def load_object(raw: bytes) -> Json:
    """`raw` as a JSON object. Raises TooLarge above 16 MiB and BadInput when it is no object or nested deeper than 64."""
    if len(raw) > MAX_BODY:
        raise TooLarge("The body is larger than 16 MiB.")
    decoded = _load(raw)
    if not isinstance(decoded, dict):
        raise BadInput("The body is not a JSON object.")
    # What opens fewer objects and lists than that is not nested so deep.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _is_deep(decoded):
        raise BadInput(f"The JSON is nested more than {MAX_DEPTH} levels deep.")
    return cast("Json", decoded)


def _load(raw: bytes) -> Any:
    try:
        return _decoder.decode(raw)
    except RecursionError as error:
        raise BadInput("The JSON is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _load_leniently(raw)


def _load_leniently(raw: bytes) -> Any:
    """Half a surrogate pair (an emoji cut in two by a sender) is legal in JSON's grammar: it becomes U+FFFD, the rest is kept."""
    if b"\\u" not in raw:
        raise BadInput("The body is not JSON.")
    try:
        decoded = json.loads(raw.decode(), parse_constant=_refuse_constant)
        mended = json.dumps(decoded, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return _decoder.decode(mended)
    except (ValueError, RecursionError) as error:
        raise BadInput("The body is not JSON.") from error


def _refuse_constant(_: str) -> Any:
    raise ValueError("not JSON")


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level for inner in _members(item) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _members(value: Any) -> Iterable[Any]:
    return cast("Json", value).values() if isinstance(value, dict) else cast("list[Any]", value)


def object_of(value: Any) -> Json:
    """`value` when it is an object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """`value` when it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def word(value: Any) -> str:
    """Text as it is and whole numbers as text (Meta writes some ids as numbers); anything else is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def word_or_none(value: Any) -> str | None:
    return word(value) or None


def number_of(value: Any) -> float | None:
    """A finite number, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def instant_of(value: Any) -> datetime | None:
    """Unix seconds (or milliseconds) as number or text, or RFC 3339 text, as an instant between 2000 and 2200; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or (isinstance(value, str) and len(value) > 40):
        return None
    try:
        instant = msgspec.convert(value, Instant, strict=False)
    except (msgspec.ValidationError, OverflowError):
        seconds = number_of(value)
        if seconds is None or abs(seconds) > 1e14:
            return None
        instant = EPOCH + timedelta(seconds=seconds / 1000 if seconds > 1e11 else seconds)
    return instant if EARLIEST <= instant < LATEST else None


def without(value: Json, *known: str) -> Json:
    """The keys of `value` that are not `known`."""
    return {key: item for key, item in value.items() if key not in known}


def not_lists(value: Json, *keys: str) -> Json:
    """Of `keys`, those that should hold a list and hold something else."""
    return {key: item for key in keys if (item := value.get(key)) is not None and not isinstance(item, list)}


def aside(value: Json, **held: str | None) -> Json:
    """`value` without the keys whose text is the one that is `held`; a null or empty text says nothing and goes too."""
    return {
        key: item for key, item in value.items() if key not in held or not (item is None or item == "" or (word(item) or 0) == held[key])
    }


def fingerprint(*parts: Any) -> str:
    """A stable 64-digit name of JSON values, equal for equal values whatever the order of their keys."""
    return hashlib.sha256(encode_canonical(parts)).hexdigest()
