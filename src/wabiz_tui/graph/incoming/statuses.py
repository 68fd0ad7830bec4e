"""Read one object of `statuses[]` (cloud-api §9)."""

from typing import Any

import msgspec

from wabiz_tui.graph.contents import is_whole, read_error
from wabiz_tui.graph.incoming.contacts import Contacts, known_by
from wabiz_tui.graph.incoming.place import Place
from wabiz_tui.graph.parsed import Identity, StatusUpdate, name_status
from wabiz_tui.graph.reading import Json, aside, list_of, object_of, without, word, word_or_none

# Meta renamed these in May 2026; both spellings are live (cloud-api §9, "Aliases").
_PARENTS = ("recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id")
_PARTICIPANTS = ("recipient_participant_id", "participant_recipient_id")
_PARTICIPANT_USERS = ("recipient_participant_user_id", "participant_recipient_user_id")
_PARTICIPANT_PARENTS = ("recipient_participant_parent_user_id", "participant_recipient_parent_user_id")


def read_status(place: Place, contacts: Contacts, value: Any) -> StatusUpdate | None:
    """None when it names no message, no state or no business number."""
    status = object_of(value)
    wamid, state = word(status.get("id")), word(status.get("status"))
    if not wamid or not state or not place.number:
        return None
    told = _recipient(status)
    recipient, spare = contacts.complete(told)
    at, is_timed = place.time_of(status.get("timestamp"))
    errors = list_of(status.get("errors"))
    error = read_error(errors[0]) if errors and isinstance(errors[0], dict) else None
    rest = _rest(status, told, is_timed=is_timed, errors_held=len(errors) == 1 and error is not None and is_whole(error, errors[0]))
    pricing, conversation = status.get("pricing"), status.get("conversation")
    return StatusUpdate(
        waba=place.waba,
        number=place.number,
        display_number=place.display_number,
        wamid=wamid,
        state=state,
        at=at,
        recipient=recipient,
        callback_data=word_or_none(status.get("biz_opaque_callback_data")),
        error=error,
        pricing=object_of(pricing) if isinstance(pricing, dict) else None,
        conversation=object_of(conversation) if isinstance(conversation, dict) else None,
        extra=place.extra(contact=spare, **rest),
        # A fact is named by what Meta repeats with it, so that the same status with and without `contacts` is one.
        identity=name_status(wamid, state, told.group_id, told.user_id or told.parent_user_id or told.wa_id),
    )


def _first(status: Json, keys: tuple[str, ...]) -> str | None:
    return next((text for key in keys if (text := word(status.get(key)))), None)


def _recipient(status: Json) -> Identity:
    key_hash = word_or_none(status.get("recipient_identity_key_hash"))
    if status.get("recipient_type") == "group":
        participant = (_first(status, keys) for keys in (_PARTICIPANTS, _PARTICIPANT_USERS, _PARTICIPANT_PARENTS))
        told = known_by(*participant, group=status.get("recipient_id"))
    else:
        told = known_by(status.get("recipient_id"), status.get("recipient_user_id"), _first(status, _PARENTS))
    return msgspec.structs.replace(told, identity_key_hash=key_hash)


def _rest(status: Json, told: Identity, *, is_timed: bool, errors_held: bool) -> Json:
    """The keys that no field holds, among them a second spelling of a key that says something else."""
    is_group = status.get("recipient_type") == "group"
    phone = word_or_none(status.get("recipient_id"))
    users = (_PARTICIPANT_USERS, _PARTICIPANT_PARENTS) if is_group else (("recipient_user_id",), _PARENTS)
    held: dict[str, str | None] = {
        "id": word(status.get("id")),
        "status": word(status.get("status")),
        "recipient_id": told.group_id or (phone if phone in (told.user_id, told.parent_user_id) else told.wa_id),
        "recipient_type": "group" if is_group else "individual",
        "recipient_identity_key_hash": told.identity_key_hash,
        "biz_opaque_callback_data": word_or_none(status.get("biz_opaque_callback_data")),
        **dict.fromkeys(users[0], told.user_id),
        **dict.fromkeys(users[1], told.parent_user_id),
        **dict.fromkeys(_PARTICIPANTS if is_group else (), told.wa_id),
    }
    known = [key for key in ("pricing", "conversation") if isinstance(status.get(key), dict)]
    known += ["errors"] if errors_held else []
    known += ["timestamp"] if is_timed else []
    return {key: part for key, part in aside(without(status, *known), **held).items() if part is not None}
