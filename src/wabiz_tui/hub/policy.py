"""The policy at the hub: one document, versioned and signed; what tightens is in force at apply, the rest waits."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from wabiz_tui.hub.archive import policies as rows
from wabiz_tui.hub.archive.masking import touch_masked
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import Conflict, Denied, NotFound
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import PolicyOutcome, PolicyStanding, PolicyVersion, SignedPolicy
from wabiz_tui.policy.difference import Change, compare, in_force_meanwhile, needs_approval
from wabiz_tui.policy.document import Policy, parse_policy
from wabiz_tui.policy.hours import is_on_shift
from wabiz_tui.policy.library import shipped_text
from wabiz_tui.policy.rendering import render_policy
from wabiz_tui.proof.policies import sign_policy

FIRST = "gdpr-default"


class InForce(NamedTuple):
    version: int
    policy: Policy
    signed: SignedPolicy


def first_policy(writing: Writing, policy_key: Secret) -> None:
    """Version 1, from the shipped policies, so that there never is a moment without one."""
    _add(writing, shipped_text(FIRST), policy_key, by="", state="in_force")
    record(writing, Act("policy.applied", about="1", details={"version": 1}))


def in_force(reading: Reading) -> InForce:
    stored = rows.policy_in_force(reading)
    if stored is None:
        raise NotFound("This archive is empty: set the hub up with `wabiz hub init`, or begin its restore again with `wabiz hub restore`.")
    policy = _accepted(stored.text)
    # The first question loads the calendar of holidays, which takes half a second: here, not where requests are answered.
    is_on_shift(policy, reading.now)
    return InForce(stored.version, policy, stored.signed)


@lru_cache(4)
def _accepted(text: str) -> Policy:
    """Of the archive's own text. A policy is a value: one parse serves every reading and writing that asks what is in force."""
    return parse_policy(text, accepted=True)


class PolicyKeeper:
    """The policy in force, kept parsed. `refresh` runs in the writer's thread after each change of it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.current = archive.read_now(in_force)

    def refresh(self) -> None:
        self.current = self._archive.read_now(in_force)


def difference(reading: Reading, new: Policy) -> PolicyOutcome:
    """What applying the document `new` would change."""
    changes = compare(in_force(reading).policy, new)
    version = rows.next_version(reading)
    if not changes:
        return PolicyOutcome(version=version - 1, state="unchanged")
    return PolicyOutcome(version=version, state="waiting" if needs_approval(changes) else "in_force", changes=_lines(changes))


def apply(
    writing: Writing,
    new: Policy,
    text: str,
    policy_key: Secret,
    *,
    by: str,
    device: str = "",
    afterwards: Callable[[], object] = lambda: None,
) -> PolicyOutcome:
    """Put in force what may be at once; what loosens waits as a version of its own for a second person. `text` is what `new` was
    parsed from, before: a document of a mebibyte takes the one writer's time from everybody."""
    writing.afterwards(afterwards)
    current = in_force(writing)
    changes = compare(current.policy, new)
    if not changes:
        return PolicyOutcome(version=current.version, state="unchanged")
    rows.withdraw_waiting(writing)
    if not needs_approval(changes):
        _tell_anew(writing, current.policy, new)
        version = _add(writing, text, policy_key, by=by, state="in_force")
        _log(writing, "policy.applied", version, changes, by=by, device=device)
        return PolicyOutcome(version=version, state="in_force", changes=_lines(changes))
    meanwhile = in_force_meanwhile(current.policy, new)
    if compare(current.policy, meanwhile):
        _tell_anew(writing, current.policy, meanwhile)
        tighter = render_policy(meanwhile, comment="In force until what loosens in the next version is approved.")
        tightened = _add(writing, tighter, policy_key, by=by, state="in_force")
        _log(writing, "policy.applied", tightened, [change for change in changes if not change.needs_approval], by=by, device=device)
    version = _add(writing, text, policy_key, by=by, state="waiting")
    _log(writing, "policy.proposed", version, changes, by=by, device=device)
    return PolicyOutcome(version=version, state="waiting", changes=_lines(changes))


def approve(writing: Writing, version: int, *, by: str, device: str = "", afterwards: Callable[[], object] = lambda: None) -> PolicyOutcome:
    """The second person's word; the grace period begins with it. Raises Denied for the one who proposed it, NotFound, Conflict."""
    writing.afterwards(afterwards)
    stored = rows.find_policy(writing, version)
    if stored is None:
        raise NotFound(f"There is no version {version} of the policy.")
    if stored.state != "waiting":
        raise Conflict(f"Version {version} does not wait for approval; it is {stored.state.replace('_', ' ')}.")
    if stored.by == by:
        raise Denied("Whoever proposed a policy cannot approve it; ask a second person.")
    current = in_force(writing).policy
    changes = _lines(compare(current, parse_policy(stored.text, accepted=True)))
    if stored.approved_by is not None and stored.waits_until is not None:
        return PolicyOutcome(version=version, state="waiting", changes=changes, waits_until=stored.waits_until)
    # The grace period is that of the policy in force: a proposal cannot shorten its own.
    waits_until = writing.now + current.approval.grace
    rows.approve_policy(writing, version, by=by, waits_until=waits_until)
    record(writing, Act("policy.approved", by=by, device=device, about=str(version), details={"version": version}))
    if ripen(writing):
        return PolicyOutcome(version=version, state="in_force", changes=changes)
    return PolicyOutcome(version=version, state="waiting", changes=changes, waits_until=waits_until)


def ripen(writing: Writing) -> int:
    """Put approved versions in force whose grace period is over; how many."""
    ripe = [
        stored
        for stored in rows.waiting_policies(writing)
        if stored.approved_by and stored.waits_until and stored.waits_until <= writing.now
    ]
    for stored in ripe:
        _tell_anew(writing, in_force(writing).policy, parse_policy(stored.text, accepted=True))
        rows.enforce_policy(writing, stored.version)
        record(writing, Act("policy.applied", by=stored.by, about=str(stored.version), details={"version": stored.version}))
    return len(ripe)


def standings(reading: Reading) -> list[PolicyStanding]:
    """How every version stands, newest first."""
    return [
        PolicyStanding(
            version=stored.version,
            state=stored.state,
            name=parse_policy(stored.text, accepted=True).name,
            at=version_of(stored.signed).at,
            by=stored.by,
            approved_by=stored.approved_by,
            waits_until=stored.waits_until,
        )
        for stored in rows.all_policies(reading)
    ]


def version_of(signed: SignedPolicy) -> PolicyVersion:
    return decode(signed.policy, PolicyVersion)


def _tell_anew(writing: Writing, before: Policy, after: Policy) -> None:
    """What desks hold was masked by the old rule; none of it is older than either window."""
    if before.privacy.mask_numbers != after.privacy.mask_numbers:
        touch_masked(writing, since=writing.now - max(before.cache.window, after.cache.window))


def _add(writing: Writing, text: str, policy_key: Secret, *, by: str, state: str) -> int:
    version = rows.next_version(writing)
    signed = sign_policy(PolicyVersion(version=version, text=text, at=writing.now, tenant=writing.tenant, by=by), policy_key)
    rows.add_policy(writing, version, text, signed, state=state, by=by)
    return version


def _log(writing: Writing, action: str, version: int, changes: list[Change], *, by: str, device: str) -> None:
    details = {"version": version, "changes": list(_lines(changes))}
    record(writing, Act(action, by=by, device=device, about=str(version), details=details))


def _lines(changes: list[Change]) -> tuple[str, ...]:
    return tuple(str(change) for change in changes)
