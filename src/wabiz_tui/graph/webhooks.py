"""Turn the body of a webhook into values: one bad part never hides the others, and what is unknown is kept whole."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from wabiz_tui.graph.incoming.coexistence import read_echoes, read_history
from wabiz_tui.graph.incoming.contacts import Contacts, identity_of
from wabiz_tui.graph.incoming.messages import read_message
from wabiz_tui.graph.incoming.notices import read_notices
from wabiz_tui.graph.incoming.place import Place
from wabiz_tui.graph.incoming.statuses import read_status
from wabiz_tui.graph.incoming.usual import read_usual
from wabiz_tui.graph.parsed import Identity, IdentityChange, OtherEvent, Parsed
from wabiz_tui.graph.reading import (
    MAX_BODY,
    Json,
    aside,
    fingerprint,
    instant_of,
    list_of,
    load_object,
    not_lists,
    object_of,
    without,
    word,
    word_or_none,
)
from wabiz_tui.model.errors import BadInput

_OBJECT = ("object", "whatsapp_business_account")
_LISTS = ("contacts", "messages", "statuses", "errors")
_SUMMARY_KEYS = ("event", "decision", "type", "status", "new_quality_score", "new_category", "message_template_name", "alert_type")


def parse(raw: bytes, *, received_at: datetime | None = None) -> list[Parsed]:
    """Everything a webhook says, in its order. `received_at` stands in for times that are missing or absurd (else 1970).

    Raises BadInput (TooLarge above 16 MiB) when the body is no JSON object with an `entry` list or is nested deeper than 64;
    nothing inside raises. Cost: about one pass over the decoded JSON.
    """
    usual = read_usual(raw, received_at) if len(raw) <= MAX_BODY else None
    return parse_tolerantly(raw, received_at) if usual is None else usual


def parse_tolerantly(raw: bytes, received_at: datetime | None) -> list[Parsed]:
    """`parse` without its quick way for the usual kinds: both give the same for every body."""
    body = load_object(raw)
    entries = body.get("entry")
    if not isinstance(entries, list):
        raise BadInput("The webhook has no list 'entry'.")
    parsed = [part for entry in list_of(entries) for part in _entry(entry, received_at)]
    if spare := {key: part for key, part in body.items() if key != "entry" and (key, part) != _OBJECT}:
        waba = word(object_of(entries[0]).get("id")) if entries else ""
        parsed.append(_other(Place(waba=waba, received_at=received_at), "", spare, "further keys of a webhook: " + _names(spare)))
    return parsed


def _entry(entry: object, received_at: datetime | None) -> Iterator[Parsed]:
    values = object_of(entry)
    place = Place(waba=word(values.get("id")), received_at=received_at)
    entry_at = instant_of(values.get("time"))
    place = msgspec.structs.replace(place, entry_at=None if entry_at is None else place.believed(entry_at))
    changes = values.get("changes")
    if not isinstance(entry, dict) or not isinstance(changes, list):
        yield _other(place, "", values or {"entry": entry}, "entry without a list of changes")
        return
    if spare := aside(without(values, "changes", *(["time"] if entry_at else [])), id=place.waba):
        yield _other(place, "", spare, "further keys of an entry: " + _names(spare))
    for change in list_of(changes):
        yield from _change(place, change)


def _change(place: Place, change: object) -> Iterator[Parsed]:
    values = object_of(change)
    field, value = word(values.get("field")), values.get("value")
    if not field or not isinstance(value, dict):
        yield _other(place, field, values or {"change": change}, "change without a field and an object value")
        return
    value = object_of(value)
    place = place.at_number(value.get("metadata"))
    if spare := without(values, "field", "value"):
        yield _other(place, field, spare, "further keys of a change: " + _names(spare))
    if field == "messages":
        yield from _messages(place, value)
    elif field in ("smb_message_echoes", "message_echoes") and place.number:
        yield from _rest(place, field, value, read_echoes(place, field, value))
    elif field == "history" and place.number:
        yield from _rest(place, field, value, read_history(place, value))
    elif field == "user_id_update":
        yield from _user_id_updates(place, value)
    else:
        yield _other(place, field, value, summarise(value))


def _messages(place: Place, value: Json) -> Iterator[Parsed]:
    """The field `messages`: messages, statuses and errors may stand side by side."""
    contacts = Contacts(value.get("contacts"), beside=len(list_of(value.get("messages"))) + len(list_of(value.get("statuses"))))
    found = False
    for key, reader in (("messages", read_message), ("statuses", read_status)):
        if key in value and not isinstance(value[key], list):
            yield _other(place, "messages", {key: value[key]}, f"'{key}' is no list")
            found = True
        for item in list_of(value.get(key)):
            found = True
            if key == "statuses" and (about := _other_subject(item)):
                yield _other(place, "messages", {key: [item], **(place.spare or {})}, about)
                continue
            read = reader(place, contacts, item)
            yield read if read is not None else _unusable(place, key, item, value)
    # Alone in its value an error is told with the number it concerns; beside messages these tell it.
    frame = {} if found else {key: value[key] for key in ("messaging_product", "metadata") if key in value}
    for error in list_of(value.get("errors")):
        found = True
        code = word(object_of(error).get("code"))
        yield _other(place, "messages", {**frame, "errors": [error]}, f"error {code}".strip())
    spare = aside(without(value, *_LISTS, "metadata"), messaging_product="whatsapp") | not_lists(value, "contacts", "errors")
    if not found:
        yield _other(place, "messages", value, summarise(value))
    elif spare:
        yield _other(place, "messages", spare, "further parts: " + _names(spare))
    if found and (unmatched := contacts.unmatched()):
        yield _other(place, "messages", {"contacts": unmatched}, "contacts without a message")


def _other_subject(status: object) -> str:
    """What a status that is none of a message's delivery tells: payments have states under the message's id, `failed` among them."""
    kind = word(object_of(status).get("type"))
    return "" if kind in ("", "message") else f"{kind} {word(object_of(status).get('status'))}"[:100].strip()


def _unusable(place: Place, key: str, item: object, value: Json) -> OtherEvent:
    reason = "no phone_number_id" if not place.number else "no id or nobody it belongs to"
    frame = {"metadata": value["metadata"]} if "metadata" in value else {}
    return _other(place, "messages", {key: [item], **frame}, f"{key} entry unusable: {reason}")


def _rest(place: Place, field: str, value: Json, read: tuple[list[Parsed], Json]) -> Iterator[Parsed]:
    """What was read of a value, then what was not, as an event of its own."""
    parts, unread = read
    yield from parts
    if unread:
        whole = {"metadata": value["metadata"], **unread} if "metadata" in value else unread
        yield _other(place, field, whole, summarise(unread))


def _user_id_updates(place: Place, value: Json) -> Iterator[Parsed]:
    """One event an update, since each moves one person to a new id."""
    updates = list_of(value.get("user_id_update"))
    contacts = Contacts(value.get("contacts"))
    if not updates:
        yield _other(place, "user_id_update", value, "no updates")
    for update in updates:
        item = object_of(update)
        own, parent = object_of(item.get("user_id")), object_of(item.get("parent_user_id"))
        wa_id = word_or_none(item.get("wa_id"))
        current, _ = contacts.complete(
            Identity(wa_id=wa_id, user_id=word_or_none(own.get("current")), parent_user_id=word_or_none(parent.get("current")))
        )
        previous = Identity(wa_id=wa_id, user_id=word_or_none(own.get("previous")), parent_user_id=word_or_none(parent.get("previous")))
        change = IdentityChange(previous, current) if previous.is_known and current.is_known else None
        yield _other(
            place,
            "user_id_update",
            value if len(updates) == 1 else {**value, "user_id_update": [update]},
            "user_id changed" if change else "update unusable",
            at=instant_of(item.get("timestamp")),
            change=change,
            subject=current if current.is_known else None,
        )


def _names(value: Json) -> str:
    """Its keys on one line."""
    return ", ".join(sorted(value))[:100]


def summarise(value: Json) -> str:
    """One line of Meta's own enumerated words out of `value`; no text a customer could have written."""
    inner = (first for key in sorted(value) for first in (list_of(value[key])[:1] or [value[key]]))
    for candidate in (value, *map(object_of, inner)):
        words = [text[:60] for key in _SUMMARY_KEYS if (text := word(candidate.get(key)))]
        if words:
            return " ".join(words)
    return ", ".join(key for key in sorted(value) if key not in ("metadata", "messaging_product", "contacts"))[:100]


def _other(
    place: Place,
    field: str,
    value: Json,
    summary: str,
    *,
    at: datetime | None = None,
    change: IdentityChange | None = None,
    subject: Identity | None = None,
) -> OtherEvent:
    return OtherEvent(
        waba=place.waba,
        number=place.number,
        field=field,
        value=value,
        at=None if (told := at or _event_time(value) or place.entry_at) is None else place.believed(told),
        summary=summary,
        identity=fingerprint(place.waba, field, value),
        identity_change=change,
        subject=subject or _only_subject(value),
        notices=read_notices(place, field, value),
    )


def _event_time(value: Json) -> datetime | None:
    items = (value, *(object_of(first) for part in value.values() for first in list_of(part)[:1]))
    return next((at for item in items if (at := instant_of(item.get("timestamp"))) is not None), None)


def _only_subject(value: Json) -> Identity | None:
    contacts = list_of(value.get("contacts"))
    if len(contacts) != 1:
        return None
    identity = identity_of(object_of(contacts[0]))
    return identity if identity.is_known else None
