"""The reply out of hours: once in 24 hours to a conversation, in the hub's own name, to whoever wrote a moment ago."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import structlog

from wabiz_tui.graph.requests import build_text
from wabiz_tui.hub.archive.contacts import CONTACTS
from wabiz_tui.hub.archive.conversations import CONVERSATIONS, StoredConversation, load_conversation
from wabiz_tui.hub.archive.facts import Arrived
from wabiz_tui.hub.archive.replies import OwedReply, ReplyState, owe_reply, settle_reply
from wabiz_tui.hub.archive.routines import CANNED
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.gateway.messages import Gateway
from wabiz_tui.hub.gateway.sender import HUB
from wabiz_tui.hub.gateway.templates import TemplateShelf
from wabiz_tui.hub.routines.canned import fill_for
from wabiz_tui.hub.routines.running import outcome_of
from wabiz_tui.model.canned import LONGEST_SHORTCUT
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.wire import address_of
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.hours import is_on_shift

FRESH = timedelta(minutes=10)
"""How old a message may be that is answered by itself: what a hub that was away finds later, people answer."""

log = structlog.get_logger("hub.routines")


def note_owed(writing: Writing, policy: Policy, arrived: Iterable[Arrived]) -> int:
    """Of customers' messages that came out of hours a moment ago, note that a reply is owed; how many. To groups none is."""
    if not policy.hours.auto_reply or not policy.hours.has_shifts or is_on_shift(policy, writing.now):
        return 0
    fresh = [one for one in arrived if one.sent_at > writing.now - FRESH and not is_on_shift(policy, one.sent_at)]
    return sum(owe_reply(writing, one.conversation, one.sent_at) for one in fresh if not _is_group(writing, one.conversation))


class Replies:
    """Sends what is owed through the gateway. The idempotency key is the conversation with the message that asked: whatever ends
    and begins again, one reply leaves."""

    def __init__(
        self, archive: Archive, gateway: Gateway, templates: TemplateShelf, policy: Callable[[], Policy], *, business: str
    ) -> None:
        self._archive, self._gateway, self._templates, self._policy, self._business = archive, gateway, templates, policy, business

    async def send(self, owed: OwedReply) -> bool:
        """Whether it is settled; what cannot be sent now stays owed while it is fresh."""
        if self._archive.clock.now() - owed.at > FRESH:
            return await self._settle(owed, "late")
        stored = await self._archive.read(lambda reading: load_conversation(reading, owed.conversation))
        body = None if stored is None else await self._body(stored)
        if stored is None or body is None:
            log.warning("auto_reply_not_known", conversation=owed.conversation)
            return await self._settle(owed, "unknown")
        key = f"auto-reply/{owed.conversation}/{owed.asked_ms}"
        answered = await self._gateway.messages(HUB, stored.value.number, encode(body), key=key)
        if answered.status in (429, 503) or answered.retry_after:
            return False
        outcome = outcome_of(answered)
        state: ReplyState = "sent" if outcome.state == "sent" else "uncertain" if outcome.state == "uncertain" else "refused"
        log.info("auto_reply", state=state, code=outcome.code, conversation=owed.conversation)
        return await self._settle(owed, state, message=answered.message or None)

    async def _settle(self, owed: OwedReply, state: ReplyState, *, message: str | None = None) -> bool:
        await self._archive.write(lambda writing: settle_reply(writing, owed, state, message=message))
        return True

    async def _body(self, stored: StoredConversation) -> dict[str, Any] | None:
        """The canned response of that shortcut, the team's before everybody's; else the template of that name; else None."""
        name = self._policy().hours.auto_reply
        try:
            text = await self._archive.read(lambda reading: _canned_text(reading, name, stored, self._business))
        except BadInput as error:
            log.warning("auto_reply_not_filled", code=error.code)
            return None
        recipient = address_of(stored.value.id)
        if text is not None:
            return build_text(recipient=recipient, body=text)
        template, _, language = name.partition("/")
        known = [str(one.get("language", "")) for one in await self._templates.named(template) if one.get("status") == "APPROVED"]
        if not known or (language and language not in known):
            return None
        inner = {"name": template, "language": {"code": language or min(known)}}
        return {"messaging_product": "whatsapp", "recipient": recipient, "type": "template", "template": inner}


def _canned_text(reading: Reading, name: str, stored: StoredConversation, business: str) -> str | None:
    """Raises BadInput where it cannot be filled: there is no agent to be named."""
    shortcut = name.removeprefix("/")
    if len(shortcut) > LONGEST_SHORTCUT:
        return None
    team = stored.value.team
    own = None if team is None else CANNED.named(reading, shortcut, team)
    found = own or CANNED.named(reading, shortcut, None)
    canned = None if found is None else CANNED.find(reading, found)
    return None if canned is None else fill_for(reading, canned.text, stored, agent="", business=business)


def _is_group(writing: Writing, conversation: str) -> bool:
    row = writing.shelf(CONVERSATIONS).get(conversation)
    contact = None if row is None else writing.shelf(CONTACTS).get(row["contact"])
    return contact is None or bool(contact["is_group"])
