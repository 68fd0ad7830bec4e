"""Build and read the answers to a send: a 200 means that it was accepted, and nothing more (cloud-api §3.3)."""

from typing import Any

import msgspec

from wabiz_tui.graph.reading import Json, list_of, load_object, object_of, word, word_or_none
from wabiz_tui.model.errors import BadInput, CloudError


class Accepted(msgspec.Struct, frozen=True, omit_defaults=True):
    """`wa_id` may differ from `input` (Brazil, Mexico, Argentina): both name the same person. `message_status` is for templates only."""

    wamid: str
    input: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    message_status: str | None = None
    group_id: str | None = None
    original: dict[str, Any] = {}


def build_accepted(
    *,
    wamid: str,
    input: str,
    wa_id: str | None = None,
    user_id: str | None = None,
    message_status: str | None = None,
    group_id: str | None = None,
) -> dict[str, Any]:
    """The body of the answer to an accepted send."""
    contact: Json = {"input": input}
    message: Json = {"id": wamid}
    for target, key, value in (
        (contact, "wa_id", wa_id),
        (contact, "user_id", user_id),
        (message, "group_id", group_id),
        (message, "message_status", message_status),
    ):
        if value is not None:
            target[key] = value
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}


def parse_accepted(raw: bytes) -> Accepted:
    """The answer to a send. Raises CloudError with is_uncertain when it cannot be read: the message was accepted all the same."""
    try:
        body = load_object(raw)
    except BadInput as error:
        raise _unreadable() from error
    message = object_of(next(iter(list_of(body.get("messages"))), None))
    contact = object_of(next(iter(list_of(body.get("contacts"))), None))
    wamid = word(message.get("id"))
    if not wamid:
        raise _unreadable()
    return Accepted(
        wamid=wamid,
        input=word(contact.get("input")),
        wa_id=word_or_none(contact.get("wa_id")),
        user_id=word_or_none(contact.get("user_id")),
        message_status=word_or_none(message.get("message_status")),
        group_id=word_or_none(message.get("group_id")),
        original=body,
    )


def _unreadable() -> CloudError:
    return CloudError(
        "WhatsApp accepted the message but its answer cannot be read: check whether it arrived before sending again.",
        http_status=200,
        is_uncertain=True,
    )
