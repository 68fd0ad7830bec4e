"""Whom a send is for: a conversation named by a desk, or a person named as Meta's API names people."""

from typing import Any

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.hub.archive.contacts import contact_of, find_contact, load_contacts
from wabiz_tui.hub.archive.conversations import CONVERSATIONS, StoredConversation, conversation_of
from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, check_number, visible
from wabiz_tui.hub.ingest.folding import CALLBACK_PREFIX
from wabiz_tui.model.wire import addressed_conversation


def conversation_for(writing: Writing, sender: Sender, number: str, request: SendRequest) -> StoredConversation:
    """The conversation to write into, made where the person is new. Raises CloudError for what the sender may not use or see."""
    check_number(writing, sender, number)
    addressed = addressed_conversation(request.recipient) if request.to is None else None
    if addressed is not None:
        stored = visible(writing, sender, addressed)
        if stored.value.number != number:
            raise refuse("unknown_recipient", "recipient names a conversation of another business number")
        return stored
    contact = contact_of(writing, _identity(writing, number, request), at=writing.now)
    return visible(writing, sender, conversation_of(writing, number, contact))


def known_conversation(reading: Reading, number: str, request: SendRequest) -> str | None:
    """The conversation this goes to, where there is one yet; makes nothing and judges nothing."""
    addressed = addressed_conversation(request.recipient) if request.to is None else None
    if addressed is not None:
        return addressed
    contact = find_contact(reading, _identity(reading, number, request))
    if contact is None:
        return None
    return next((row["id"] for row in reading.shelf(CONVERSATIONS).group(contact) if row["number"] == number), None)


def body_for_meta(reading: Reading, request: SendRequest, conversation: StoredConversation, message: str) -> dict[str, Any]:
    """The caller's body with our id in it; a conversation it names becomes the person's true address."""
    body = {**request.original, "biz_opaque_callback_data": CALLBACK_PREFIX + message}
    if addressed_conversation(request.recipient) is None or request.to is not None:
        return body
    # Meta advises the phone where we hold one: it keeps the phone visible (cloud-api §14 rule 6).
    record = load_contacts(reading, [conversation.value.contact])[conversation.value.contact].record
    phone, user, group = record.alias("wa_id"), record.alias("bsuid") or record.alias("parent_bsuid"), record.alias("group")
    del body["recipient"]
    if group is not None:
        return body | {"recipient_type": "group", "to": group}
    if phone is not None:
        return body | {"to": f"+{phone}"}
    if user is not None:
        return body | {"recipient": user}
    raise graph_error(131026, "Nothing is known by which this person could be reached")


def spellings(digits: str) -> tuple[str, ...]:
    """A number as typed, then the other ways in which WhatsApp may know it: Brazil's ninth digit, Mexico's 1, Argentina's 9
    (cloud-api §14 rule 7)."""
    other = ""
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9":
        other = digits[:4] + digits[5:]
    elif digits.startswith("55") and len(digits) == 12:
        other = digits[:4] + "9" + digits[4:]
    elif digits.startswith("521") and len(digits) == 13:
        other = "52" + digits[3:]
    elif digits.startswith("52") and len(digits) == 12:
        other = "521" + digits[2:]
    elif digits.startswith("549") and len(digits) == 13:
        other = "54" + digits[3:]
    elif digits.startswith("54") and len(digits) == 12:
        other = "549" + digits[2:]
    return (digits, other) if other else (digits,)


def _identity(reading: Reading, number: str, request: SendRequest) -> Identity:
    if request.is_group:
        return Identity(group_id=request.to)
    if request.to is None:
        return Identity(user_id=request.recipient)
    digits = "".join(character for character in request.to if character.isascii() and character.isdigit())
    if not digits:
        raise graph_error(131009, "The parameter to is no phone number")
    known = _known_number(reading, digits)
    if known is not None or request.to.lstrip().startswith("+"):
        return Identity(wa_id=known or digits)
    dialled = _with_own_country(reading, number, digits)
    return Identity(wa_id=_known_number(reading, dialled) or dialled)


def _known_number(reading: Reading, digits: str) -> str | None:
    """The spelling under which a contact has this number."""
    return next((one for one in spellings(digits) if find_contact(reading, Identity(wa_id=one)) is not None), None)


def _with_own_country(reading: Reading, number: str, digits: str) -> str:
    """Without a plus Meta puts the business number's country code in front (cloud-api §3.1), unless it is there."""
    import phonenumbers

    display = load_numbers(reading, [number]).get(number, ("", ""))[0]
    try:
        code = str(phonenumbers.parse("+" + "".join(filter(str.isdigit, display))).country_code or "")
    except phonenumbers.NumberParseException:
        return digits
    return digits if digits.startswith(code) and len(digits) >= 11 else code + digits
