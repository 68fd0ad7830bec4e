"""Read what the WhatsApp Business app on a phone tells: echoes of what staff sent there, and history from before (cloud-api §10)."""

import re
from typing import Any

from wabiz_tui.graph.messages import Contacts, read_body
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, Identity, Parsed
from wabiz_tui.graph.place import Place
from wabiz_tui.graph.reading import Json, list_of, object_of, without, word, word_or_none

_TO = ("to", "to_user_id", "to_parent_user_id")
_NOT_DIGITS = re.compile(r"\D")


def read_echoes(place: Place, field: str, value: Json) -> tuple[list[Parsed], Json]:
    """The echoes of a value, and the part of the value that is none."""
    contacts = Contacts(value.get("contacts"), beside=len(list_of(value.get("message_echoes"))))
    read: list[Parsed] = []
    unread: list[Any] = []
    for item in list_of(value.get("message_echoes")):
        echo = _echo(place, contacts, field, item)
        read.append(echo) if echo is not None else unread.append(item)
    rest = without(value, "messaging_product", "metadata", "contacts", "message_echoes")
    if unread or not isinstance(value.get("message_echoes"), list):
        rest["message_echoes"] = unread or value.get("message_echoes")
    if unmatched := contacts.unmatched():
        rest["contacts"] = unmatched
    return read, {key: part for key, part in rest.items() if part is not None}


def _echo(place: Place, contacts: Contacts, field: str, item: Any) -> EchoedMessage | None:
    message = object_of(item)
    told = _addressee(message)
    recipient = contacts.complete(told) if told.is_known else contacts.only() or told
    wamid = word(message.get("id"))
    if not wamid or not place.number or not recipient.is_known:
        return None
    sent_at, is_timed = place.time_of(message.get("timestamp"))
    body = read_body(message, held=_TO, is_timed=is_timed, spare_contact=contacts.spare(recipient))
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


def _addressee(message: Json) -> Identity:
    return Identity(
        wa_id=word_or_none(message.get("to")),
        user_id=word_or_none(message.get("to_user_id")),
        parent_user_id=word_or_none(message.get("to_parent_user_id")),
        group_id=word_or_none(message.get("group_id")),
    )


def read_history(place: Place, value: Json) -> tuple[list[Parsed], Json]:
    """The messages of a history value, and the rest of it: progress, refusals, what could not be read."""
    contacts = Contacts(value.get("contacts"), beside=len(list_of(value.get("messages"))) + len(list_of(value.get("message_echoes"))))
    read: list[Parsed] = []
    rest = without(value, "messaging_product", "metadata", "contacts", "history", "messages", "message_echoes")
    chunks = [_chunk(place, contacts, chunk, read) for chunk in list_of(value.get("history"))]
    if any(chunks):
        rest["history"] = [chunk for chunk in chunks if chunk]
    elif "history" in value and not isinstance(value["history"], list):
        rest["history"] = value["history"]
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
    rest = without(object_of(chunk), "threads")
    threads: list[Any] = []
    for item in list_of(object_of(chunk).get("threads")):
        thread = object_of(item)
        context = object_of(thread.get("context"))
        contact = Identity(
            wa_id=word_or_none(context.get("wa_id")) or word_or_none(thread.get("id")),
            user_id=word_or_none(context.get("user_id")),
            parent_user_id=word_or_none(context.get("parent_user_id")),
            username=word_or_none(context.get("username")),
        )
        spare = without(thread, "id", "context", "messages")
        if spare_context := without(context, "wa_id", "user_id", "parent_user_id", "username"):
            spare["context"] = spare_context
        if unread := _thread(place, contacts, contact, list_of(thread.get("messages")), read):
            spare["messages"] = unread
        if spare or not isinstance(item, dict):
            threads.append({"id": thread.get("id"), **spare} if spare else item)
    return {**rest, "threads": threads} if threads else rest


def _thread(place: Place, contacts: Contacts, contact: Identity, items: list[Any], read: list[Parsed]) -> list[Any]:
    unread: list[Any] = []
    for item in items:
        message = _historic(place, contacts, contact, item)
        read.append(message) if message is not None else unread.append(item)
    return unread


def _historic(place: Place, contacts: Contacts, contact: Identity, item: Any) -> HistoryMessage | None:
    message = object_of(item)
    wamid = word(message.get("id"))
    is_ours = any(message.get(key) for key in _TO) or _is_same_number(word(message.get("from")), place.display_number)
    told = contact if contact.is_known else _addressee(message) if is_ours else _writer(message)
    told = contacts.complete(told) if told.is_known else contacts.only() or told
    if not wamid or not place.number or not told.is_known:
        return None
    sent_at, is_timed = place.time_of(message.get("timestamp"))
    history = object_of(message.get("history_context"))
    held = (*_TO, "history_context") if set(history) <= {"status"} else _TO
    return HistoryMessage(
        waba=place.waba,
        number=place.number,
        display_number=place.display_number,
        wamid=wamid,
        contact=told,
        is_ours=is_ours,
        sent_at=sent_at,
        status=word_or_none(history.get("status")),
        **read_body(message, held=held, is_timed=is_timed, spare_contact=contacts.spare(told))._asdict(),
    )


def _writer(message: Json) -> Identity:
    return Identity(
        wa_id=word_or_none(message.get("from")),
        user_id=word_or_none(message.get("from_user_id")),
        parent_user_id=word_or_none(message.get("from_parent_user_id")),
    )


def _is_same_number(written: str, display: str) -> bool:
    digits = _NOT_DIGITS.sub("", written)
    return bool(digits) and digits == _NOT_DIGITS.sub("", display)
