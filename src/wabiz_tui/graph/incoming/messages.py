"""Read one object of `messages[]`: who wrote, what, in answer to what, and whether it changes who they are."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import msgspec

from wabiz_tui.graph.contents import read_content, type_of
from wabiz_tui.graph.incoming.contacts import USER_ID, Contacts, held_at, named_at
from wabiz_tui.graph.incoming.context import read_context, read_referral
from wabiz_tui.graph.incoming.place import Place
from wabiz_tui.graph.parsed import Forwarded, Identity, IdentityChange, IncomingMessage
from wabiz_tui.graph.reading import Json, aside, object_of, without, word, word_or_none
from wabiz_tui.model.content import Content, Edit, Reaction, RequestWelcome, Revoke, System, Unsupported
from wabiz_tui.model.values import Referral

_CHANGED_FROM = re.compile(r"changed from (\S{1,160}) to (\S{1,160})\s*\.?\s*$")
_DIGITS = re.compile(r"\+?([0-9]{4,20})", re.ASCII)


class Body(NamedTuple):
    """The parts that incoming, echoed and historic messages have in common."""

    content: Content
    reply_to: str | None
    forwarded: Forwarded | None
    referral: Referral | None
    context: Json | None
    extra: Json | None


def read_body(message: Json, place: Place, *, is_timed: bool, contact: Json | None, held: Mapping[str, str | None]) -> Body:
    """`held` tells which text of which key the caller keeps in a field of its own, `is_timed` that the timestamp was understood;
    `contact` is what the sender's entry in `contacts` has that no field holds."""
    content, rest, taken = read_content(message)
    context, reply_to, forwarded = read_context(message.get("context"))
    referral = read_referral(message.get("referral"))
    if isinstance(content, Unsupported):
        return Body(content, reply_to, forwarded, referral, context, place.extra(contact=contact))
    kind = type_of(message)
    known = ["id", "type", kind, *taken]
    known += [
        key
        for key, is_held in (
            ("timestamp", is_timed),
            ("context", bool(context or reply_to or forwarded)),
            ("referral", referral is not None),
        )
        if is_held or message.get(key) is None
    ]
    extra = aside(without(message, *known), **held)
    if not is_timed and "timestamp" in message:
        extra["timestamp"] = message["timestamp"]
    if rest:
        extra[kind] = rest
    if contact:
        extra["contact"] = contact
    return Body(content, reply_to, forwarded, referral, context, extra | place.spare if place.spare else extra or None)


def read_message(place: Place, contacts: Contacts, value: Any) -> IncomingMessage | None:
    """None when it has no id, no business number or nobody who could have sent it: then it cannot be put in a conversation."""
    message = object_of(value)
    wamid = word(message.get("id"))
    if not wamid or not place.number:
        return None
    told = named_at(message, "from")
    sender, spare = contacts.complete(told)
    sent_at, is_timed = place.time_of(message.get("timestamp"))
    body = read_body(message, place, is_timed=is_timed, contact=spare, held=held_at("from", told, message))
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
    if USER_ID.fullmatch(old) and previous.user_id is None and previous.parent_user_id != old:
        return msgspec.structs.replace(previous, user_id=old)
    digits = _DIGITS.fullmatch(old)
    if digits is not None and previous.wa_id is None:
        return msgspec.structs.replace(previous, wa_id=cast("str", digits[1]))
    return previous


def _names(identity: Identity) -> set[str]:
    """The ids of `identity` as a sentence may spell them."""
    names = {name for name in (identity.user_id, identity.parent_user_id, identity.wa_id) if name}
    return names | {f"+{identity.wa_id}"} if identity.wa_id else names
