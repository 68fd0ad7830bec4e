"""People, their enrolment codes and devices in the archive. Codes and tokens are kept as hashes only."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.direct import DirectLookup
from wabiz_tui.hub.archive.shifts import states_of_people
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, perhaps_from_ms, to_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.shift import ShiftState
from wabiz_tui.model.staff import CodeInfo
from wabiz_tui.model.values import Device, Person, Role
from wabiz_tui.proof.armour import to_base64

_person, _code, _device = schema.person.c, schema.enrolment_code.c, schema.device.c
_NAMES = DirectLookup(sa.select(_person.id, _person.name).where(_person.tenant == sa.bindparam("of_tenant")), _person.id)
_token, _assertion = schema.token.c, schema.assertion.c


class DeviceRecord(NamedTuple):
    """A device as the hub knows it; `person` is its owner."""

    id: str
    name: str
    public_key: bytes
    cache_id: str
    epoch: int
    receipt_number: int
    person: Person
    is_revoked: bool
    is_overdue: bool
    """Whether the hub ended its epoch for want of a receipt, and has had none since."""


def hashed(secret: str) -> bytes:
    """What the archive keeps of a code or token: they are random, so a plain hash gives nothing away."""
    return hashlib.sha256(secret.encode()).digest()


def add_person(writing: Writing, person: Person) -> None:
    writing.connection.execute(
        sa.insert(schema.person).values(
            tenant=writing.tenant,
            id=person.id,
            name=person.name,
            role=person.role,
            teams=encode(person.teams).decode(),
            created_ms=writing.now_ms,
        )
    )
    writing.touch("person", person.id)


def load_people(reading: Reading) -> dict[str, Person]:
    """All people; there are hundreds at most."""
    rows = reading.connection.execute(
        sa.select(schema.person).where(_person.tenant == reading.tenant).order_by(_person.created_ms, _person.id)
    )
    states = states_of_people(reading)
    return {row.id: _person_of(row, row.id, row.name, revoked_ms=row.revoked_ms, state=states.get(row.id, "working")) for row in rows}


def find_person(reading: Reading, person: str) -> Person | None:
    """Revoked ones too."""
    row = reading.connection.execute(sa.select(schema.person).where(_person.tenant == reading.tenant, _person.id == person)).first()
    if row is None:
        return None
    state = states_of_people(reading).get(row.id, "working")
    return _person_of(row, row.id, row.name, revoked_ms=row.revoked_ms, state=state)


def save_person(writing: Writing, person: Person) -> None:
    """Write name, role, teams, buddy and revocation as they are in `person`. What of it is told by the feed is the caller's."""
    revoked_ms = None if person.revoked_at is None else to_ms(person.revoked_at)
    values = {"name": person.name, "role": person.role, "teams": encode(person.teams).decode(), "buddy": person.buddy}
    writing.connection.execute(
        sa.update(schema.person).where(_person.tenant == writing.tenant, _person.id == person.id).values(**values, revoked_ms=revoked_ms)
    )


def is_last(reading: Reading, person: Person) -> bool:
    """Whether nobody else works here in that person's role."""
    others = sa.select(_person.id).where(_person.tenant == reading.tenant, _person.role == person.role, _person.revoked_ms.is_(None))
    return reading.connection.execute(others.where(_person.id != person.id).limit(1)).first() is None


def names_of_people(reading: Reading) -> dict[str, str]:
    return {
        row.id: row.name for row in reading.connection.execute(sa.select(_person.id, _person.name).where(_person.tenant == reading.tenant))
    }


def names_of(reading: Reading, people: Iterable[str]) -> dict[str, str]:
    """Of these people, by id; who was removed too."""
    wanted = sorted(set(people))
    return dict(_NAMES.rows(reading.connection, {"of_tenant": reading.tenant}, wanted)) if wanted else {}


def add_code(writing: Writing, secret: str, person: str, *, expires_at: datetime, by: str) -> str:
    """The code's id, by which it is listed and withdrawn: half of its hash."""
    kept = hashed(secret)
    row = {"hash": kept, "person": person, "expires_ms": to_ms(expires_at), "made_ms": writing.now_ms, "made_by": by}
    writing.connection.execute(sa.insert(schema.enrolment_code).values(tenant=writing.tenant, **row))
    return _code_id(kept)


def living_codes(reading: Reading) -> list[CodeInfo]:
    """Codes that could still be used, the newest last."""
    rows = reading.connection.execute(
        sa.select(schema.enrolment_code)
        .where(_code.tenant == reading.tenant, _code.used_ms.is_(None), _code.expires_ms > reading.now_ms)
        .order_by(_code.expires_ms, _code.hash)
    )
    return [
        CodeInfo(
            id=_code_id(row.hash),
            person=row.person,
            expires_at=from_ms(row.expires_ms),
            made_at=perhaps_from_ms(row.made_ms),
            made_by=row.made_by or "",
        )
        for row in rows
    ]


def withdraw_code(writing: Writing, code: str) -> str | None:
    """Whose the code of that id was; None when there is none that could still be used."""
    for living in living_codes(writing):
        if living.id == code:
            first, last = bytes.fromhex(code) + bytes(16), bytes.fromhex(code) + b"\xff" * 16
            writing.connection.execute(
                sa.delete(schema.enrolment_code).where(_code.tenant == writing.tenant, _code.hash >= first, _code.hash <= last)
            )
            return living.person
    return None


def withdraw_codes_of(writing: Writing, person: str) -> int:
    deleted = sa.delete(schema.enrolment_code).where(_code.tenant == writing.tenant, _code.person == person, _code.used_ms.is_(None))
    return writing.connection.execute(deleted).rowcount


def use_code(writing: Writing, secret: str) -> str | None:
    """The person a code was made for, and the code is spent; None for a code that is wrong, old or spent."""
    used = writing.connection.execute(
        sa.update(schema.enrolment_code)
        .where(_code.tenant == writing.tenant, _code.hash == hashed(secret), _code.used_ms.is_(None), _code.expires_ms > writing.now_ms)
        .values(used_ms=writing.now_ms)
        .returning(_code.person)
    ).first()
    return None if used is None else used.person


def add_device(writing: Writing, *, device: str, person: str, name: str, public_key: bytes, cache_id: str) -> None:
    writing.connection.execute(
        sa.insert(schema.device).values(
            tenant=writing.tenant,
            id=device,
            person=person,
            name=name,
            public_key=public_key,
            cache_id=cache_id,
            epoch=1,
            policy=0,
            receipt_number=0,
            receipt_hash="",
            enrolled_ms=writing.now_ms,
        )
    )


def find_device(reading: Reading, device: str) -> DeviceRecord | None:
    row = reading.connection.execute(_with_owner().where(_device.tenant == reading.tenant, _device.id == device)).first()
    return None if row is None else _record(row)


def devices_of(reading: Reading, person: str) -> list[str]:
    """The ids of their devices that are not revoked."""
    rows = reading.connection.execute(
        sa.select(_device.id).where(_device.tenant == reading.tenant, _device.person == person, _device.revoked_ms.is_(None))
    )
    return [row.id for row in rows]


def list_devices(reading: Reading) -> list[Device]:
    """All, revoked ones too, the oldest first."""
    rows = reading.connection.execute(_with_owner().where(_device.tenant == reading.tenant).order_by(_device.enrolled_ms, _device.id))
    return [
        Device(
            id=row.id,
            person=row.person,
            person_name=row.person_name,
            name=row.name,
            enrolled_at=from_ms(row.enrolled_ms),
            seen_at=perhaps_from_ms(row.seen_ms),
            lease_until=perhaps_from_ms(row.lease_until_ms),
            policy=row.policy,
            epoch=row.epoch,
            last_receipt_at=perhaps_from_ms(row.last_receipt_ms),
            public_key=to_base64(row.public_key),
            receipts=row.receipt_number,
            revoked_at=perhaps_from_ms(row.revoked_ms),
            overdue=row.overdue_ms is not None and row.revoked_ms is None,
        )
        for row in rows
    ]


def count_overdue(reading: Reading) -> int:
    """How many devices have lost their share for want of a receipt and have sent none since."""
    query = sa.select(sa.func.count()).where(
        _device.tenant == reading.tenant, _device.overdue_ms.is_not(None), _device.revoked_ms.is_(None)
    )
    return reading.connection.execute(query).scalar_one()


def note_device(writing: Writing, device: str, **values: Any) -> None:
    """Set columns of a device: seen_ms, lease_until_ms, policy, epoch, receipt_number, receipt_hash, last_receipt_ms, overdue_ms."""
    writing.connection.execute(sa.update(schema.device).where(_device.tenant == writing.tenant, _device.id == device).values(**values))


def revoke_device(writing: Writing, device: str) -> bool:
    """Mark a device revoked and forget its tokens; False when it was revoked before."""
    changed = writing.connection.execute(
        sa.update(schema.device)
        .where(_device.tenant == writing.tenant, _device.id == device, _device.revoked_ms.is_(None))
        .values(revoked_ms=writing.now_ms)
    ).rowcount
    return bool(changed)


def add_token(writing: Writing, token: str, device: str, *, expires_at: datetime) -> None:
    writing.connection.execute(
        sa.insert(schema.token).values(tenant=writing.tenant, hash=hashed(token), device=device, expires_ms=to_ms(expires_at))
    )


def device_of_token(reading: Reading, token: str) -> DeviceRecord | None:
    """The device that holds the token, revoked ones too: the caller says so in its refusal. None for unknown and old tokens."""
    row = reading.connection.execute(
        _with_owner()
        .join(schema.token, (_token.tenant == _device.tenant) & (_token.device == _device.id))
        .where(_token.tenant == reading.tenant, _token.hash == hashed(token), _token.expires_ms > reading.now_ms)
    ).first()
    return None if row is None else _record(row)


def use_assertion(writing: Writing, jti: str, *, expires_at: datetime) -> bool:
    """Note that this assertion was used; False when it was used before."""
    known = writing.connection.execute(
        sa.select(_assertion.hash).where(_assertion.tenant == writing.tenant, _assertion.hash == hashed(jti))
    ).first()
    if known is not None:
        return False
    writing.connection.execute(sa.insert(schema.assertion).values(tenant=writing.tenant, hash=hashed(jti), expires_ms=to_ms(expires_at)))
    return True


def forget_expired(writing: Writing) -> int:
    """Forget tokens, assertions and codes that have run out; how many. Used codes go with the time they would have lived."""
    expired = (
        sa.delete(schema.token).where(_token.tenant == writing.tenant, _token.expires_ms <= writing.now_ms),
        sa.delete(schema.assertion).where(_assertion.tenant == writing.tenant, _assertion.expires_ms <= writing.now_ms),
        sa.delete(schema.enrolment_code).where(_code.tenant == writing.tenant, _code.expires_ms <= writing.now_ms),
    )
    return sum(writing.connection.execute(statement).rowcount for statement in expired)


def _code_id(kept: bytes) -> str:
    return bytes(kept)[:16].hex()


def _with_owner() -> sa.Select[Any]:
    owner = (_person.tenant == _device.tenant) & (_person.id == _device.person)
    columns = (_person.name.label("person_name"), _person.role, _person.teams, _person.buddy)
    return sa.select(schema.device, *columns, _person.revoked_ms.label("person_revoked_ms")).join(schema.person, owner)


def _record(row: sa.Row[Any]) -> DeviceRecord:
    owner = _person_of(row, row.person, row.person_name, revoked_ms=row.person_revoked_ms)
    is_revoked = row.revoked_ms is not None or owner.revoked_at is not None
    return DeviceRecord(
        row.id, row.name, row.public_key, row.cache_id, row.epoch, row.receipt_number, owner, is_revoked, row.overdue_ms is not None
    )


def _person_of(row: sa.Row[Any], person: str, name: str, *, revoked_ms: int | None = None, state: ShiftState = "working") -> Person:
    role: Role = row.role
    teams = decode(row.teams, tuple[str, ...])
    return Person(id=person, name=name, role=role, teams=teams, buddy=row.buddy, state=state, revoked_at=perhaps_from_ms(revoked_ms))
