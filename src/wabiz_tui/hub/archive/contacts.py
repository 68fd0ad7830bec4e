"""Contacts in the archive: a sealed record each, found by keyed hashes of their aliases (cloud-api §14)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import get_args

import msgspec
import sqlalchemy as sa

from wabiz_tui.graph.identity import Alias, AliasKind, Holder, Past, Resolution, aliases_of, resolve, resolve_change, spellings
from wabiz_tui.graph.parsed import Identity, IdentityChange
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.events import add_event
from wabiz_tui.hub.archive.joining import join_conversations
from wabiz_tui.hub.archive.sealing import contact_unit
from wabiz_tui.hub.archive.shelves import Sealing, Shelved
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, perhaps_from_ms, to_ms
from wabiz_tui.model.codec import encode
from wabiz_tui.model.values import Contact, Event

PROPOSED_MERGE = "wabiz_proposed_merge"
"""The field of the event that tells of a merge which only a person can decide on."""
_contact = schema.contact.c
# The kinds are named for the index's sake; the hash is of the kind too.
_ANY_KIND = schema.alias.c.kind.in_([sa.literal_column(f"'{kind}'") for kind in get_args(AliasKind)])
ALIASES: Shelved[None] = Shelved(schema.alias, "hash", identity=("kind", "hash"), narrowed=_ANY_KIND)
PAST_ALIASES: Shelved[None] = Shelved(schema.alias_past, "id", group="hash")


class KeptField(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the business keeps under a name of its own; no text where it was removed, so that a merge brings no older one back."""

    name: str
    at: datetime
    text: str | None = None


class ContactRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a person, as sealed under the contact's key. `aliases` are those it holds now."""

    aliases: tuple[tuple[AliasKind, str], ...] = ()
    name: str = ""
    username: str | None = None
    identity_key_hash: str | None = None
    identity_changed_at: datetime | None = None
    marketing_opt_out: bool = False
    marketing_told_at: datetime | None = None
    """Meta's time of the wish above: webhooks come in any order."""
    blocked: tuple[str, ...] = ()
    """The business numbers that have blocked this person."""
    blocked_here: tuple[str, ...] = ()
    """Those of them of which Meta is known not to block, so that only the hub does."""
    blocked_at: datetime | None = None
    fields: dict[str, KeptField] = {}
    """By model.naming.name_key of their names."""
    proposed: tuple[str, ...] = ()
    """Contacts that may be the same person, for a human to decide."""

    def alias(self, kind: AliasKind) -> str | None:
        """The newest alias of that kind."""
        return next((value for found, value in reversed(self.aliases) if found == kind), None)


class StoredContact(msgspec.Struct, frozen=True):
    id: str
    record: ContactRecord
    is_group: bool
    created_at: datetime
    last_seen_at: datetime | None

    def value(self) -> Contact:
        """The contact unmasked, as the vocabulary has it."""
        wa_id, user_id = self.record.alias("wa_id"), self.record.alias("bsuid")
        return Contact(
            id=self.id,
            name=self.record.name,
            phone=f"+{wa_id}" if wa_id else None,
            username=self.record.username,
            user_id=user_id or self.record.alias("parent_bsuid"),
            country=user_id.split(".", 1)[0] if user_id and "." in user_id else None,
            is_group=self.is_group,
            is_masked=False,
            identity_changed_at=self.record.identity_changed_at,
            marketing_opt_out=self.record.marketing_opt_out,
            blocked_at=self.record.blocked_at if self.record.blocked else None,
            fields={field.name: field.text for _, field in sorted(self.record.fields.items()) if field.text is not None},
            created_at=self.created_at,
        )


CONTACTS = Shelved(
    schema.contact,
    "id",
    sealing=Sealing(ContactRecord, unit=lambda row: contact_unit(row["id"]), about=lambda row: f"contact/{row['id']}"),
)


def load_contacts(reading: Reading, ids: Iterable[str]) -> dict[str, StoredContact]:
    """The contacts that are there and whose key is."""
    shelf, wanted = reading.shelf(CONTACTS), sorted(set(ids))
    shelf.fetch(wanted)
    found: dict[str, StoredContact] = {}
    for one in wanted:
        row, record = shelf.get(one), shelf.value(one)
        if row is not None and record is not None:
            found[one] = StoredContact(one, record, row["is_group"], from_ms(row["created_ms"]), perhaps_from_ms(row["last_seen_ms"]))
    return found


def save_record(writing: Writing, contact: str, record: ContactRecord) -> None:
    writing.shelf(CONTACTS).replace(contact, record)
    writing.touch("contact", contact)


def contact_of(writing: Writing, identity: Identity, *, at: datetime) -> str:
    """The contact a webhook of instant `at` speaks of, made, attached or merged as the rules say."""
    aliases = aliases_of(identity)
    resolution = resolve(identity, _holders(writing, aliases), now=writing.now, at=at, past=_past_of(writing, aliases))
    contact = _obey(writing, resolution, at=at, is_group=identity.group_id is not None)
    row = writing.shelf(CONTACTS).get(contact)
    if row is not None and row["last_seen_ms"] is not None and to_ms(at) < row["last_seen_ms"]:
        _date_back(writing, contact, aliases, at=at)
    _learn(writing, contact, identity, at=at)
    return contact


def apply_identity_change(writing: Writing, change: IdentityChange, *, at: datetime) -> str:
    """The same person under new keys; equal keys mean that the person behind them may have changed (rules 4 and 5)."""
    old, new = aliases_of(change.previous), aliases_of(change.current)
    resolution = resolve_change(change, _holders(writing, (*old, *new)), at=at, past=_past_of(writing, (*old, *new)))
    contact = _obey(writing, resolution, at=at, is_group=change.current.group_id is not None)
    stored = load_contacts(writing, [contact])[contact]
    if old == new:
        save_record(writing, contact, msgspec.structs.replace(stored.record, identity_changed_at=at))
    _learn(writing, contact, change.current, at=at)
    return contact


def is_told_again(reading: Reading, change: IdentityChange) -> bool:
    """Whether the person of the new keys is known to have given up this old number already."""
    number = change.previous.wa_id
    if not number or number == change.current.wa_id:
        return False
    known = find_contact(reading, change.current)
    return known is not None and load_past(reading, known, [Alias("wa_id", number)])


def set_opt_out(writing: Writing, contact: str, *, is_out: bool, at: datetime) -> None:
    """Keep the wish about marketing told at `at`, unless a later one is known; of two in one second the stricter holds."""
    stored = load_contacts(writing, [contact]).get(contact)
    if stored is None:
        return
    told_at = stored.record.marketing_told_at
    if told_at is not None and (at < told_at or (at == told_at and not is_out)):
        return
    save_record(writing, contact, msgspec.structs.replace(stored.record, marketing_opt_out=is_out, marketing_told_at=at))


def set_blocked(writing: Writing, contact: str, number: str, *, is_blocked: bool, at_meta: bool = True) -> None:
    """Whether this business number has blocked the contact; with `at_meta` false only the hub does, as far as is known."""
    stored = load_contacts(writing, [contact]).get(contact)
    if stored is None:
        return
    record = stored.record
    others = tuple(one for one in record.blocked if one != number)
    here = tuple(one for one in record.blocked_here if one != number)
    changed = msgspec.structs.replace(
        record,
        blocked=(*others, number) if is_blocked else others,
        blocked_here=(*here, number) if is_blocked and not at_meta else here,
        blocked_at=(record.blocked_at or writing.now) if is_blocked or others else None,
    )
    if (set(changed.blocked), set(changed.blocked_here)) != (set(record.blocked), set(record.blocked_here)):
        save_record(writing, contact, changed)


def touch_identities(writing: Writing) -> None:
    """Say of every contact and conversation that it changed: what may be seen of a person did."""
    for contact in writing.connection.execute(sa.select(_contact.id).where(_contact.tenant == writing.tenant)):
        writing.touch("contact", contact.id)
    column = schema.conversation.c
    for conversation in writing.connection.execute(sa.select(column.id).where(column.tenant == writing.tenant)):
        writing.touch("conversation", conversation.id)


def find_contact(reading: Reading, identity: Identity) -> str | None:
    """The contact that holds one of these keys now, if any."""
    wanted = (spelling for alias in aliases_of(identity) for spelling in spellings(alias))
    rows = (reading.shelf(ALIASES).get(alias_hash(reading, alias)) for alias in wanted)
    return next((row["contact"] for row in rows if row is not None), None)


def attach_alias(writing: Writing, contact: str, alias: Alias, *, at: datetime) -> None:
    """Give the contact a further key, unless somebody holds it (Meta's answer to a send names one the agent did not type)."""
    if all(holder.contact == contact and alias not in holder.aliases for holder in _holders(writing, (alias,))):
        _obey(writing, Resolution(contact, attached=(alias,)), at=at, is_group=False)


def load_past(reading: Reading, contact: str, aliases: Sequence[Alias]) -> bool:
    """Whether the contact is known to have held one of these keys before."""
    rows = (row for alias in aliases for row in reading.shelf(PAST_ALIASES).group(alias_hash(reading, alias)))
    return any(row["reason"] == "changed" and _kept(reading, row["contact"]) == contact for row in rows)


def alias_hash(reading: Reading, alias: Alias) -> bytes:
    return reading.sealer.lookup(f"alias/{alias.kind}", alias.value)


def _holders(reading: Reading, aliases: Sequence[Alias]) -> list[Holder]:
    if not aliases:
        return []
    wanted = [spelling for alias in aliases for spelling in spellings(alias)]
    rows = {alias: row for alias in wanted if (row := reading.shelf(ALIASES).get(alias_hash(reading, alias))) is not None}
    contacts = load_contacts(reading, (row["contact"] for row in rows.values()))
    return [
        Holder(
            stored.id,
            frozenset(Alias(kind, value) for kind, value in stored.record.aliases),
            stored.created_at,
            stored.last_seen_at,
            {alias: from_ms(row["from_ms"]) for alias, row in rows.items() if row["contact"] == stored.id},
        )
        for stored in contacts.values()
    ]


def _past_of(reading: Reading, aliases: Sequence[Alias]) -> list[Past]:
    """Who held these keys before a change that was told: a message from before it may come after it.

    Of numbers alone it is not told since when: that is known by messages only, and an older one may still come."""
    is_bare = all(alias.kind == "wa_id" for alias in aliases)
    return [
        Past(_kept(reading, row["contact"]), spelling, from_ms(row["to_ms"]), None if is_bare else perhaps_from_ms(row["from_ms"] or None))
        for alias in aliases
        for spelling in spellings(alias)
        for row in reading.shelf(PAST_ALIASES).group(alias_hash(reading, spelling))
        if row["reason"] == "changed"
    ]


def _kept(reading: Reading, contact: str) -> str:
    """The contact this one has been merged into, by however many steps."""
    while (row := reading.shelf(CONTACTS).get(contact)) is not None and row["merged_into"] is not None:
        contact = row["merged_into"]
    return contact


def _obey(writing: Writing, resolution: Resolution, *, at: datetime, is_group: bool) -> str:
    for contact, alias in resolution.ended:
        _end_alias(
            writing, contact, alias, at=at, reason="changed" if contact in (resolution.contact, *resolution.merged) else "given_to_another"
        )
    contact = resolution.contact or _new_contact(writing, at=at, is_group=is_group)
    for merged in resolution.merged:
        _merge(writing, contact, merged, at=at)
    if resolution.attached or resolution.proposed:
        record = load_contacts(writing, [contact])[contact].record
        added = tuple((alias.kind, alias.value) for alias in resolution.attached)
        kept = tuple(pair for pair in record.aliases if pair not in added)
        proposed = tuple(dict.fromkeys((*record.proposed, *resolution.proposed)))
        save_record(writing, contact, msgspec.structs.replace(record, aliases=kept + added, proposed=proposed))
        for alias in resolution.attached:
            _put_alias(writing, contact, alias, at=at)
    for alias in resolution.remembered:
        if not load_past(writing, contact, [alias]):
            _remember_past(writing, contact, alias, at=at, reason="changed")
    for other in resolution.proposed:
        _tell_proposed(writing, contact, other, at=at)
    return contact


def _tell_proposed(writing: Writing, contact: str, other: str, *, at: datetime) -> None:
    """Let people see that two contacts may be one person: numbers are given to others, so that only a person can decide."""
    event = Event(
        id=writing.new_id(),
        field=PROPOSED_MERGE,
        at=at,
        summary="two contacts may be the same person",
        value={"contact": contact, "may_be": other},
        received_at=writing.now,
    )
    add_event(writing, event, identity=f"{PROPOSED_MERGE}/{contact}/{other}")


def _date_back(writing: Writing, contact: str, aliases: Sequence[Alias], *, at: datetime) -> None:
    """A message older than all before says that its keys were the contact's by then."""
    shelf = writing.shelf(ALIASES)
    for hashed in (alias_hash(writing, spelling) for alias in aliases for spelling in spellings(alias)):
        row = shelf.get(hashed)
        if row is not None and row["contact"] == contact and to_ms(at) < row["from_ms"]:
            shelf.change(hashed, from_ms=to_ms(at))


def _new_contact(writing: Writing, *, at: datetime, is_group: bool) -> str:
    contact = writing.new_id()
    row = {"id": contact, "is_group": is_group, "created_ms": writing.now_ms, "last_seen_ms": to_ms(at)}
    writing.shelf(CONTACTS).add(row, ContactRecord())
    writing.touch("contact", contact)
    return contact


def _put_alias(writing: Writing, contact: str, alias: Alias, *, at: datetime) -> None:
    shelf, hashed = writing.shelf(ALIASES), alias_hash(writing, alias)
    if shelf.get(hashed) is None:
        shelf.add({"kind": alias.kind, "hash": hashed, "contact": contact, "from_ms": to_ms(at)})
    else:
        shelf.change(hashed, contact=contact, from_ms=to_ms(at))


def _end_alias(writing: Writing, contact: str, alias: Alias, *, at: datetime, reason: str) -> None:
    record = load_contacts(writing, [contact])[contact].record
    kept = tuple(pair for pair in record.aliases if pair != (alias.kind, alias.value))
    save_record(writing, contact, msgspec.structs.replace(record, aliases=kept))
    held = writing.shelf(ALIASES).get(alias_hash(writing, alias))
    writing.shelf(ALIASES).remove(alias_hash(writing, alias))
    _remember_past(writing, contact, alias, at=at, reason=reason, since_ms=0 if held is None else held["from_ms"])


def _remember_past(writing: Writing, contact: str, alias: Alias, *, at: datetime, reason: str, since_ms: int = 0) -> None:
    row = {
        "id": writing.new_id(),
        "kind": alias.kind,
        "hash": alias_hash(writing, alias),
        "contact": contact,
        "from_ms": since_ms,
        "to_ms": to_ms(at),
        "reason": reason,
    }
    writing.shelf(PAST_ALIASES).add(row)


def _merge(writing: Writing, kept: str, merged: str, *, at: datetime) -> None:
    """Two contacts are one person: keys and conversations go to the older; what moved is written down, so that it can be undone."""
    both = load_contacts(writing, [kept, merged])
    mine, other = both[kept].record, both[merged].record
    for kind, value in other.aliases:
        _remember_past(writing, merged, Alias(kind, value), at=at, reason="merged")
        writing.shelf(ALIASES).change(alias_hash(writing, Alias(kind, value)), contact=kept)
    joined = msgspec.structs.replace(
        mine,
        aliases=tuple(dict.fromkeys((*other.aliases, *mine.aliases))),
        name=mine.name or other.name,
        username=mine.username or other.username,
        # The stricter wish holds (cloud-api §14 rule 9), until the person tells another.
        marketing_opt_out=mine.marketing_opt_out or other.marketing_opt_out,
        marketing_told_at=max(filter(None, (mine.marketing_told_at, other.marketing_told_at)), default=None),
        blocked=tuple(dict.fromkeys((*mine.blocked, *other.blocked))),
        # Meta may block either of them under its own key: only where none is known to be does the hub alone.
        blocked_here=_only_here(mine, other),
        blocked_at=min(filter(None, (mine.blocked_at, other.blocked_at)), default=None),
        fields=joined_fields(mine.fields, other.fields),
        identity_changed_at=mine.identity_changed_at or other.identity_changed_at,
    )
    save_record(writing, kept, joined)
    save_record(writing, merged, msgspec.structs.replace(other, aliases=()))
    seen = [one.last_seen_at for one in (both[kept], both[merged]) if one.last_seen_at is not None]
    writing.shelf(CONTACTS).change(kept, last_seen_ms=to_ms(max(seen)) if seen else None)
    writing.shelf(CONTACTS).change(merged, merged_into=kept)
    moved = join_conversations(writing, kept, merged)
    writing.connection.execute(
        sa.insert(schema.contact_merge).values(
            tenant=writing.tenant, id=writing.new_id(), kept=kept, merged=merged, moved=encode(moved).decode(), at_ms=to_ms(at)
        )
    )


def _only_here(mine: ContactRecord, other: ContactRecord) -> tuple[str, ...]:
    at_meta = {number for record in (mine, other) for number in record.blocked if number not in record.blocked_here}
    return tuple(number for number in dict.fromkeys((*mine.blocked_here, *other.blocked_here)) if number not in at_meta)


def joined_fields(mine: dict[str, KeptField], other: dict[str, KeptField]) -> dict[str, KeptField]:
    """Of each field what was written last."""
    return {key: max((held[key] for held in (other, mine) if key in held), key=lambda field: field.at) for key in mine | other}


def _learn(writing: Writing, contact: str, identity: Identity, *, at: datetime) -> None:
    """Names and the identity key as this webhook tells them; an older webhook does not overwrite what a newer one said."""
    stored = load_contacts(writing, [contact])[contact]
    record, is_newest = stored.record, stored.last_seen_at is None or at >= stored.last_seen_at
    changes: dict[str, object] = {}
    if not identity.group_id:
        if identity.name and identity.name != record.name and (is_newest or not record.name):
            changes["name"] = identity.name
        if identity.username and identity.username != record.username and (is_newest or not record.username):
            changes["username"] = identity.username
        if identity.identity_key_hash and identity.identity_key_hash != record.identity_key_hash:
            changes["identity_key_hash"] = identity.identity_key_hash
            if record.identity_key_hash is not None:
                changes["identity_changed_at"] = at
    if changes:
        save_record(writing, contact, msgspec.structs.replace(record, **changes))
    if stored.last_seen_at is None or at > stored.last_seen_at:
        writing.shelf(CONTACTS).change(contact, last_seen_ms=to_ms(at))
