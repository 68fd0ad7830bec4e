"""People whose numbers and ids change, and a directory of contacts in memory that obeys the rules of `graph/identity.py`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wabiz_tui.graph.identity import Alias, Holder, Past, Resolution, aliases_of, resolve, resolve_change, spellings
from wabiz_tui.graph.parsed import Identity, IdentityChange

START = datetime(2026, 5, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


@dataclass
class Contact:
    created_at: datetime
    since: dict[Alias, datetime] = field(default_factory=dict)
    """The aliases held now, and when each was first known to be this contact's."""
    seen: dict[Alias, datetime] = field(default_factory=dict)
    """When each was last written from."""
    last_at: datetime | None = None


class Directory:
    """Contacts, and whose each message is. A contact that is merged into another leaves its messages and its past there."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self.contacts: dict[str, Contact] = {}
        self.past: list[Past] = []
        self.messages: dict[str, str] = {}
        self.proposed: set[tuple[str, str]] = set()
        self._made = 0

    def see(self, message: str, identity: Identity, at: datetime) -> str:
        """A message by `identity`; a repeat changes nothing."""
        if message in self.messages:
            return self.messages[message]
        aliases = aliases_of(identity)
        contact = self._obey(resolve(identity, self._holders(aliases), now=self.now, at=at, past=self._past(aliases)), at)
        self.messages[message] = contact
        self._heard(contact, aliases, at)
        return contact

    def change(self, change: IdentityChange, at: datetime) -> str:
        aliases = (*aliases_of(change.previous), *aliases_of(change.current))
        return self._obey(resolve_change(change, self._holders(aliases), at=at, past=self._past(aliases)), at)

    def groups(self) -> set[frozenset[str]]:
        """The messages, by contact."""
        found: dict[str, set[str]] = {}
        for message, contact in self.messages.items():
            found.setdefault(contact, set()).add(message)
        return {frozenset(messages) for messages in found.values()}

    def _holders(self, aliases: tuple[Alias, ...]) -> list[Holder]:
        return [
            Holder(name, frozenset(one.since), one.created_at, one.last_at, dict(one.since), dict(one.seen))
            for name, one in self.contacts.items()
            if any(spelling in one.since for alias in aliases for spelling in spellings(alias))
        ]

    def _past(self, aliases: tuple[Alias, ...]) -> list[Past]:
        return [one for one in self.past if any(one.alias in spellings(alias) for alias in aliases)]

    def _obey(self, resolution: Resolution, at: datetime) -> str:
        for name, alias in resolution.ended:
            since = self.contacts[name].since.pop(alias)
            if name in (resolution.contact, *resolution.merged):
                self.past.append(Past(name, alias, at, since))
        contact = resolution.contact or self._new()
        for merged in resolution.merged:
            self._merge(contact, merged)
        for alias in resolution.attached:
            assert not any(alias in one.since for one in self.contacts.values()), "two contacts hold one alias"
            self.contacts[contact].since[alias] = at
        self.past += [Past(contact, alias, at) for alias in resolution.remembered]
        self.proposed |= {(contact, other) for other in resolution.proposed}
        return contact

    def _new(self) -> str:
        self._made += 1
        name = f"contact {self._made:03}"
        self.contacts[name] = Contact(created_at=START + timedelta(seconds=self._made))
        return name

    def _merge(self, kept: str, merged: str) -> None:
        gone, there = self.contacts.pop(merged), self.contacts[kept]
        for alias, since in gone.since.items():
            there.since[alias] = min(since, there.since.get(alias, since))
            if alias in gone.seen:
                there.seen[alias] = max(gone.seen[alias], there.seen.get(alias, gone.seen[alias]))
        there.last_at = max((at for at in (gone.last_at, there.last_at) if at is not None), default=None)
        self.past = [one._replace(contact=kept) if one.contact == merged else one for one in self.past]
        self.messages = {message: kept if contact == merged else contact for message, contact in self.messages.items()}

    def _heard(self, contact: str, aliases: tuple[Alias, ...], at: datetime) -> None:
        one = self.contacts[contact]
        for alias in aliases:
            if alias in one.since:
                one.since[alias] = min(one.since[alias], at)
            one.seen[alias] = max(at, one.seen.get(alias, at))
        one.last_at = at if one.last_at is None else max(one.last_at, at)
