"""The mask over everything that leaves the hub: each field of each value, found by looking at the value, so that a new field is
masked before anybody thinks of it. What is left in the clear is named here."""

from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from wabiz_tui.model.content import (
    Activity,
    Audio,
    Button,
    ContactCards,
    Document,
    Edit,
    Image,
    Interactive,
    Location,
    Note,
    Order,
    Reaction,
    Sticker,
    Template,
    Text,
    Video,
)
from wabiz_tui.policy.privacy import mask_identities, mask_known

T = TypeVar("T", bound=msgspec.Struct)

OWN_WORDS: dict[type[msgspec.Struct], frozenset[str]] = {
    Text: frozenset({"body"}),
    Note: frozenset({"body"}),
    **dict.fromkeys((Image, Video, Audio, Document, Sticker), frozenset({"caption"})),
    Location: frozenset({"name", "address"}),
    ContactCards: frozenset({"contacts"}),
    Reaction: frozenset({"emoji"}),
    Order: frozenset({"text"}),
    Button: frozenset({"text"}),
    Activity: frozenset({"reason"}),
}
"""What a customer or an agent wrote or shared on purpose: it stays, whatever number stands in it."""

OWN_WORDS_IN: dict[type[msgspec.Struct], frozenset[str]] = {
    Interactive: frozenset({"text", "title", "description", "response_json"}),
    Edit: frozenset({"body", "caption"}),
    Template: frozenset({"text"}),
}
"""The same by key, at any depth of what such a content holds as Meta's JSON."""


def mask_struct(value: T, *, ours: frozenset[str], known: frozenset[str]) -> T:
    """The value with the customers in it masked: whom one of its keys names as a person's, and who is `known` (policy/privacy.py).
    `ours` are the business's own numbers."""
    kept = OWN_WORDS.get(type(value), frozenset())
    keys = OWN_WORDS_IN.get(type(value), frozenset())
    changed: dict[str, Any] = {}
    for name in _fields(type(value)):
        item = getattr(value, name)
        if item is None or name in kept:
            continue
        masked = _mask(item, ours=ours, known=known, own_keys=keys)
        if masked is not item:
            changed[name] = masked
    return msgspec.structs.replace(value, **changed) if changed else value


def _mask(item: Any, *, ours: frozenset[str], known: frozenset[str], own_keys: frozenset[str]) -> Any:
    if isinstance(item, str):
        return item if isinstance(item, Enum) or not known else mask_known(item, known)
    if isinstance(item, msgspec.Struct):
        return mask_struct(item, ours=ours, known=known)
    if isinstance(item, tuple) and item:
        return tuple(_mask(one, ours=ours, known=known, own_keys=own_keys) for one in cast("tuple[Any, ...]", item))
    if isinstance(item, dict):
        return _mask_json(cast("dict[str, Any]", item), ours=ours, known=known, own_keys=own_keys)
    return cast("Any", item)


def _mask_json(item: dict[str, Any], *, ours: frozenset[str], known: frozenset[str], own_keys: frozenset[str]) -> dict[str, Any]:
    masked = {mask_known(key, known): one for key, one in mask_identities(item, ours=ours, known=known).items()}
    return _with_own_words(item, masked, own_keys) if own_keys else masked


def _with_own_words(before: Any, after: Any, own_keys: frozenset[str]) -> Any:
    """`after` with the texts of `before` where a key says that somebody wrote them. Keys that were masked name no such text."""
    if isinstance(before, dict) and isinstance(after, dict):
        found, shown = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        return {
            key: found[key] if key in own_keys and isinstance(found.get(key), str) else _with_own_words(found.get(key), one, own_keys)
            for key, one in shown.items()
        }
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(cast("list[Any]", before), cast("list[Any]", after), strict=True)
        return [_with_own_words(one, other, own_keys) for one, other in pairs]
    return after


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__
