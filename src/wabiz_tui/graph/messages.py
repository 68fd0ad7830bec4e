"""Read one object of `messages[]`: who wrote, what, in answer to what, and whether it changes who they are."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec

from wabiz_tui.graph.contents import read_content
from wabiz_tui.graph.parsed import Forwarded, Identity, IdentityChange, IncomingMessage
from wabiz_tui.graph.place import Place
from wabiz_tui.graph.reading import Json, list_of, object_of, without, word, word_or_none
from wabiz_tui.model.content import Content, Edit, Reaction, RequestWelcome, Revoke, System, Unsupported
from wabiz_tui.model.values import Referral

_REFERRAL_WORDS = ("source_url", "source_id", "source_type", "headline", "body", "ctwa_clid")
_COMMON_KEYS = ("from", "from_user_id", "from_parent_user_id", "id", "timestamp", "type", "group_id", "context", "referral")
_CHANGED_FROM = re.compile(r"changed from (\S{1,160}) to (\S{1,160})\s*\.?\s*$")
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,160}", re.ASCII)
_DIGITS = re.compile(r"\+?([0-9]{4,20})", re.ASCII)


class Contacts:
    """The `contacts` list beside messages and statuses; matched by user id, then by wa_id, never by position (cloud-api §7).

    `beside` is how many messages, statuses or echoes stand with it: one contact beside one message belong together even where
    the message names nobody; beside several it would be a guess.
    """

    def __init__(self, value: Any, *, beside: int = 1) -> None:
        self._items: list[Any] = list_of(value)
        self._beside = beside
        self._matched: set[int] = set()

    def complete(self, identity: Identity) -> Identity:
        """`identity` with name, username and the ids it lacked, from its entry in the list."""
        entry = self._find(identity)
        if entry is None:
            return identity
        told = _identity_of(entry)
        return msgspec.structs.replace(
            identity,
            wa_id=identity.wa_id or told.wa_id,
            user_id=identity.user_id or told.user_id,
            parent_user_id=identity.parent_user_id or told.parent_user_id,
            username=told.username,
            name=told.name,
            identity_key_hash=identity.identity_key_hash or told.identity_key_hash,
        )

    def spare(self, identity: Identity) -> Json | None:
        """Keys of this identity's entry that no field of Identity holds."""
        entry = self._find(identity)
        if entry is None:
            return None
        rest = without(entry, "profile", "wa_id", "user_id", "parent_user_id", "identity_key_hash")
        profile = entry.get("profile")
        spare = without(object_of(profile), "name", "username") if isinstance(profile, dict) else profile
        return ({**rest, "profile": spare} if spare else rest) or None

    def only(self) -> Identity | None:
        """The one person of the list, when it has exactly one."""
        if len(self._items) != 1 or self._beside != 1 or not isinstance(self._items[0], dict):
            return None
        self._matched.add(0)
        return _identity_of(object_of(self._items[0]))

    def unmatched(self) -> list[Any]:
        return [item for index, item in enumerate(self._items) if index not in self._matched]

    def _find(self, identity: Identity) -> Json | None:
        for key, value in (("user_id", identity.user_id), ("parent_user_id", identity.parent_user_id), ("wa_id", identity.wa_id)):
            if not value:
                continue
            for index, item in enumerate(self._items):
                if word(object_of(item).get(key)) == value:
                    self._matched.add(index)
                    return object_of(item)
        return None


def _identity_of(entry: Json) -> Identity:
    profile = object_of(entry.get("profile"))
    return Identity(
        wa_id=word_or_none(entry.get("wa_id")),
        user_id=word_or_none(entry.get("user_id")),
        parent_user_id=word_or_none(entry.get("parent_user_id")),
        username=word_or_none(profile.get("username")),
        name=word_or_none(profile.get("name")),
        identity_key_hash=word_or_none(entry.get("identity_key_hash")),
    )


class Body(NamedTuple):
    """The parts that incoming, echoed and historic messages have in common."""

    content: Content
    reply_to: str | None
    forwarded: Forwarded | None
    referral: Referral | None
    context: Json | None
    extra: Json | None


def read_body(message: Json, *, held: Sequence[str] = (), is_timed: bool = True, spare_contact: Json | None = None) -> Body:
    """`held` are keys the caller keeps in fields of its own; `is_timed` tells that the timestamp was understood."""
    content, rest, taken = read_content(message)
    context, reply_to, forwarded = _read_context(message.get("context"))
    referral = _read_referral(message.get("referral"))
    if isinstance(content, Unsupported):
        extra: Json = {"contact": spare_contact} if spare_contact else {}
        return Body(content, reply_to, forwarded, referral, context, extra or None)
    extra = without(message, *_COMMON_KEYS, *held, *taken, word(message.get("type")))
    if not is_timed and "timestamp" in message:
        extra["timestamp"] = message["timestamp"]
    for key, is_held in (("context", context is not None or reply_to or forwarded), ("referral", referral is not None)):
        if not is_held and message.get(key) is not None:
            extra[key] = message[key]
    if rest:
        extra[word(message.get("type"))] = rest
    if spare_contact:
        extra["contact"] = spare_contact
    return Body(content, reply_to, forwarded, referral, context, extra or None)


def _read_context(value: Any) -> tuple[Json | None, str | None, Forwarded | None]:
    """`context` is no sign of a reply: it may only say that the message was forwarded, or name a product (cloud-api §7)."""
    if not isinstance(value, dict):
        return None, None, None
    context = object_of(value)
    often, once = context.get("frequently_forwarded") is True, context.get("forwarded") is True
    reply_to = word_or_none(context.get("id")) or word_or_none(context.get("message_id"))
    held = [key for key in ("forwarded", "frequently_forwarded") if context.get(key) is True and not (often and key == "forwarded")]
    held += [key for key in ("id", "message_id") if reply_to is not None and word(context.get(key)) == reply_to]
    return without(context, *held) or None, reply_to, "often" if often else "once" if once else None


def _read_referral(value: Any) -> Referral | None:
    if not isinstance(value, dict):
        return None
    referral = object_of(value)
    words = {key: text for key in _REFERRAL_WORDS if (text := word(referral.get(key)))}
    return Referral(other=without(referral, *words) or None, **words)


def read_message(place: Place, contacts: Contacts, value: Any) -> IncomingMessage | None:
    """None when it has no id, no business number or nobody who could have sent it: then it cannot be put in a conversation."""
    message = object_of(value)
    wamid = word(message.get("id"))
    if not wamid or not place.number:
        return None
    told = Identity(
        wa_id=word_or_none(message.get("from")),
        user_id=word_or_none(message.get("from_user_id")),
        parent_user_id=word_or_none(message.get("from_parent_user_id")),
        group_id=word_or_none(message.get("group_id")),
    )
    sender = contacts.complete(told) if told.is_known else contacts.only() or told
    sent_at, is_timed = place.time_of(message.get("timestamp"))
    body = read_body(message, is_timed=is_timed, spare_contact=contacts.spare(sender))
    change = _identity_change(sender, message, body.content)
    if not sender.is_known and change is not None:
        sender = change.previous
    if not sender.is_known:
        return None
    return IncomingMessage(
        waba=place.waba,
        number=place.number,
        display_number=place.display_number,
        wamid=wamid,
        sender=sender,
        sent_at=sent_at,
        opens_window=not isinstance(body.content, System | Revoke) and word(message.get("type")) != "system",
        counts_unread=not isinstance(body.content, System | Revoke | Edit | Reaction | RequestWelcome)
        and word(message.get("type")) != "system",
        identity_change=change,
        **body._asdict(),
    )


def _identity_change(sender: Identity, message: Json, content: Content) -> IdentityChange | None:
    if not isinstance(content, System):
        return None
    if content.type == "customer_identity_changed":
        key = word_or_none(object_of(message.get("identity")).get("hash"))
        return IdentityChange(sender, msgspec.structs.replace(sender, identity_key_hash=key)) if sender.is_known else None
    if content.type not in ("user_changed_number", "user_changed_user_id", "customer_changed_number"):
        return None
    current = Identity(
        wa_id=content.wa_id or word_or_none(object_of(content.other).get("new_wa_id")),
        user_id=content.user_id or None,
        parent_user_id=content.parent_user_id or None,
    )
    previous = _previous(sender, content, current)
    return IdentityChange(previous, current) if previous.is_known and current.is_known else None


def _previous(sender: Identity, content: System, current: Identity) -> Identity:
    """Who it was before: the sender, or where that is missing or already the new one, what `body` says in words (cloud-api §8)."""
    previous = msgspec.structs.replace(
        sender,
        wa_id=sender.wa_id or word_or_none(object_of(content.other).get("customer")),
        user_id=None if sender.user_id == current.user_id else sender.user_id,
        parent_user_id=None if sender.parent_user_id == current.parent_user_id else sender.parent_user_id,
    )
    if content.type != "user_changed_user_id" and previous.wa_id == current.wa_id:
        previous = msgspec.structs.replace(previous, wa_id=None)
    spoken = _CHANGED_FROM.search(content.body[-400:])
    if spoken is None or spoken[2] not in _names(current):
        return previous
    old = spoken[1]
    if _USER_ID.fullmatch(old) and previous.user_id is None and previous.parent_user_id != old:
        return msgspec.structs.replace(previous, user_id=old)
    digits = _DIGITS.fullmatch(old)
    if digits is not None and previous.wa_id is None:
        return msgspec.structs.replace(previous, wa_id=cast("str", digits[1]))
    return previous


def _names(identity: Identity) -> set[str]:
    """The ids of `identity` as a sentence may spell them."""
    names = {name for name in (identity.user_id, identity.parent_user_id, identity.wa_id) if name}
    return names | {f"+{identity.wa_id}"} if identity.wa_id else names
