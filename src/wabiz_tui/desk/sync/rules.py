"""The policy in force on this device: verified, parsed, and turned into what the cache may hold."""

from datetime import datetime
from typing import NamedTuple

from wabiz_tui.desk.cache.writing import Holding
from wabiz_tui.model.errors import BadInput, BadSignature
from wabiz_tui.model.wire import SignedPolicy
from wabiz_tui.policy.document import Policy, parse_policy
from wabiz_tui.policy.retention import cache_expiry
from wabiz_tui.proof.armour import from_base64
from wabiz_tui.proof.policies import verify_policy


class Rules(NamedTuple):
    version: int
    policy: Policy
    signed: SignedPolicy

    @property
    def holding(self) -> Holding:
        return Holding(self._until, self.policy.cache.max_messages)

    def _until(self, at: datetime, resolved_at: datetime | None) -> datetime:
        return cache_expiry(self.policy, sent_at=at, resolved_at=resolved_at)


def read_rules(signed: SignedPolicy, *, policy_key: str, tenant: str) -> Rules:
    """Raises BadSignature for a policy the enrolled hub did not sign for this business, DocumentError for one this version
    of wabiz does not understand."""
    version = verify_policy(signed, from_base64(policy_key, size=32, what="The hub's policy key"))
    if version.tenant not in ("", tenant):
        raise BadSignature("The policy is signed for another business.")
    if version.version < 1:
        raise BadInput("A policy's version is 1 or more.")
    return Rules(version.version, parse_policy(version.text, file=f"policy {version.version}", accepted=True), signed)


def holds_longer(before: Policy, after: Policy) -> bool:
    """Whether `after` lets the device hold what `before` made it leave out."""
    earlier, later = before.cache, after.cache
    return later.window > earlier.window or later.after_resolve > earlier.after_resolve or later.max_messages > earlier.max_messages
