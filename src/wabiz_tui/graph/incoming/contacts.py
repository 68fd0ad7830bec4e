"""The `contacts` list that stands beside messages and statuses: who the people are that those name (cloud-api §7)."""

from typing import Any

import msgspec

from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.reading import Json, aside, list_of, object_of, word, word_or_none

_KEYS = ("user_id", "parent_user_id", "wa_id")


class Contacts:
    """Matched by user id, then by wa_id, never by position.

    `beside` is how many messages, statuses or echoes stand with it: one contact beside one message belong together even where
    the message names nobody; beside several it would be a guess. Looking up is quick however long the list is.
    """

    def __init__(self, value: Any, *, beside: int = 1) -> None:
        self._items: list[Any] = list_of(value)
        self._beside = beside
        self._matched: set[int] = set()
        self._places: dict[tuple[str, str], int] = {}
        for index, item in enumerate(self._items):
            for key in _KEYS:
                if text := word(object_of(item).get(key)):
                    self._places.setdefault((key, text), index)

    def complete(self, told: Identity) -> tuple[Identity, Json | None]:
        """`told` with name, username and the ids it lacked; and what of its entry in the list no field of it holds."""
        place = self._find(told) if told.is_known else self._lone()
        if place is None:
            return told, None
        entry = object_of(self._items[place])
        listed = identity_of(entry)
        if not told.is_known and not listed.is_known:
            return told, None
        self._matched.add(place)
        identity = msgspec.structs.replace(
            told,
            wa_id=told.wa_id or listed.wa_id,
            user_id=told.user_id or listed.user_id,
            parent_user_id=told.parent_user_id or listed.parent_user_id,
            username=listed.username or told.username,
            name=listed.name or told.name,
            identity_key_hash=told.identity_key_hash or listed.identity_key_hash,
        )
        return identity, _spare(entry, identity)

    def unmatched(self) -> list[Any]:
        return [item for index, item in enumerate(self._items) if index not in self._matched]

    def _lone(self) -> int | None:
        return 0 if len(self._items) == self._beside == 1 else None

    def _find(self, identity: Identity) -> int | None:
        for key, value in zip(_KEYS, (identity.user_id, identity.parent_user_id, identity.wa_id), strict=True):
            if value and (place := self._places.get((key, value))) is not None:
                return place
        return None


def identity_of(entry: Json) -> Identity:
    """A person as an entry of `contacts` describes them."""
    profile = object_of(entry.get("profile"))
    return Identity(
        wa_id=word_or_none(entry.get("wa_id")),
        user_id=word_or_none(entry.get("user_id")),
        parent_user_id=word_or_none(entry.get("parent_user_id")),
        username=word_or_none(profile.get("username")),
        name=word_or_none(profile.get("name")),
        identity_key_hash=word_or_none(entry.get("identity_key_hash")),
    )


def _spare(entry: Json, identity: Identity) -> Json | None:
    """Keys and values of the entry that the identity does not hold: unknown ones, and ids that contradict those of the message."""
    rest = aside(
        entry,
        wa_id=identity.wa_id,
        user_id=identity.user_id,
        parent_user_id=identity.parent_user_id,
        identity_key_hash=identity.identity_key_hash,
    )
    if isinstance(rest.get("profile"), dict):
        profile = aside(object_of(rest.pop("profile")), name=identity.name, username=identity.username)
        if profile:
            rest["profile"] = profile
    return {key: value for key, value in rest.items() if value is not None} or None
