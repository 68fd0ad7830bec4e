"""Who is who: in which order aliases are looked up, and when two contacts are one person (cloud-api §14), as pure decisions."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from wabiz_tui.graph.parsed import Identity, IdentityChange

AliasKind = Literal["group", "parent_bsuid", "bsuid", "wa_id"]
OLD_HISTORY = timedelta(days=183)


class Alias(NamedTuple):
    """One key of a contact. At most one contact may hold a given alias at a time."""

    kind: AliasKind
    value: str


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact that holds one of the aliases asked for, with all aliases it holds now."""

    contact: str
    aliases: frozenset[Alias]
    created_at: datetime
    last_at: datetime | None = None


class Resolution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to do, in this order: end `ended`, merge `merged` into the contact (recorded, so that it can be undone), attach `attached`.

    `contact` None means: make a new one. `proposed` names contacts that may be the same person but whose history is too old to
    be sure (numbers are given to other people).
    """

    contact: str | None
    attached: tuple[Alias, ...] = ()
    ended: tuple[tuple[str, Alias], ...] = ()
    merged: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()


def aliases_of(identity: Identity) -> tuple[Alias, ...]:
    """The keys in lookup order: a group is itself whoever writes in it; else parent BSUID, BSUID, wa_id. Never name or username."""
    if identity.group_id:
        return (Alias("group", identity.group_id),)
    keys: tuple[tuple[AliasKind, str | None], ...] = (
        ("parent_bsuid", identity.parent_user_id),
        ("bsuid", identity.user_id),
        ("wa_id", identity.wa_id),
    )
    return tuple(Alias(kind, value) for kind, value in keys if value)


def resolve(identity: Identity, holders: list[Holder], *, now: datetime) -> Resolution:
    """The contact a webhook speaks of. `holders` are the contacts that hold any of `aliases_of(identity)` at present."""
    aliases = aliases_of(identity)
    found = [holder for alias in aliases for holder in holders if alias in holder.aliases]
    ranked = list({holder.contact: holder for holder in found}.values())
    if not ranked:
        return Resolution(None, attached=aliases)
    main, merged, proposed, ended = ranked[0], list[Holder](), list[Holder](), list[tuple[str, Alias]]()
    for other in ranked[1:]:
        shared = [alias for alias in aliases if alias in other.aliases]
        if _has_other_user(other, identity):
            ended += [(other.contact, alias) for alias in shared if alias.kind == "wa_id"]
        elif other.last_at is not None and now - other.last_at > OLD_HISTORY:
            proposed.append(other)
            ended += [(other.contact, alias) for alias in shared]
        else:
            merged.append(other)
    if not ended and not merged and _is_recycled(main, identity):
        return _recycled(main, aliases)
    kept = min([main, *merged], key=lambda holder: (holder.created_at, holder.contact))
    held = kept.aliases.union(*(holder.aliases for holder in (main, *merged)))
    return Resolution(
        kept.contact,
        attached=tuple(alias for alias in aliases if alias not in held or any(alias == gone for _, gone in ended)),
        ended=tuple(ended),
        merged=tuple(holder.contact for holder in (main, *merged) if holder.contact != kept.contact),
        proposed=tuple(holder.contact for holder in proposed),
    )


def resolve_change(change: IdentityChange, holders: list[Holder]) -> Resolution:
    """The same person under new keys (rule 4). Both may already be known, when a message under the new id came first: then merge."""
    old, new = aliases_of(change.previous), aliases_of(change.current)
    ranked = [next((one for one in holders if alias in one.aliases), None) for alias in (*old, *new)]
    known = list({holder.contact: holder for holder in ranked if holder is not None}.values())
    if not known:
        return Resolution(None, attached=new or old)
    kept = min(known, key=lambda holder: (holder.created_at, holder.contact))
    held = frozenset[Alias]().union(*(holder.aliases for holder in known))
    replaced = {alias.kind for alias in new}
    return Resolution(
        kept.contact,
        attached=tuple(alias for alias in new if alias not in held),
        ended=tuple((kept.contact, alias) for alias in old if alias.kind in replaced and alias not in new and alias in held),
        merged=tuple(holder.contact for holder in known if holder.contact != kept.contact),
    )


def _has_other_user(holder: Holder, identity: Identity) -> bool:
    """Whether the holder is known under a BSUID that is not this one: another person (rule 3)."""
    own = {alias.value for alias in holder.aliases if alias.kind == "bsuid"}
    parents = {alias.value for alias in holder.aliases if alias.kind == "parent_bsuid"}
    if identity.parent_user_id and parents:
        return identity.parent_user_id not in parents
    return bool(identity.user_id and own and identity.user_id not in own)


def _is_recycled(holder: Holder, identity: Identity) -> bool:
    """Found by the phone alone, though both sides have a BSUID and they differ."""
    by_user = {alias for alias in aliases_of(identity) if alias.kind in ("parent_bsuid", "bsuid")}
    return not by_user & holder.aliases and _has_other_user(holder, identity)


def _recycled(holder: Holder, aliases: tuple[Alias, ...]) -> Resolution:
    ended = tuple((holder.contact, alias) for alias in aliases if alias in holder.aliases and alias.kind == "wa_id")
    return Resolution(None, attached=aliases, ended=ended)
