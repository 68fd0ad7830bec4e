"""What a new policy changes, and whether each change tightens, loosens or does neither.

To loosen is to let more be seen, kept on a machine, worked or lost: longer caches, weaker masks, wider hours, a shorter
archive (records may be deleted). What loosens waits for a second person and the grace period; the rest is in force at once.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Literal

import msgspec

from wabiz_tui.policy.checks import DAYS, matchers
from wabiz_tui.policy.document import Archive, ArchiveRule, Policy, Spans
from wabiz_tui.policy.durations import Duration, format_timedelta
from wabiz_tui.policy.service import CLOCKS

Direction = Literal["tightening", "loosening", "neutral"]


class Change(msgspec.Struct, frozen=True):
    """One key that differs. `before` and `after` are written as in a policy; None stands for a rule that is not there."""

    key: str
    before: str | None
    after: str | None
    direction: Direction
    can_delete: bool = False
    """Whether the archive may delete something it would have kept."""

    @property
    def needs_approval(self) -> bool:
        return self.direction == "loosening"

    def __str__(self) -> str:
        ending = self.direction + (", the archive may delete more" if self.can_delete else "")
        if self.before is None:
            return f"{self.key}: new, {self.after} ({ending})"
        if self.after is None:
            return f"{self.key}: {self.before} → removed ({ending})"
        return f"{self.key}: {self.before} → {self.after} ({ending})"


def compare(old: Policy, new: Policy) -> list[Change]:
    """Every difference, in the order of the document."""
    changes: list[Change] = []
    for section in msgspec.structs.fields(Policy):
        before, after = getattr(old, section.name), getattr(new, section.name)
        if not isinstance(before, msgspec.Struct):
            changes += _key(section.name, before, after, old, new)
            continue
        for field in msgspec.structs.fields(type(before)):
            if not (isinstance(before, Archive) and field.name == "rule"):
                key = f"{section.name}.{field.name}"
                changes += _key(key, getattr(before, field.name), getattr(after, field.name), old, new)
        if isinstance(before, Archive):
            changes += _rules(old.archive, new.archive)
    return changes


def needs_approval(changes: list[Change]) -> bool:
    """Whether any of `changes` waits for a second person and the grace period."""
    return any(change.needs_approval for change in changes)


def in_force_meanwhile(old: Policy, new: Policy) -> Policy:
    """What is in force while what loosens in `new` waits: `old` with everything taken from `new` that does not loosen.

    Shifts are taken or left as one: a day moved from Sunday to Saturday must not leave a week without work in between. Always
    a valid policy where both are: of every pair of lengths it has the shorter in the cache, the longer in the archive.
    """
    waiting = {change.key for change in compare(old, new) if change.needs_approval}
    if waiting & _SHIFTS:
        waiting |= _SHIFTS
    sections: dict[str, Any] = {}
    for section in msgspec.structs.fields(Policy):
        before, after = getattr(old, section.name), getattr(new, section.name)
        if not isinstance(before, msgspec.Struct):
            sections[section.name] = before if section.name in waiting else after
            continue
        names = [field.name for field in msgspec.structs.fields(type(before))]
        kept = {name: getattr(before if f"{section.name}.{name}" in waiting else after, name) for name in names}
        if isinstance(before, Archive):
            kept["rule"] = _rules_meanwhile(before, after, waiting)
        sections[section.name] = type(before)(**kept)
    return Policy(**sections)


def _rules_meanwhile(old: Archive, new: Archive, waiting: set[str]) -> tuple[ArchiveRule, ...]:
    before = {matchers(rule): rule for rule in old.rule}
    after = {matchers(rule): rule for rule in new.rule}
    chosen = [(before if _rule_key(match) in waiting else after).get(match) for match in dict.fromkeys((*before, *after))]
    return tuple(rule for rule in chosen if rule is not None)


def _key(key: str, before: Any, after: Any, old: Policy, new: Policy) -> Iterator[Change]:
    if before != after:
        direction = _DIRECTIONS[key](before, after)
        # What the hours say matters only where there are shifts: without them everybody may always work.
        if key.startswith("hours.") and not old.hours.has_shifts:
            direction = "tightening" if key.removeprefix("hours.") in DAYS else "neutral"
        elif key.removeprefix("hours.") in DAYS and not new.hours.has_shifts:
            direction = "loosening"
        can_delete = key.startswith("archive.") and direction == "loosening"
        nothing = "none" if key.startswith("service.") else "[]"
        yield Change(key, _written(before, nothing), _written(after, nothing), direction, can_delete)


def _less_tightens(before: Any, after: Any) -> Direction:
    return "tightening" if _size(after) < _size(before) else "loosening"


def _more_tightens(before: Any, after: Any) -> Direction:
    return _less_tightens(after, before)


def _neither(_before: Any, _after: Any) -> Direction:
    return "neutral"


def _ranked(*tightest_first: str) -> Callable[[Any, Any], Direction]:
    return lambda before, after: _less_tightens(tightest_first.index(before), tightest_first.index(after))


def _fewer_roles(before: Any, after: Any) -> Direction:
    if set(before) == set(after):
        return "neutral"
    return "tightening" if set(after) < set(before) else "loosening"


def _shorter_day(before: Spans | None, after: Spans | None) -> Direction:
    minutes_before, minutes_after = _minutes(before), _minutes(after)
    if minutes_before == minutes_after:
        return "neutral"
    return "tightening" if minutes_after < minutes_before else "loosening"


def _more_holidays(before: str, after: str) -> Direction:
    # Another calendar frees some days and takes others, and so does another time zone with hours: both count as loosening.
    return "tightening" if after and not before else "loosening"


def _always_loosens(_before: Any, _after: Any) -> Direction:
    return "loosening"


_SHIFTS = frozenset(f"hours.{key}" for key in (*DAYS, "timezone", "holidays", "off_shift"))

_DIRECTIONS: dict[str, Callable[[Any, Any], Direction]] = {
    "name": _neither,
    "archive.retain": _more_tightens,
    "archive.media": _more_tightens,
    "archive.max": _more_tightens,
    "cache.window": _less_tightens,
    "cache.after_resolve": _less_tightens,
    "cache.media": _less_tightens,
    "cache.max_messages": _less_tightens,
    "cache.lease": _less_tightens,
    "cache.idle_lock": _less_tightens,
    "cache.purge_within": _less_tightens,
    "cache.receipt_within": _less_tightens,
    "cache.disk": _less_tightens,
    "cache.media_ahead": _ranked("none", "mine", "all"),
    "privacy.mask_numbers": _more_tightens,
    "privacy.reveal": _fewer_roles,
    "privacy.clipboard": _ranked("off", "masked", "on"),
    "privacy.read_receipts": _ranked("never", "on_reply", "on_view"),
    "privacy.media": _ranked("off", "inline", "viewer", "save"),
    "hours.timezone": _always_loosens,
    "hours.holidays": _more_holidays,
    **{f"hours.{day}": _shorter_day for day in DAYS},
    "hours.off_shift": _ranked("closed", "quiet", "open"),
    "hours.override": _fewer_roles,
    "hours.auto_reply": _neither,
    "hours.hand_over": _neither,
    "hours.hand_over_after": _neither,
    **{f"service.{key}": _neither for key in (*CLOCKS, "rule")},
    **{f"assignment.{key}": _neither for key in ("auto", "most_open", "sticky", "roles")},
    "sending.undo": _more_tightens,
    "cases.dsar": _less_tightens,
    "cases.foi": _less_tightens,
    "approval.people": _more_tightens,
    "approval.grace": _more_tightens,
}


def _rules(old: Archive, new: Archive) -> Iterator[Change]:
    """Rules by what they match. The longest matching rule wins, and `retain` counts only where none matches."""
    before = {matchers(rule): rule for rule in old.rule}
    after = {matchers(rule): rule for rule in new.rule}
    for match in dict.fromkeys((*before, *after)):
        was, now = before.get(match), after.get(match)
        if was == now:
            continue
        match (was, now):
            case (None, ArchiveRule()):
                # Only what no rule matched so far can come off worse by a new one.
                deletes = now.retain.mean < old.retain.mean
            case (ArchiveRule(), None):
                # Its messages fall to another rule or to `retain`: the shortest of them is the worst case.
                rest = min(new.retain.mean, *(rule.retain.mean for rule in new.rule), timedelta.max)
                deletes = rest < was.retain.mean
            case (ArchiveRule(), ArchiveRule()):
                deletes = now.retain.mean < was.retain.mean
            case _:
                continue
        yield Change(_rule_key(match), _rule(was), _rule(now), "loosening" if deletes else "tightening", deletes)


def _rule_key(match: tuple[str | None, ...]) -> str:
    parts = zip(("label", "team", "number", "kind"), match, strict=True)
    return f"archive.rule[{', '.join(f'{key}={value}' for key, value in parts if value is not None)}]"


def _rule(rule: ArchiveRule | None) -> str | None:
    return None if rule is None else str(rule.retain)


def _size(value: Any) -> Any:
    return value.mean if isinstance(value, Duration) else value


def _minutes(spans: Spans | None) -> set[int]:
    return {minute for span in spans or () for minute in range(span.begin, span.end)}


def _written(value: Any, nothing: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case timedelta():
            return format_timedelta(value)
        case tuple():
            parts = [str(part) for part in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] roles or spans
            return f"[{', '.join(parts)}]"
        case None:
            return nothing
        case _:
            return str(value)
