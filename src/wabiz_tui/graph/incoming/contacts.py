"""The `contacts` list that stands beside messages and statuses: who the people are that those name (cloud-api §7)."""

import re
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.reading import Json, aside, list_of, object_of, word_or_none

_KEYS = ("user_id", "parent_user_id", "wa_id")
USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,160}", re.ASCII)
"""A BSUID, or a parent BSUID (cloud-api §14)."""


class Contacts:
    """Matched by user id, then by wa_id, never by position.

    `beside` is how many messages, statuses or echoes stand with it: one contact beside one message belong together even where
    the message names nobody; beside several it would be a guess. Where it spells their number in another way, as Meta says it
    may, only the name is taken. Looking up is quick however long the list is.
    """

    def __init__(self, value: Any, *, beside: int = 1) -> None:
        self._items: list[Any] = list_of(value)
        self._beside = beside
        self._matched: set[int] = set()
        self._places: dict[tuple[str, str], int] = {}
        self._listed = [identity_of(object_of(item)) for item in self._items]
        for index, listed in enumerate(self._listed):
            for key, text in zip(_KEYS, (listed.user_id, listed.parent_user_id, listed.wa_id), strict=True):
                if text:
                    self._places.setdefault((key, text), index)

    def complete(self, told: Identity) -> tuple[Identity, Json | None]:
        """`told` with name, username and the ids it lacked; and what of its entry in the list no field of it holds."""
        place = self._find(told) if told.is_known else self._lone()
        if place is None:
            return self._named(told)
        entry, listed = object_of(self._items[place]), self._listed[place]
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

    def _named(self, told: Identity) -> tuple[Identity, Json | None]:
        """`told` with the name of the one contact beside it, if no user id says that they are two."""
        place = self._lone()
        entry = object_of(self._items[place]) if place is not None else {}
        listed = identity_of(entry)
        is_other = (told.user_id and listed.user_id) or (told.parent_user_id and listed.parent_user_id)
        if place is None or not listed.is_known or not told.wa_id or is_other:
            return told, None
        self._matched.add(place)
        identity = msgspec.structs.replace(told, username=listed.username, name=listed.name)
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
    return msgspec.structs.replace(
        known_by(entry.get("wa_id"), entry.get("user_id"), entry.get("parent_user_id")),
        username=word_or_none(profile.get("username")),
        name=word_or_none(profile.get("name")),
        identity_key_hash=word_or_none(entry.get("identity_key_hash")),
    )


def known_by(phone: Any, user: Any, parent: Any, *, group: Any = None) -> Identity:
    """A person by their ids. A user id that stands in the phone's place, as of people whose phone is hidden, is no phone."""
    wa_id, user_id, parent_user_id = word_or_none(phone), word_or_none(user), word_or_none(parent)
    if wa_id is not None and USER_ID.fullmatch(wa_id):
        if wa_id[3:7] == "ENT.":
            parent_user_id = parent_user_id or wa_id
        else:
            user_id = user_id or wa_id
        wa_id = None
    return Identity(wa_id=wa_id, user_id=user_id, parent_user_id=parent_user_id, group_id=word_or_none(group))


def named_at(message: Json, side: Literal["from", "to"]) -> Identity:
    """Who wrote a message, or whom it went to."""
    ids = (message.get(key) for key in (side, f"{side}_user_id", f"{side}_parent_user_id"))
    return known_by(*ids, group=message.get("group_id"))


def held_at(side: Literal["from", "to"], identity: Identity, message: Json) -> dict[str, str | None]:
    """Under which keys of a message the ids of `identity` stand."""
    phone = word_or_none(message.get(side))
    return {
        side: phone if phone in (identity.user_id, identity.parent_user_id) else identity.wa_id,
        f"{side}_user_id": identity.user_id,
        f"{side}_parent_user_id": identity.parent_user_id,
        "group_id": identity.group_id,
    }


def _spare(entry: Json, identity: Identity) -> Json | None:
    """Keys and values of the entry that the identity does not hold: unknown ones, and ids that contradict those of the message."""
    phone = word_or_none(entry.get("wa_id"))
    rest = aside(
        entry,
        wa_id=phone if phone in (identity.user_id, identity.parent_user_id) else identity.wa_id,
        user_id=identity.user_id,
        parent_user_id=identity.parent_user_id,
        identity_key_hash=identity.identity_key_hash,
    )
    if isinstance(rest.get("profile"), dict):
        profile = aside(object_of(rest.pop("profile")), name=identity.name, username=identity.username)
        if profile:
            rest["profile"] = profile
    return {key: value for key, value in rest.items() if value is not None} or None
