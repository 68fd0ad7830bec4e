"""What a hub of a later version tells, in the terms of this one: machines are updated one after the other, the hub first."""

from typing import Any, TypeVar, cast, get_args

import msgspec

from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import Content, Unsupported
from wabiz_tui.model.errors import BadInput

T = TypeVar("T")

_KNOWN = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Content))
_REASON = "This version of wabiz does not know this kind of message; update wabiz."


def decode_or_translate(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """`raw` as a `kind` that is, or lists under `messages`, messages; one whose content is of a kind unknown here is an Unsupported with
    the whole of it in `json`. Costs a second reading only where the first failed. Raises BadInput for all else that does not fit."""
    try:
        return decode(raw, kind)
    except BadInput:
        translated = _translated(raw)
        if translated is None:
            raise
        return decode(translated, kind)


def is_translated(content: Content) -> bool:
    return isinstance(content, Unsupported) and content.reason == _REASON


def _translated(raw: bytes | msgspec.Raw) -> bytes | None:
    """None where nothing in it is of an unknown kind."""
    try:
        told = _mapping(msgspec.json.decode(raw))
        listed = told.get("messages")
        messages = cast("list[Any]", listed) if isinstance(listed, list) else [told]
        changes = [_translate(_mapping(message)) for message in messages]
        return encode(told) if any(changes) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _translate(message: dict[str, Any]) -> bool:
    content = _mapping(message.get("content"))
    kind = content.get("kind")
    if not isinstance(kind, str) or kind in _KNOWN:
        return False
    message["content"] = {"kind": "unsupported", "type": kind, "json": content, "reason": _REASON}
    return True


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
