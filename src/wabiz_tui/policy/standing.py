"""How somebody's shift stands: what the policy's hours, their own word and an override make of an instant together."""

from datetime import datetime, tzinfo
from typing import Final, Literal, NamedTuple

from wabiz_tui.model.feed import Entity
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.hours import is_on_shift, next_start, shift_end

BOUND_ROLES: Final[frozenset[str]] = frozenset({"agent", "supervisor"})
"""Whom hours bind: those who answer customers. A statutory clock, a lost laptop and an inspector do not keep office hours, so
compliance officers, administrators and auditors are never closed out."""

FLOWING: Final[frozenset[str]] = frozenset(
    {
        "device.enroll", "devices.read", "feed.read", "hours.override", "me.read", "number.read", "people.read", "policy.check",
        "policy.diff", "policy.read", "receipts.read_own", "receipts.send", "share.begin_epoch", "share.read", "shift.own", "shift.read",
        "team.read",
    }
)  # fmt: skip
"""The actions (policy/permissions.py) that stay open to somebody who is closed out, since none of them shows a customer, a message
or a count of them. `feed.read` and the shares narrow themselves (hub/feed, hub/endpoints/enrolment.py). Everything else waits."""

FLOWING_ENTITIES: Final[tuple[Entity, ...]] = ("policy", "team", "person", "number")
"""What the feed still carries then (model.feed.Entity)."""

_MOST_JOINED = 32


class OwnWord(NamedTuple):
    """What a worker said last of their own shift: a break, perhaps with its end, or the end of the shift."""

    state: Literal["break", "end"]
    since: datetime
    until: datetime | None = None
    reason: str = ""


class Override(NamedTuple):
    """Leave to work outside the hours, from `since` until `until`; `by` is a name."""

    since: datetime
    until: datetime
    reason: str
    by: str = ""


def standing(policy: Policy, role: str, now: datetime, *, own: OwnWord | None = None, override: Override | None = None) -> ShiftStanding:
    """How the shift of somebody of `role` stands at `now`.

    A worker's own word limits what the hours and an override allow, and never widens it. A break lasts until its end, and no
    longer than the work it interrupts; an early end lasts to the next shift's start. An override given after an early end is the
    later word of the two. Off shift means `closed` or `quiet` as `hours.off_shift` says.
    """
    if role not in BOUND_ROLES:
        return ShiftStanding("working")
    given = override if override is not None and override.since <= now < override.until else None
    if own is not None and own.state == "end" and not (given is not None and given.since > own.since):
        resumes = next_start(policy, own.since)
        if resumes is None or now < resumes:
            return _away(policy, "off", until=resumes, resumes_at=resumes, reason=own.reason)
    if not is_on_shift(policy, now) and given is None:
        resumes = next_start(policy, now)
        return _away(policy, "off", until=resumes, resumes_at=resumes)
    ends = _work_ends(policy, override, now)
    if own is not None and own.state == "break" and _interrupts(policy, override, own, now):
        # A break that outlasts the work it interrupts goes over into rest.
        if own.until is None or (ends is not None and own.until >= ends):
            return _away(policy, "break", until=ends, resumes_at=None if ends is None else next_start(policy, ends), reason=own.reason)
        return _away(policy, "break", until=own.until, resumes_at=own.until, reason=own.reason)
    if given is None:
        return ShiftStanding("working", until=ends)
    return ShiftStanding("working", until=ends, reason=given.reason, by=given.by)


def next_change(
    policy: Policy, role: str, now: datetime, *, own: OwnWord | None = None, override: Override | None = None
) -> datetime | None:
    """The first instant after `now` at which the standing, or what follows from it, may be another; None where only a new word or
    policy can change it."""
    if role not in BOUND_ROLES:
        return None
    instants = [shift_end(policy, now), next_start(policy, now)]
    if own is not None:
        instants += [own.until, own.since + policy.hours.hand_over_after if own.state == "break" else next_start(policy, own.since)]
    if override is not None:
        instants += [override.since, override.until]
    return min((instant for instant in instants if instant is not None and instant > now), default=None)


def gives_work_up(policy: Policy, stands: ShiftStanding, now: datetime, *, own: OwnWord | None = None) -> bool:
    """Whether somebody who stands so hands their work over: off shift at once, in a break that is longer than
    `hours.hand_over_after`, or has no end and has lasted so long."""
    if policy.hours.hand_over == "keep" or policy.hours.off_shift == "open" or stands.state == "working":
        return False
    if stands.state == "off" or own is None:
        return stands.state == "off"
    longest = policy.hours.hand_over_after
    return now - own.since >= longest or (own.until is not None and own.until - own.since > longest)


def closed_sentence(stands: ShiftStanding, zone: tzinfo) -> str:
    """What somebody who is closed out reads, with the time at which work resumes in the policy's zone."""
    why = "You are on a break" if stands.state == "break" else "You are off shift"
    if stands.resumes_at is None:
        return f"{why}; the inbox is closed until you start again (`wabiz shift start`)."
    return f"{why}; the inbox is closed; work resumes on {stands.resumes_at.astimezone(zone):%A %d %B at %H:%M}."


def _away(
    policy: Policy, state: Literal["break", "off"], *, until: datetime | None, resumes_at: datetime | None, reason: str = ""
) -> ShiftStanding:
    rule = policy.hours.off_shift
    return ShiftStanding(state, is_closed=rule == "closed", is_quiet=rule == "quiet", until=until, resumes_at=resumes_at, reason=reason)


def _interrupts(policy: Policy, override: Override | None, own: OwnWord, now: datetime) -> bool:
    """Whether the break is not over at `now`: its own end has not come, and the work in which it began still runs."""
    if own.until is not None and now >= own.until:
        return False
    ends = _work_ends(policy, override, own.since)
    return ends is None or now < ends


def _work_ends(policy: Policy, override: Override | None, at: datetime) -> datetime | None:
    """The end of the work that runs at `at`, shifts and override that meet made one; `at` itself where none runs, and None where it
    never ends."""
    if not policy.hours.has_shifts:
        return None
    for _ in range(_MOST_JOINED):
        ends = [shift_end(policy, at)]
        if override is not None and override.since <= at < override.until:
            ends.append(override.until)
        latest = max((end for end in ends if end is not None), default=None)
        if latest is None:
            return at
        at = latest
    return at
