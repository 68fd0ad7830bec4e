"""Values as their reader may see them: names, numbers and identities masked where the policy says so, before they leave the hub."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from wabiz_tui.hub.archive.contacts import StoredContact, load_contacts
from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.archive.events import own_numbers
from wabiz_tui.hub.archive.sight import contacts_of
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.policy import in_force
from wabiz_tui.model.content import Activity, Note, System, Text, kind_of
from wabiz_tui.model.values import Contact, Conversation, Direction, Event, Message, Role
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.masking import mask_struct
from wabiz_tui.policy.privacy import mask_contact, mask_identities, mask_known, mask_numbers_in, mask_user_ids_in, named_in, names_of

_ABOUT_THE_BUSINESS = ("account_", "business_", "phone_number_", "message_template_", "template_", "security", "partner_", "flows")
"""How the fields begin whose values name the business and its own numbers, never a customer (cloud-api §10)."""
_WRITTEN = frozenset({"text", "note", "interactive", "button", "order", "location", "contacts", "reaction"})
"""The kinds whose preview is what somebody wrote."""
_IDS = re.compile(r"[0-9a-f]{32}")

Names = frozenset[str]
"""By what a customer's identities are found in other texts (policy/privacy.py)."""


def names_in(reading: Reading, conversations: Iterable[str]) -> dict[str, Names]:
    """Conversation id → the names of the contact it is with. One statement for contacts, whatever they are."""
    contacts = contacts_of(reading, conversations)
    stored = load_contacts(reading, contacts.values())
    names = {contact: names_of_contact(found) for contact, found in stored.items()}
    return {conversation: names.get(contact, frozenset()) for conversation, contact in contacts.items()}


def names_of_contact(stored: StoredContact) -> Names:
    return names_of(stored.record.username, *(value for _, value in stored.record.aliases))


def seen_contact(contact: Contact, policy: Policy, role: Role, known: Names) -> Contact:
    """The contact as the role sees it, found by its `known` names in what the business keeps of it too."""
    seen = mask_contact(contact, policy, role)
    return mask_struct(seen, ours=frozenset(), known=known) if seen.is_masked else seen


def seen_conversation(stored: StoredConversation, policy: Policy, role: Role, known: Names = frozenset()) -> Conversation:
    """The conversation with the name its reader may see; a preview that nobody wrote is masked as in the message. `known` are the
    names of its contact beyond those that the contact's value has."""
    value, contact = stored.value, stored.contact
    if not policy.privacy.mask_numbers:
        return value if contact is None else msgspec.structs.replace(value, name=_called(contact), is_masked_contact=False)
    preview = _told(value.preview) if value.preview_kind == kind_of(System()) else value.preview
    name = value.name if contact is None else _called(mask_contact(contact, policy, role))
    names = known if contact is None else known | names_of(contact.phone, contact.username, contact.user_id)
    masked = mask_struct(msgspec.structs.replace(value, name=name, preview=preview), ours=frozenset(), known=names)
    is_written = value.preview_kind in _WRITTEN
    return msgspec.structs.replace(masked, preview=preview if is_written else masked.preview, is_masked_contact=contact is not None)


def is_plain(message: Message) -> bool:
    """Whether the message holds nothing but words that somebody wrote, ids, and a name of ours: there is nothing to mask then.
    Most messages are, and looking into every field of each would cost as much as all else that is done to send it."""
    delivery, key = message.delivery, message.key
    return (
        isinstance(message.content, Text | Note)
        and message.context is None
        and message.extra is None
        and message.referral is None
        and not message.reactions
        and not (message.author_name and message.direction is Direction.INCOMING)
        and (delivery is None or (delivery.error is None and not delivery.sentence))
        and (key is None or _IDS.fullmatch(key) is not None)
    )


def seen_message(message: Message, policy: Policy, ours: frozenset[str], known: Names = frozenset()) -> Message:
    """The message without the customer's identity in what Meta said around it; what the customer wrote stays as it is.
    `ours` are the business's own numbers, `known` the names of the conversation's contact."""
    if not policy.privacy.mask_numbers or is_plain(message):
        return message
    # One value: whoever one part names is masked in the others too. What we tell of the work is `to` a colleague or a team of ours.
    is_ours = isinstance(message.content, Activity)
    names = known if is_ours else known | named_in(msgspec.to_builtins(message), ours=ours)
    masked = mask_struct(message, ours=ours, known=names)
    content, author_name = masked.content, masked.author_name
    if isinstance(content, System) and isinstance(message.content, System):
        content = msgspec.structs.replace(content, body=mask_known(_told(message.content.body), names))
    if message.direction is Direction.INCOMING and author_name:
        author_name = mask_numbers_in(author_name)
    return msgspec.structs.replace(masked, content=content, author_name=author_name)


def seen_event(event: Event, policy: Policy, ours: frozenset[str]) -> Event:
    """The event without its customers' identities; `ours` are the business's own numbers."""
    if not policy.privacy.mask_numbers or event.field.startswith(_ABOUT_THE_BUSINESS):
        return event
    return mask_struct(event, ours=ours, known=named_in(event.value, ours=ours))


def seen_answer(reading: Reading, answer: dict[str, Any]) -> dict[str, Any]:
    """What Meta answers one of our people, under the policy in force; other programs are told who they write to."""
    if not in_force(reading).policy.privacy.mask_numbers:
        return answer
    paging = {"paging": answer["paging"]} if "paging" in answer else {}
    return mask_identities(answer, ours=own_numbers(reading)) | paging


def _called(contact: Contact) -> str:
    return contact.name or contact.username or contact.phone or contact.user_id or ""


def _told(sentence: str) -> str:
    """A sentence of Meta's about who somebody was and is now."""
    return mask_numbers_in(mask_user_ids_in(sentence))
