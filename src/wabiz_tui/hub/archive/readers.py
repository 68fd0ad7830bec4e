"""Who may read the feed: of each person no more than what decides over their sight, since it is asked with every commit."""

from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.direct import Direct
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.model.codec import decode
from wabiz_tui.model.values import Role

_person = schema.person.c
_STANDING = Direct(
    sa.select(_person.id, _person.role, _person.teams).where(_person.tenant == sa.bindparam("of_tenant"), _person.revoked_ms.is_(None))
)


class Reader(NamedTuple):
    """A person who was not removed."""

    role: Role
    teams: frozenset[str]


def load_readers(reading: Reading) -> dict[str, Reader]:
    """By the person's id. Some 2 µs of CPU each, a tenth of what their whole values cost."""
    rows = _STANDING.rows(reading.connection, {"of_tenant": reading.tenant})
    return {person: _reader(role, teams) for person, role, teams in rows}


@lru_cache(1024)
def _reader(role: Role, teams: str) -> Reader:
    return Reader(role, frozenset(decode(teams, tuple[str, ...])))
