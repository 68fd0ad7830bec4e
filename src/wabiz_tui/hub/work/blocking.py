"""Block a person, at the hub and at Meta.

The hub's block stands first and by itself: sends to them are refused from then on, whatever Meta says (she blocks only who wrote
within 24 hours, cloud-api §2). It is lifted number by number, where Meta is known to have lifted hers or never to have had one: so a
contact that the hub shows as free is nowhere shut out.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wabiz_tui.cloud.outcomes import Refused, Unanswered
from wabiz_tui.cloud.users import Users
from wabiz_tui.hub.archive.contacts import StoredContact, load_contacts, set_blocked
from wabiz_tui.hub.archive.conversations import conversations_with, load_conversations
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.people.reveal import visible_contact
from wabiz_tui.hub.work.reasons import short
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.values import Person
from wabiz_tui.model.work import BlockAtMeta, BlockOutcome

_ONLY_RECENT = 131047
_NOT_RECENT = "WhatsApp blocks only people who wrote within the last 24 hours; what they write still arrives: block them again then."
_REFUSED = "WhatsApp refused it (code {code}); ask an administrator to look at the number's block list."
_UNKNOWN = "WhatsApp did not answer; do it again, which is safe."


class Whom(NamedTuple):
    """Whom Meta is asked about, under the name she knows best, on which numbers; and in which conversations it is told."""

    user: str
    numbers: tuple[str, ...]
    conversations: tuple[str, ...]


async def block(archive: Archive, users: Users, viewer: Viewer, person: Person, contact: str, *, reason: str) -> BlockOutcome:
    """On every number the contact has a conversation on. Safe to repeat: Meta is asked again, the rest is done once."""
    whom = await archive.write(lambda writing: _block_here(writing, viewer, person, contact, reason=reason))
    told = await _ask(users, whom, is_blocking=True)

    def note(writing: Writing) -> None:
        stored = load_contacts(writing, [contact]).get(contact)
        for one in told:
            # Where no answer came Meta may block: lifting it has to ask her. Whoever lifted it meanwhile has done so.
            if one.state != "refused" and stored is not None and one.number in stored.record.blocked:
                set_blocked(writing, contact, one.number, is_blocked=True)
            _log(writing, viewer, contact, one, action="contact.blocked_at_meta")

    if told:
        await archive.write(note)
    return BlockOutcome(contact, blocked=True, at_meta=told, sentence=_sentence(told))


async def unblock(archive: Archive, users: Users, viewer: Viewer, person: Person, contact: str, *, reason: str) -> BlockOutcome:
    """On every number that blocks the contact; where Meta does not say that she did, the block stays, to be lifted again."""
    whom, at_meta = await archive.read(lambda reading: _blocked_on(reading, viewer, contact))
    told = await _ask(users, whom._replace(numbers=at_meta), is_blocking=False)
    kept = frozenset(one.number for one in told if one.state != "done")

    def lift(writing: Writing) -> bool:
        stored = visible_contact(writing, viewer, contact)
        for number in stored.record.blocked:
            if number in whom.numbers and number not in kept:
                set_blocked(writing, contact, number, is_blocked=False)
        for one in told:
            _log(writing, viewer, contact, one, action="contact.unblocked_at_meta")
        left = load_contacts(writing, [contact])[contact].record.blocked
        if stored.record.blocked and not left:
            _tell(writing, whom, viewer, person, contact, verb="unblocked", reason=reason)
        return bool(left)

    return BlockOutcome(contact, blocked=await archive.write(lift), at_meta=told, sentence=_sentence(told))


def _block_here(writing: Writing, viewer: Viewer, person: Person, contact: str, *, reason: str) -> Whom:
    stored = visible_contact(writing, viewer, contact)
    if stored.is_group:
        raise BadInput("A group cannot be blocked; block its members.", code="is_group")
    whom = _whom(writing, stored)
    new = [number for number in whom.numbers if number not in stored.record.blocked]
    for number in new:
        set_blocked(writing, contact, number, is_blocked=True, at_meta=False)
    if new:
        _tell(writing, whom, viewer, person, contact, verb="blocked", reason=reason)
    return whom


def _blocked_on(reading: Reading, viewer: Viewer, contact: str) -> tuple[Whom, tuple[str, ...]]:
    stored = visible_contact(reading, viewer, contact)
    blocked = stored.record.blocked
    at_meta = tuple(number for number in blocked if number not in stored.record.blocked_here)
    return _whom(reading, stored)._replace(numbers=blocked), at_meta


def _whom(reading: Reading, stored: StoredContact) -> Whom:
    ids = conversations_with(reading, [stored.id]).get(stored.id, [])
    conversations = load_conversations(reading, ids)
    numbers = tuple(sorted({one.value.number for one in conversations.values()}))
    wa_id = stored.record.alias("wa_id")
    user = f"+{wa_id}" if wa_id else stored.record.alias("bsuid") or ""
    return Whom(user, numbers, tuple(conversations))


async def _ask(users: Users, whom: Whom, *, is_blocking: bool) -> tuple[BlockAtMeta, ...]:
    if not whom.user:
        return ()
    return tuple([await _ask_one(users, number, whom.user, is_blocking=is_blocking) for number in whom.numbers])


async def _ask_one(users: Users, number: str, user: str, *, is_blocking: bool) -> BlockAtMeta:
    change = users.block if is_blocking else users.unblock
    try:
        outcome = await change(number, [user])
    except (Unanswered, BadInput):
        return BlockAtMeta(number, "unknown", _UNKNOWN)
    except Refused as error:
        return BlockAtMeta(number, "refused", _refused(error.graph_code))
    if outcome.failed:
        return BlockAtMeta(number, "refused", _refused(outcome.failed[0].code))
    return BlockAtMeta(number, "done")


def _refused(code: int | None) -> str:
    return _NOT_RECENT if code == _ONLY_RECENT else _REFUSED.format(code=code or "none")


def _sentence(told: Sequence[BlockAtMeta]) -> str:
    return next((one.sentence for one in told if one.state != "done"), "")


def _tell(writing: Writing, whom: Whom, viewer: Viewer, person: Person, contact: str, *, verb: str, reason: str) -> None:
    for conversation in whom.conversations:
        add_activity(writing, conversation, Activity(verb=verb, by=person.name, reason=short(reason)), author=person.id)
    details = {"numbers": list(whom.numbers)}
    record(writing, Act(f"contact.{verb}", by=person.id, device=viewer.device, about=contact, details=details))


def _log(writing: Writing, viewer: Viewer, contact: str, told: BlockAtMeta, *, action: str) -> None:
    details: Mapping[str, str] = {"number": told.number}
    record(writing, Act(action, by=viewer.person, device=viewer.device, about=contact, result=told.state, details=dict(details)))
