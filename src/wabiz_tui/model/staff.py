"""People, teams and reveals as they travel under /v1: bodies of requests and answers."""

from datetime import datetime

import msgspec

from wabiz_tui.model.values import Contact, Role

LONGEST_REASON = 500
REVEAL_SECONDS = 60
"""How long an unmasked identity may be shown; whoever asked forgets it then."""


class PersonChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/people/{id}: what is left out stays. `teams` are ids or names, `buddy` a person's id or null for nobody."""

    name: str | None = None
    role: Role | None = None
    teams: tuple[str, ...] | None = None
    buddy: str | msgspec.UnsetType | None = msgspec.UNSET


class PersonRevoked(msgspec.Struct, frozen=True):
    """The answer of POST /v1/people/{id}/revoke: how many devices ended, and how many conversations were handed on."""

    person: str
    state: str
    devices: int
    conversations: int


class CodeInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """GET /v1/codes: an enrolment code that could still be used. The code itself is not kept."""

    id: str
    person: str
    expires_at: datetime
    made_at: datetime | None = None
    made_by: str = ""


class NewTeam(msgspec.Struct, frozen=True):
    """POST /v1/teams, PUT /v1/teams/{id}."""

    name: str


class RevealRequest(msgspec.Struct, frozen=True):
    """POST /v1/contacts/{id}/reveal. The reason stays in the audit log for as long as that is kept: a case's number, no customer's name."""

    reason: str


class Revealed(msgspec.Struct, frozen=True):
    """The contact unmasked. It is in no feed and no cache; `until` is when it must be forgotten."""

    contact: Contact
    until: datetime


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of what was named."""

    id: str
    state: str
