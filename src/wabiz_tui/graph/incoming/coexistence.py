"""Read what the WhatsApp Business app on a phone tells: echoes of what staff sent there, and history from before (cloud-api §10)."""

import re
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.incoming.contacts import Contacts, held_at, named_at
from wabiz_tui.graph.incoming.messages import read_body
from wabiz_tui.graph.incoming.place import Place
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, Identity, Parsed
from wabiz_tui.graph.reading import Json, aside, list_of, not_lists, object_of, without, word, word_or_none

_TO = ("to", "to_user_id", "to_parent_user_id")
_LISTS = ("contacts", "history", "messages", "message_echoes")
_NOT_DIGITS = re.compile(r"\D")


def read_echoes(place: Place, field: str, value: Json) -> tuple[list[Parsed], Json]:
    """The echoes of a value, and the part of the value that is none."""
    contacts = Contacts(value.get("contacts"), beside=len(list_of(value.get("message_echoes"))))
    read: list[Parsed] = []
    unread: list[Any] = []
    for item in list_of(value.get("message_echoes")):
        echo = _echo(place, contacts, field, item)
        read.append(echo) if echo is not None else unread.append(item)
    rest = aside(without(value, "metadata", "contacts", "message_echoes"), messaging_product="whatsapp")
    rest |= not_lists(value, "contacts", "message_echoes")
    if unread:
        rest["message_echoes"] = unread
    if unmatched := contacts.unmatched():
        rest["contacts"] = unmatched
    return read, {key: part for key, part in rest.items() if part is not None}


def _echo(place: Place, contacts: Contacts, field: str, item: Any) -> EchoedMessage | None:
    message = object_of(item)
    told = named_at(message, "to")
    recipient, spare = contacts.complete(told)
    wamid = word(message.get("id"))
    if not wamid or not place.number or not recipient.is_known:
        return None
    sent_at, is_timed = place.time_of(message.get("timestamp"))
    held = {"from": word_or_none(message.get("from")), **held_at("to", told, message)}
    body = read_body(message, place, is_timed=is_timed, contact=spare, held=held)
    return EchoedMessage(
        waba=place.waba,
        number=place.number,
        display_number=place.display_number,
        wamid=wamid,
        recipient=recipient,
        sender=word(message.get("from")),
        sent_at=sent_at,
        field=field,
        **body._asdict(),
    )


def read_history(place: Place, value: Json) -> tuple[list[Parsed], Json]:
    """The messages of a history value, and the rest of it: progress, refusals, what could not be read."""
    contacts = Contacts(value.get("contacts"), beside=len(list_of(value.get("messages"))) + len(list_of(value.get("message_echoes"))))
    read: list[Parsed] = []
    rest = aside(without(value, "metadata", *_LISTS), messaging_product="whatsapp") | not_lists(value, *_LISTS)
    chunks = [_chunk(place, contacts, chunk, read) for chunk in list_of(value.get("history"))]
    if any(chunks):
        rest["history"] = [chunk for chunk in chunks if chunk]
    for key in ("messages", "message_echoes"):
        unread = _thread(place, contacts, Identity(), list_of(value.get(key)), read)
        if unread:
            rest[key] = unread
    if unmatched := contacts.unmatched():
        rest["contacts"] = unmatched
    return read, rest


def _chunk(place: Place, contacts: Contacts, chunk: Any, read: list[Parsed]) -> Any:
    """Reads a chunk's threads into `read` and returns what else the chunk says."""
    if not isinstance(chunk, dict):
        return chunk
    rest = without(object_of(chunk), "threads") | not_lists(object_of(chunk), "threads")
    threads: list[Any] = []
    for item in list_of(object_of(chunk).get("threads")):
        thread = object_of(item)
        context = object_of(thread.get("context"))
        contact = _thread_contact(thread, context)
        messages = list_of(thread.get("messages"))
        spare = without(thread, "id", "context", "messages") | not_lists(thread, "messages")
        spare_context = aside(
            context, wa_id=contact.wa_id, user_id=contact.user_id, parent_user_id=contact.parent_user_id, username=contact.username
        )
        if spare_context or (thread.get("context") is not None and not context):
            spare["context"] = spare_context or thread["context"]
        if unread := _thread(place, contacts, contact, messages, read):
            spare["messages"] = unread
        if not messages or not isinstance(item, dict):
            threads.append(item)
        elif spare or not (thread.get("id") in (None, "") or word(thread["id"]).lstrip("+") in (contact.wa_id, contact.user_id)):
            threads.append({"id": thread.get("id"), **spare})
    return {**rest, "threads": threads} if threads else rest


def _thread_contact(thread: Json, context: Json) -> Identity:
    """Whom a thread is with: `id` is their number, or their BSUID where the number is hidden (cloud-api §14 rule 10)."""
    spoken = word(thread.get("id")).lstrip("+") or None
    is_number = spoken is not None and spoken.isdigit()
    return Identity(
        wa_id=word_or_none(context.get("wa_id")) or (spoken if is_number else None),
        user_id=word_or_none(context.get("user_id")) or (None if is_number else spoken),
        parent_user_id=word_or_none(context.get("parent_user_id")),
        username=word_or_none(context.get("username")),
    )


def _thread(place: Place, contacts: Contacts, contact: Identity, items: list[Any], read: list[Parsed]) -> list[Any]:
    unread: list[Any] = []
    for item in items:
        message = _historic(place, contacts, contact, item)
        read.append(message) if message is not None else unread.append(item)
    return unread


def _historic(place: Place, contacts: Contacts, contact: Identity, item: Any) -> HistoryMessage | None:
    message = object_of(item)
    wamid = word(message.get("id"))
    is_ours = _is_ours(place, message)
    side: Literal["from", "to"] = "to" if is_ours else "from"
    named = named_at(message, side)
    told, spare = contacts.complete(_completed(contact, named))
    if not wamid or not place.number or not told.is_known:
        return None
    sent_at, is_timed = place.time_of(message.get("timestamp"))
    history = object_of(message.get("history_context"))
    status = word_or_none(history.get("status"))
    held = held_at(side, told, message) | {
        key: text for key in ("from", "to") if _is_same_number(text := word(message.get(key)), place.display_number)
    }
    is_held = history and not aside(history, status=status)
    kept = without(message, "history_context") if is_held else message
    body = read_body(kept, place, is_timed=is_timed, contact=spare, held=held)
    return HistoryMessage(
        waba=place.waba,
        number=place.number,
        display_number=place.display_number,
        wamid=wamid,
        contact=told,
        is_ours=is_ours,
        sent_at=sent_at,
        status=status,
        **body._asdict(),
    )


def _completed(contact: Identity, named: Identity) -> Identity:
    """The thread's contact, with the ids that the message adds to it."""
    return msgspec.structs.replace(
        contact,
        wa_id=contact.wa_id or named.wa_id,
        user_id=contact.user_id or named.user_id,
        parent_user_id=contact.parent_user_id or named.parent_user_id,
        group_id=contact.group_id or named.group_id,
    )


def _is_ours(place: Place, message: Json) -> bool:
    """Whether the business wrote it: its own number is the sender's, or somebody else's is the receiver's."""
    if _is_same_number(word(message.get("from")), place.display_number):
        return True
    return any(text and not _is_same_number(text, place.display_number) for key in _TO if (text := word(message.get(key))))


def _is_same_number(written: str, display: str) -> bool:
    digits = _NOT_DIGITS.sub("", written)
    return bool(digits) and digits == _NOT_DIGITS.sub("", display)
