"""Values as their reader may see them: names, numbers and identities masked where the policy says so, before they leave the hub."""

from typing import Any

import msgspec

from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.model.content import Edit, System, Unsupported, kind_of
from wabiz_tui.model.values import Conversation, Direction, Event, Message, Role
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.privacy import mask_contact, mask_identities, mask_numbers_in, mask_user_ids_in

_ABOUT_THE_BUSINESS = ("account_", "business_", "phone_number_", "message_template_", "template_", "security", "partner_", "flows")
"""How the fields begin whose values name the business and its own numbers, never a customer (cloud-api §10)."""


def seen_conversation(stored: StoredConversation, policy: Policy, role: Role) -> Conversation:
    """The conversation with the name its reader may see; Meta's own lines are masked in its preview as in the message."""
    value = stored.value
    if policy.privacy.mask_numbers and value.preview_kind == kind_of(System()):
        value = msgspec.structs.replace(value, preview=_told(value.preview))
    if stored.contact is None:
        return value
    seen = mask_contact(stored.contact, policy, role)
    name = seen.name or seen.username or seen.phone or seen.user_id or ""
    return msgspec.structs.replace(value, name=name, is_masked_contact=seen.is_masked)


def seen_message(message: Message, policy: Policy, ours: frozenset[str]) -> Message:
    """The message without the customer's identity in what Meta said around it; what the customer wrote stays as it is.
    `ours` are the business's own numbers."""
    if not policy.privacy.mask_numbers:
        return message
    content = message.content
    # One value: whoever one part names is masked in the others too.
    parts: dict[str, Any] = {"context": message.context, "extra": message.extra}
    match content:
        case System():
            parts["content"] = {key: getattr(content, key) for key in ("wa_id", "user_id", "parent_user_id", "other")}
        case Unsupported():
            parts["content"] = {"json": content.json}
        case Edit():
            parts["content"] = {"message": content.message}
        case _:
            pass
    parts = mask_identities(parts, ours=ours)
    content = msgspec.structs.replace(content, **parts.get("content", {}))
    if isinstance(content, System):
        content = msgspec.structs.replace(content, body=_told(content.body))
    is_named = message.direction is Direction.INCOMING and message.author_name
    return msgspec.structs.replace(
        message,
        content=content,
        context=parts["context"],
        extra=parts["extra"],
        author_name=mask_numbers_in(message.author_name) if is_named else message.author_name,
    )


def seen_event(event: Event, policy: Policy, ours: frozenset[str]) -> Event:
    """The event without its customers' identities; `ours` are the business's own numbers."""
    if not policy.privacy.mask_numbers or event.field.startswith(_ABOUT_THE_BUSINESS):
        return event
    return msgspec.structs.replace(event, value=mask_identities(event.value, ours=ours))


def _told(sentence: str) -> str:
    """A sentence of Meta's about who somebody was and is now."""
    return mask_numbers_in(mask_user_ids_in(sentence))
