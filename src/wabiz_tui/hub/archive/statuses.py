"""Statuses in the archive: each told fact once, joined to its message now or when that becomes known."""

import msgspec
import sqlalchemy as sa

from wabiz_tui.graph.parsed import StatusUpdate
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.messages import wamid_hash
from wabiz_tui.hub.archive.sealing import month_of, text_unit, waiting_unit
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.values import Message

_status = schema.status.c
# Built once: it runs for every message.
_WAITING = sa.select(schema.status).where(
    _status.tenant == sa.bindparam("tenant"), _status.wamid_hash == sa.bindparam("hash"), _status.message.is_(None)
)


class KeptStatus(msgspec.Struct, frozen=True):
    update: StatusUpdate
    identity: bytes


def is_known_status(reading: Reading, update: StatusUpdate) -> bool:
    hashed = _identity(reading, update)
    return (
        reading.connection.execute(sa.select(_status.message).where(_status.tenant == reading.tenant, _status.identity == hashed)).first()
        is not None
    )


def add_status(writing: Writing, update: StatusUpdate, message: Message | None) -> None:
    """Keep a status: with its message's content, or apart while the message is unknown."""
    identity = _identity(writing, update)
    unit = waiting_unit(month_of(update.at)) if message is None else text_unit(message.conversation, month_of(message.sent_at))
    writing.connection.execute(
        sa.insert(schema.status).values(
            tenant=writing.tenant,
            identity=identity,
            wamid_hash=wamid_hash(writing, update.wamid),
            message=None if message is None else message.id,
            unit=unit,
            sealed=writing.sealer.seal(unit, encode(update), about=f"status/{identity.hex()}"),
            at_ms=to_ms(update.at),
        )
    )


def take_waiting(writing: Writing, wamid: str, message: Message) -> list[StatusUpdate]:
    """The statuses that came before their message: they are its own from now on."""
    rows = writing.connection.execute(_WAITING, {"tenant": writing.tenant, "hash": wamid_hash(writing, wamid)}).all()
    found: list[StatusUpdate] = []
    unit = text_unit(message.conversation, month_of(message.sent_at))
    for row in rows:
        about = f"status/{row.identity.hex()}"
        plain = writing.sealer.open(row.unit, row.sealed, about=about)
        if plain is None:
            continue
        found.append(decode(plain, StatusUpdate))
        writing.connection.execute(
            sa.update(schema.status)
            .where(_status.tenant == writing.tenant, _status.identity == row.identity)
            .values(message=message.id, unit=unit, sealed=writing.sealer.seal(unit, plain, about=about))
        )
    return found


def _identity(reading: Reading, update: StatusUpdate) -> bytes:
    return reading.sealer.lookup("status", update.identity)
