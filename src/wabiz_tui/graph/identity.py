"""Who is who: in which order aliases are looked up, and when two contacts are one person (cloud-api §14), as pure decisions."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from wabiz_tui.graph.parsed import Identity, IdentityChange

# Brazil puts a 9 behind the area code of mobile numbers, Mexico a 1 and Argentina a 9 behind the country's (cloud-api §14 rule 7).
_MOBILE_DIGIT = {"55": "9", "52": "1", "54": "9"}
_WITH_DIGIT = re.compile(r"(55)([1-9][0-9])9([6-9][0-9]{7})|(52)1([0-9]{10})|(54)9([0-9]{10})", re.ASCII)
_WITHOUT_DIGIT = re.compile(
    r"(?P<country>55(?=[1-9][0-9][6-9][0-9]{7}$)|52(?=[0-9]{10}$)|54(?=[0-9]{10}$))(?P<area>(?<=55)[1-9][0-9])?(?P<rest>[0-9]+)", re.ASCII
)
AliasKind = Literal["group", "parent_bsuid", "bsuid", "wa_id"]
OLD_HISTORY = timedelta(days=183)


class Alias(NamedTuple):
    """One key of a contact. At most one contact may hold a given alias at a time."""

    kind: AliasKind
    value: str


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact that holds one of the aliases asked for, with all aliases it holds now.

    `since` and `seen` tell of aliases when they were first and last known to be the contact's; of one that is missing nothing is known.
    """

    contact: str
    aliases: frozenset[Alias]
    created_at: datetime
    last_at: datetime | None = None
    since: Mapping[Alias, datetime] = {}
    seen: Mapping[Alias, datetime] = {}


class Past(NamedTuple):
    """A contact held `alias` up to `until`, as a change event told; `since` as for a Holder."""

    contact: str
    alias: Alias
    until: datetime
    since: datetime | None = None


class Resolution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to do, in this order: end `ended`, merge `merged` into the contact (recorded, so that it can be undone), attach `attached`;
    `remembered` are keys of the contact's from before, to be kept as its past.

    `contact` None means: make a new one. `proposed` names contacts that may be the same person but whose history is too old to
    be sure (numbers are given to other people).
    """

    contact: str | None
    attached: tuple[Alias, ...] = ()
    ended: tuple[tuple[str, Alias], ...] = ()
    merged: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    remembered: tuple[Alias, ...] = ()


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


def spellings(alias: Alias) -> tuple[Alias, ...]:
    """The alias and, of a number in Brazil, Mexico or Argentina, the same number with or without its mobile digit (rule 7).

    Whoever looks for holders asks for all of them: what an agent typed and the `wa_id` Meta answers may differ by that digit.
    """
    if alias.kind != "wa_id":
        return (alias,)
    long, short = _WITH_DIGIT.fullmatch(alias.value), _WITHOUT_DIGIT.fullmatch(alias.value)
    if long is not None:
        return (alias, Alias("wa_id", "".join(part for part in long.groups() if part)))
    if short is not None:
        country, area, rest = (part or "" for part in short.group("country", "area", "rest"))
        return (alias, Alias("wa_id", f"{country}{area}{_MOBILE_DIGIT[country]}{rest}"))
    return (alias,)


def former_holder(aliases: Sequence[Alias], past: Sequence[Past], at: datetime) -> str | None:
    """Who held one of these keys at `at`, of those that do no more: a message from before a change may come after it.

    A user id is one person's for ever; a number is whose it was then.
    """
    for alias in aliases:
        held = sorted((one for one in past if one.alias == alias and _covers(one, at)), key=lambda one: (one.until, one.contact))
        if held:
            return held[0].contact
    return None


def resolve(
    identity: Identity, holders: list[Holder], *, now: datetime, at: datetime | None = None, past: Sequence[Past] = ()
) -> Resolution:
    """The contact a webhook speaks of (rules 2 and 3).

    `holders` are the contacts that hold any of `aliases_of(identity)` at present, `past` those that did; `at` is the webhook's own
    time, by which what comes late is judged (else now).
    """
    aliases, at = _as_held(aliases_of(identity), holders, past), at or now
    found = [holder for alias in aliases for holder in holders if alias in holder.aliases]
    ranked = list({holder.contact: holder for holder in found}.values())
    if not any(alias in holder.aliases for alias in aliases if alias.kind != "wa_id" for holder in holders):
        earlier = former_holder(aliases, past, at)
        if earlier is not None:
            known = {one.alias for one in past if one.contact == earlier}
            return Resolution(earlier, remembered=tuple(alias for alias in aliases if alias.kind != "wa_id" and alias not in known))
    if not ranked:
        return Resolution(None, attached=aliases)
    main, merged, proposed, ended = ranked[0], list[Holder](), list[Holder](), list[tuple[str, Alias]]()
    left = {one.alias for one in past if one.alias.kind == "wa_id" and _covers(one, at)}
    for other in ranked[1:]:
        shared = [alias for alias in aliases if alias in other.aliases]
        if _has_other_user(other, identity):
            numbers = [alias for alias in shared if alias.kind == "wa_id"]
            left.update(alias for alias in numbers if _is_seen_later(other, alias, at))
            ended += [(other.contact, alias) for alias in numbers if not _is_seen_later(other, alias, at)]
        elif other.last_at is not None and now - other.last_at > OLD_HISTORY:
            proposed.append(other)
            ended += [(other.contact, alias) for alias in shared]
        else:
            merged.append(other)
    if not ended and not merged and _is_recycled(main, identity):
        return _recycled(main, aliases, at)
    kept = min([main, *merged], key=lambda holder: (holder.created_at, holder.contact))
    held = kept.aliases.union(*(holder.aliases for holder in (main, *merged))) | left
    return Resolution(
        kept.contact,
        attached=tuple(alias for alias in aliases if alias not in held or any(alias == gone for _, gone in ended)),
        ended=tuple(ended),
        merged=tuple(holder.contact for holder in (main, *merged) if holder.contact != kept.contact),
        proposed=tuple(holder.contact for holder in proposed),
    )


def resolve_change(change: IdentityChange, holders: list[Holder], *, at: datetime | None = None, past: Sequence[Past] = ()) -> Resolution:
    """The same person under new keys (rule 4). Both may already be known, when a message under the new id came first: then merge.

    User ids decide. A number decides only for whoever had it around `at` and is known under no other user id: it may be somebody
    else's by now, or have been before. Changes may come in any order: a key that a later change has ended is not attached again.
    """
    old, new = (_as_held(aliases_of(side), holders, past) for side in (change.previous, change.current))
    theirs = frozenset(alias for alias in (*old, *new) if alias.kind != "wa_id")
    known: dict[str, Holder | None] = {}
    moved: list[tuple[str, Alias]] = []
    others: set[Alias] = set()
    for alias in dict.fromkeys((*old, *new)):
        holder = next((one for one in holders if alias in one.aliases), None)
        side = frozenset(one for one in (new if alias in new else old) if one.kind != "wa_id")
        if holder is not None and (alias in theirs or _is_changed(holder, alias, side, at, is_new=alias in new)):
            known.setdefault(holder.contact, holder)
        elif holder is not None and alias in new and not _has_later(holder, alias, at):
            moved.append((holder.contact, alias))
        elif holder is not None:
            others.add(alias)
        # Beside a user id the number's past tells nothing more, and may be somebody else's.
        former = None if at is None or (side and alias.kind == "wa_id") else former_holder((alias,), past, at)
        if former is not None:
            known[former] = known.get(former) or next((one for one in holders if one.contact == former), None)
    there = {alias: holder for holder in known.values() if holder is not None for alias in holder.aliases}
    gone = {one.alias for one in past if at is not None and one.contact in known and one.until >= at} | others
    moved = [(contact, alias) for contact, alias in moved if contact not in known]
    spare = [alias for alias in new if alias not in there and alias not in gone]
    # The person has moved on from what this change led to, or has had a newer key of the kind.
    is_superseded = any(alias in gone - others for alias in new)
    outdated = {alias for alias in spare if at is not None and (is_superseded or any(_has_newer(one, alias, at) for one in there.values()))}
    replaced = {alias.kind for alias in new}
    left = tuple(alias for alias in old if alias not in new and (alias.kind in replaced or not new))
    # A number that was never seen is remembered only where it is all there is to know the person's older messages by.
    unseen = tuple(alias for alias in left if alias not in there and (alias.kind != "wa_id" or not theirs & set(old)))
    kept = _oldest(known)
    return Resolution(
        kept,
        attached=tuple(alias for alias in spare if alias not in outdated) or (() if kept or new else old),
        ended=(*moved, *((there[alias].contact, alias) for alias in left if alias in there)),
        merged=tuple(contact for contact in known if contact != kept),
        remembered=unseen + tuple(alias for alias in new if alias in outdated | others and alias.kind != "wa_id"),
    )


def _as_held(aliases: tuple[Alias, ...], holders: list[Holder], past: Sequence[Past]) -> tuple[Alias, ...]:
    """The aliases in the spelling in which somebody holds or held them."""
    held = {alias for holder in holders for alias in holder.aliases} | {one.alias for one in past}
    return tuple(next((spelling for spelling in spellings(alias) if spelling in held), alias) for alias in aliases)


def _oldest(known: dict[str, Holder | None]) -> str | None:
    """The contact that the others are merged into. One that holds none of the keys any more was there before those that do."""
    gone = sorted(contact for contact, holder in known.items() if holder is None)
    there = sorted((holder.created_at, holder.contact) for holder in known.values() if holder is not None)
    return gone[0] if gone else there[0][1] if there else None


def _covers(one: Past, at: datetime) -> bool:
    return one.alias.kind != "wa_id" or (one.until >= at and (one.since is None or one.since <= at))


def _is_changed(holder: Holder, number: Alias, theirs: frozenset[Alias], at: datetime | None, *, is_new: bool) -> bool:
    """Whether the holder of a number is the person whose number changed to it, or from it; `theirs` are the user ids of that side."""
    users = {alias for alias in holder.aliases if alias.kind != "wa_id"}
    if users and theirs:
        return bool(users & theirs)
    since = holder.since.get(number)
    if at is None or since is None:
        return True
    return since >= at if is_new else since <= at


def _has_later(holder: Holder, number: Alias, at: datetime | None) -> bool:
    """Whether the holder came by the number after the change that is told now."""
    since = holder.since.get(number)
    return at is not None and since is not None and since > at


def _has_newer(holder: Holder, alias: Alias, at: datetime) -> bool:
    """Whether the holder has a key of this kind from after `at`."""
    return any(other.kind == alias.kind and since > at for other, since in holder.since.items())


def _is_seen_later(holder: Holder, number: Alias, at: datetime) -> bool:
    """Whether the holder wrote from the number after `at`, so that what is told of then does not take it from them."""
    last = holder.seen.get(number, holder.last_at)
    return last is not None and last > at


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


def _recycled(holder: Holder, aliases: tuple[Alias, ...], at: datetime) -> Resolution:
    numbers = [alias for alias in aliases if alias in holder.aliases and alias.kind == "wa_id"]
    kept = [alias for alias in numbers if _is_seen_later(holder, alias, at)]
    return Resolution(
        None,
        attached=tuple(alias for alias in aliases if alias not in kept),
        ended=tuple((holder.contact, alias) for alias in numbers if alias not in kept),
    )
