"""Read ahead what a batch of webhooks will ask for: a dozen statements in place of a dozen for each webhook.

What is missed here is read when it is asked for, so this is about speed alone.
"""

from collections.abc import Iterable, Sequence

from wabiz_tui.graph.identity import aliases_of, spellings
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, Identity, IncomingMessage, OtherEvent, Parsed, StatusUpdate
from wabiz_tui.hub.archive.contacts import ALIASES, CONTACTS, PAST_ALIASES, alias_hash
from wabiz_tui.hub.archive.conversations import CONVERSATIONS, EPISODES
from wabiz_tui.hub.archive.events import EVENTS, NUMBERS, event_hash
from wabiz_tui.hub.archive.messages import AWAITED, MESSAGE_KEYS, MESSAGES, wamid_hash
from wabiz_tui.hub.archive.sealing import contact_unit, text_unit
from wabiz_tui.hub.archive.statuses import STATUSES, status_event, status_hash
from wabiz_tui.hub.archive.store import Writing


def prefetch(writing: Writing, parts: Sequence[Parsed]) -> None:
    """Put on the shelves the rows these parts name, and into memory the keys that open them."""
    writing.shelf(NUMBERS).fetch({part.number for part in parts if part.number})
    messages = [part for part in parts if isinstance(part, IncomingMessage | EchoedMessage | HistoryMessage)]
    _fetch_messages(writing, messages, [part for part in parts if isinstance(part, StatusUpdate)])
    writing.rest()
    _fetch_contacts(writing, [_person_of(part) for part in messages])
    writing.rest()
    others = [event_hash(writing, part.identity) for part in parts if isinstance(part, OtherEvent)]
    writing.shelf(EVENTS).fetch(others)


def _fetch_messages(
    writing: Writing, messages: Sequence[IncomingMessage | EchoedMessage | HistoryMessage], statuses: Sequence[StatusUpdate]
) -> None:
    new, told = [wamid_hash(writing, part.wamid) for part in messages], [wamid_hash(writing, part.wamid) for part in statuses]
    keys = writing.shelf(MESSAGE_KEYS)
    keys.fetch((*new, *told))
    unknown = [one for one in new if keys.get(one) is None]
    writing.tombstones.load("wamid", (one for one in (*new, *told) if keys.get(one) is None))
    writing.shelf(AWAITED).fetch_groups(unknown)
    writing.shelf(STATUSES).fetch_groups(unknown)
    writing.shelf(STATUSES).fetch(status_hash(writing, part) for part in statuses)
    writing.rest()
    unjoined = [part for part, one in zip(statuses, told, strict=True) if keys.get(one) is None]
    writing.shelf(EVENTS).fetch(event_hash(writing, status_event(part)) for part in unjoined)
    ids = [row["message"] for row in map(keys.get, told) if row is not None]
    shelf = writing.shelf(MESSAGES)
    shelf.fetch(ids)
    rows = [row for row in map(shelf.get, ids) if row is not None]
    writing.rest()
    writing.archive.keys.load(text_unit(row["conversation"], row["month"]) for row in rows)
    _fetch_conversations(writing, {row["conversation"] for row in rows})


def _fetch_contacts(writing: Writing, people: Iterable[Identity]) -> None:
    named = {spelling for person in people for alias in aliases_of(person) for spelling in spellings(alias)}
    hashes = [alias_hash(writing, alias) for alias in named]
    aliases, contacts, conversations = writing.shelf(ALIASES), writing.shelf(CONTACTS), writing.shelf(CONVERSATIONS)
    aliases.fetch(hashes)
    writing.shelf(PAST_ALIASES).fetch_groups(hashes)
    writing.rest()
    known = {row["contact"] for row in map(aliases.get, hashes) if row is not None}
    contacts.fetch(known)
    writing.archive.keys.load(contact_unit(one) for one in known)
    conversations.fetch_groups(known)
    _fetch_conversations(writing, {row["id"] for one in known for row in conversations.group(one)})


def _fetch_conversations(writing: Writing, ids: Iterable[str]) -> None:
    shelf = writing.shelf(CONVERSATIONS)
    shelf.fetch(ids)
    writing.shelf(EPISODES).fetch({row["episode"] for row in map(shelf.get, ids) if row is not None})


def _person_of(part: IncomingMessage | EchoedMessage | HistoryMessage) -> Identity:
    match part:
        case IncomingMessage():
            return part.sender
        case EchoedMessage():
            return part.recipient
        case HistoryMessage():
            return part.contact
