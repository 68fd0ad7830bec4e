"""Whether a message may go: the policy's hours, the customer's window and wishes, the template. Nothing is archived of what may not."""

from datetime import datetime
from typing import Any, NamedTuple

from wabiz_tui.graph.limits import refusing
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.graph.templates import check_fit, read_template
from wabiz_tui.hub.archive.contacts import load_contacts
from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender
from wabiz_tui.model.content import Content, Template
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.hours import is_closed, next_start
from wabiz_tui.policy.window import is_open

_SWITCHED_OFF = ("DISABLED", "PENDING_DELETION", "DELETED")


class TemplateFacts(NamedTuple):
    """What the hub knows of a template it is asked to send; nothing where Meta could not be asked (`is_known` is False)."""

    is_known: bool
    definition: dict[str, Any] | None = None
    other_languages: tuple[str, ...] = ()

    @property
    def category(self) -> str:
        return str((self.definition or {}).get("category", "")).upper()

    @property
    def status(self) -> str:
        return str((self.definition or {}).get("status", "")).upper()


def check_hours(sender: Sender, policy: Policy, now: datetime) -> None:
    """Raises CloudError where the policy closes the inbox to programs now, with the time at which it opens.

    A person's own shift is judged at the gateway's door: they may be on a break, or work by an override."""
    if not sender.keeps_hours or not is_closed(policy, now):
        return
    opens = next_start(policy, now)
    when = f" until {opens.isoformat(timespec='minutes')}" if opens is not None else ""
    raise refuse("off_shift", f"The policy closes the inbox now{when}", retry_after=None if opens is None else opens - now)


def check_blocked(reading: Reading, conversation: StoredConversation) -> None:
    """Raises CloudError where the business number has blocked this person."""
    contact = load_contacts(reading, [conversation.value.contact]).get(conversation.value.contact)
    if contact is not None and conversation.value.number in contact.record.blocked:
        raise refuse("blocked", "This number has blocked the contact")


def check_customer(conversation: StoredConversation, request: SendRequest, now: datetime, facts: TemplateFacts | None) -> None:
    """Window, opt-out and template, in this order. Raises CloudError with the code of the first that stands against it."""
    if request.type != "template":
        if not is_open(conversation.value.window_until, now):
            raise refuse("window_closed", "More than 24 hours have passed since the customer last wrote; use a template")
        return
    if facts is None:
        return
    contact = conversation.contact
    if contact is not None and contact.marketing_opt_out:
        if not facts.is_known:
            raise refuse("category_unknown", "The customer stopped marketing messages, and whether this is one cannot be found out now")
        if facts.category == "MARKETING":
            raise refuse("opted_out", "The customer stopped marketing messages; a utility template may go")
    if facts.is_known:
        _check_template(facts, request.content)


def _check_template(facts: TemplateFacts, content: Content) -> None:
    if facts.definition is None:
        others = f"; it exists in {', '.join(facts.other_languages[:10])}" if facts.other_languages else ""
        raise refuse("template_unknown", f"There is no template of this name and language{others}")
    if facts.status == "APPROVED":
        if facts.definition.get("components") and isinstance(content, Template):
            with refusing():
                check_fit(read_template(facts.definition), content)
        return
    if facts.status == "PAUSED":
        raise refuse("template_paused", "The template is paused")
    if facts.status in _SWITCHED_OFF:
        raise refuse("template_disabled", "The template is switched off")
    raise refuse("template_unapproved", f"The template is not approved; its status is {facts.status[:32] or 'unknown'}")
