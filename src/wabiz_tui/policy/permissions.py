"""Who may do what: one matrix of roles and actions. What is not in it is denied."""

from typing import Final, get_args

from wabiz_tui.model.values import Role

ROLES: Final[tuple[Role, ...]] = get_args(Role)

CONTENT_ROLES: Final[frozenset[str]] = frozenset({"agent", "supervisor", "compliance"})
"""The roles that see customers and what they wrote. Auditors verify proofs and admins run machines without it."""

_EVERYBODY = frozenset(ROLES)
_STAFF = frozenset({"agent", "supervisor"})
_LEADS = frozenset({"supervisor", "compliance"})
_OVERSIGHT = frozenset({"compliance", "auditor"})
_OPERATIONS = frozenset({"compliance", "auditor", "admin"})
_COMPLIANCE = frozenset({"compliance"})
_ADMIN = frozenset({"admin"})

_MATRIX: Final[dict[str, frozenset[str]]] = {
    "audit.export": _OVERSIGHT,
    "audit.read": _OPERATIONS,
    "canned.read": CONTENT_ROLES,
    "canned.write": frozenset({"supervisor", "admin"}),
    "case.close": _COMPLIANCE,
    "case.export": _COMPLIANCE,
    "case.open": _COMPLIANCE,
    "case.read": _COMPLIANCE,
    "certificate.read": _OPERATIONS,
    "contact.block": _STAFF,
    "contact.erase": _COMPLIANCE,
    "contact.read": CONTENT_ROLES,
    "contact.reveal": CONTENT_ROLES,
    "contact.write": _STAFF,
    "conversation.assign": _STAFF,
    "conversation.label": _STAFF,
    "conversation.mark_read": _STAFF,
    "conversation.priority": _STAFF,
    "conversation.read": CONTENT_ROLES,
    "conversation.read_all": _LEADS,
    "conversation.status": _STAFF,
    "device.enroll": _EVERYBODY,
    "devices.read": frozenset({"supervisor", "compliance", "auditor", "admin"}),
    "devices.revoke": _ADMIN,
    "disposal.approve": _COMPLIANCE,
    "disposal.read": _OPERATIONS,
    "disposal.run": _COMPLIANCE,
    "event.read": CONTENT_ROLES,
    "feed.read": _EVERYBODY,
    "hold.place": _COMPLIANCE,
    "hold.read": _LEADS | {"auditor"},
    "hold.release": _COMPLIANCE,
    "hours.override": frozenset({"supervisor", "compliance", "admin"}),
    "integrations.add": _ADMIN,
    "integrations.read": _OPERATIONS,
    "integrations.revoke": _ADMIN,
    "macro.read": CONTENT_ROLES,
    "macro.run": _STAFF,
    "macro.write": frozenset({"supervisor", "admin"}),
    "me.read": _EVERYBODY,
    "media.read": CONTENT_ROLES,
    "media.send": _STAFF,
    "message.mark_read": _STAFF,
    "message.read": CONTENT_ROLES,
    "message.send": _STAFF,
    "note.write": CONTENT_ROLES,
    "number.read": _EVERYBODY,
    "number.write": _ADMIN,
    "people.add": _ADMIN,
    "people.read": _EVERYBODY,
    "people.revoke": _ADMIN,
    "people.write": _ADMIN,
    "policy.apply": _COMPLIANCE | _ADMIN,
    "policy.approve": _COMPLIANCE | _ADMIN,
    "policy.check": _EVERYBODY,
    "policy.diff": _EVERYBODY,
    "policy.read": _EVERYBODY,
    "presence.send": CONTENT_ROLES,
    "receipts.read": _OPERATIONS,
    "receipts.read_own": _EVERYBODY,
    "receipts.send": _EVERYBODY,
    "report.read": frozenset({"supervisor", "compliance", "auditor"}),
    "share.begin_epoch": _EVERYBODY,
    "share.read": _EVERYBODY,
    "shift.own": _STAFF,
    "shift.read": _EVERYBODY,
    "team.read": _EVERYBODY,
    "team.write": _ADMIN,
    "template.read": _STAFF | {"compliance"},
    "template.write": _ADMIN,
    "work.hand_over": _STAFF,
    "work.hand_over_others": frozenset({"supervisor"}),
}

ACTIONS: Final[tuple[str, ...]] = tuple(sorted(_MATRIX))
"""Every action there is, by name."""

INTEGRATION_ACTIONS: Final[frozenset[str]] = frozenset(
    {
        "contact.block",
        "media.read",
        "media.send",
        "message.mark_read",
        "message.send",
        "number.read",
        "number.write",
        "template.read",
        "template.write",
    }
)
"""What an integration's key may be given; it has those it was made with and no other."""

CONTENT_ACTIONS: Final[frozenset[str]] = frozenset(
    {"contact.read", "contact.reveal", "conversation.read", "conversation.read_all", "event.read", "media.read", "message.read"}
)
"""Actions that show content; the feed carries contacts, conversations, messages and events only to roles that may do these."""

_FEED: Final[dict[str, str]] = {
    "contact": "contact.read",
    "conversation": "conversation.read",
    "message": "message.read",
    "event": "event.read",
    "number": "number.read",
    "policy": "policy.read",
    "person": "people.read",
    "team": "team.read",
    "canned": "canned.read",
    "macro": "macro.read",
}


def can(role: str, action: str) -> bool:
    """Whether `role` may do `action`; False for roles and actions that do not exist."""
    return role in _MATRIX.get(action, ())


def can_see(role: str, entity: str) -> bool:
    """Whether the feed carries `entity` (a model.feed.Entity) to `role` at all; teams and assignment narrow it further."""
    return can(role, _FEED.get(entity, ""))


def sees_content(role: str) -> bool:
    return role in CONTENT_ROLES


def render_matrix() -> str:
    """The matrix as a Markdown table, as docs/policies.md prints it."""
    head = f"| action | {' | '.join(ROLES)} |"
    rule = f"|---|{'---|' * len(ROLES)}"
    rows = [f"| `{action}` | {' | '.join('yes' if can(role, action) else '·' for role in ROLES)} |" for action in ACTIONS]
    return "\n".join((head, rule, *rows)) + "\n"
