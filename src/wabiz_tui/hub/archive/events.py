"""Events in the archive: webhooks that are no message and no status, each once, sealed by the month; and quarantined bodies."""

from collections.abc import Iterable

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engines import put
from wabiz_tui.hub.archive.sealing import event_unit, month_of, waiting_unit
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, to_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.values import Event

_event, _number = schema.event.c, schema.number.c
# Built once: it runs for every message.
_NUMBER = sa.select(_number.display, _number.name).where(_number.tenant == sa.bindparam("tenant"), _number.id == sa.bindparam("id"))


def add_event(writing: Writing, event: Event, *, identity: str) -> bool:
    """Archive an event unless the same was archived before; whether it was new."""
    hashed = writing.sealer.lookup("event", identity)
    known = writing.connection.execute(sa.select(_event.id).where(_event.tenant == writing.tenant, _event.identity == hashed)).first()
    if known is not None:
        return False
    month = month_of(event.at)
    writing.connection.execute(
        sa.insert(schema.event).values(
            tenant=writing.tenant,
            id=event.id,
            identity=hashed,
            field=event.field[:128],
            number=event.number,
            month=month,
            at_ms=to_ms(event.at),
            sealed=writing.sealer.seal(event_unit(month), encode(event), about=f"event/{event.id}"),
        )
    )
    writing.touch("event", event.id)
    return True


def remove_event(writing: Writing, *, identity: str) -> None:
    """Take an event back that turned out to belong to a message."""
    hashed = writing.sealer.lookup("event", identity)
    rows = writing.connection.execute(
        sa.delete(schema.event).where(_event.tenant == writing.tenant, _event.identity == hashed).returning(_event.id)
    ).all()
    for row in rows:
        writing.touch("event", row.id)


def load_events(reading: Reading, ids: Iterable[str]) -> dict[str, Event]:
    rows = reading.connection.execute(sa.select(schema.event).where(_event.tenant == reading.tenant, _event.id.in_(sorted(set(ids)))))
    found: dict[str, Event] = {}
    for row in rows:
        plain = reading.sealer.open(event_unit(row.month), row.sealed, about=f"event/{row.id}")
        if plain is not None:
            found[row.id] = decode(plain, Event)
    return found


def quarantine(writing: Writing, entry: int, raw: bytes, *, reason: str, at_ms: int) -> None:
    """Keep a body that could not be folded, for a person and a later version to look at."""
    unit = waiting_unit(month_of(from_ms(at_ms)))
    row = {
        "tenant": writing.tenant,
        "entry": entry,
        "reason": reason[:64],
        "unit": unit,
        "sealed": writing.sealer.seal(unit, raw, about=f"quarantine/{entry}"),
        "at_ms": at_ms,
    }
    put(writing.connection, schema.quarantine, [row])


def count_quarantined(reading: Reading) -> int:
    query = sa.select(sa.func.count()).select_from(schema.quarantine).where(schema.quarantine.c.tenant == reading.tenant)
    return reading.connection.execute(query).scalar() or 0


def fold_position(reading: Reading) -> int:
    """The number of the last journal entry that is in the archive."""
    position = schema.fold_position.c
    return reading.connection.execute(sa.select(position.entry).where(position.tenant == reading.tenant)).scalar() or 0


def set_fold_position(writing: Writing, entry: int) -> None:
    put(writing.connection, schema.fold_position, [{"tenant": writing.tenant, "entry": entry}])


def note_number(writing: Writing, number: str, *, display: str = "", name: str = "") -> None:
    """Know a business number, by configuration or because a webhook named it."""
    row = writing.connection.execute(_NUMBER, {"tenant": writing.tenant, "id": number}).first()
    if row is not None and (not display or display == row.display) and (not name or name == row.name):
        return
    values = {"display": display or (row.display if row else ""), "name": name or (row.name if row else "")}
    put(writing.connection, schema.number, [{"tenant": writing.tenant, "id": number, **values}])
    writing.touch("number", number)


def load_numbers(reading: Reading, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Number id → display and name."""
    rows = reading.connection.execute(
        sa.select(_number.id, _number.display, _number.name).where(_number.tenant == reading.tenant, _number.id.in_(sorted(set(ids))))
    )
    return {row.id: (row.display, row.name) for row in rows}


def own_numbers(reading: Reading) -> frozenset[str]:
    """The business's numbers as digits alone, and Meta's ids of them."""
    rows = reading.connection.execute(sa.select(_number.id, _number.display).where(_number.tenant == reading.tenant))
    return frozenset(digits for row in rows for name in row if (digits := "".join(filter(str.isdigit, name))))
