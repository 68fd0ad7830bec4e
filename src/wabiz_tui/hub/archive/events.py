"""Events in the archive: webhooks that are no message and no status, each once, sealed by the month; and quarantined bodies."""

from collections.abc import Iterable

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.direct import Direct
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.sealing import event_unit, month_of, waiting_unit
from wabiz_tui.hub.archive.shelves import Sealing, Shelved
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, to_ms
from wabiz_tui.model.values import Event

_event, _number = schema.event.c, schema.number.c
_POSITION = Direct(sa.select(schema.fold_position.c.entry).where(schema.fold_position.c.tenant == sa.bindparam("of_tenant")))
_DISPLAYS = Direct(sa.select(_number.id, _number.display).where(_number.tenant == sa.bindparam("of_tenant")))
_SEALING = Sealing(Event, unit=lambda row: event_unit(row["month"]), about=lambda row: f"event/{row['id']}")
EVENTS = Shelved(schema.event, "identity", sealing=_SEALING)
NUMBERS: Shelved[None] = Shelved(schema.number, "id")


def add_event(writing: Writing, event: Event, *, identity: str) -> bool:
    """Archive an event unless the same was archived before; whether it was new."""
    shelf, hashed = writing.shelf(EVENTS), event_hash(writing, identity)
    if shelf.get(hashed) is not None:
        return False
    row = {
        "id": event.id,
        "identity": hashed,
        "field": event.field[:128],
        "number": event.number,
        "month": month_of(event.at),
        "at_ms": to_ms(event.at),
    }
    shelf.add(row, event)
    writing.touch("event", event.id)
    return True


def remove_event(writing: Writing, *, identity: str) -> None:
    """Take an event back that turned out to belong to a message."""
    shelf, hashed = writing.shelf(EVENTS), event_hash(writing, identity)
    row = shelf.get(hashed)
    if row is not None:
        shelf.remove(hashed)
        writing.touch("event", row["id"])


def event_hash(reading: Reading, identity: str) -> bytes:
    return reading.sealer.lookup("event", identity)


def load_events(reading: Reading, ids: Iterable[str]) -> dict[str, Event]:
    rows = reading.connection.execute(sa.select(schema.event).where(_event.tenant == reading.tenant, _event.id.in_(sorted(set(ids)))))
    opened = ((row["id"], _SEALING.open(reading.sealer, row)) for row in map(dict, rows.mappings()))
    return {one: event for one, event in opened if event is not None}


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
    return _POSITION.value(reading.connection, {"of_tenant": reading.tenant}) or 0


def set_fold_position(writing: Writing, entry: int) -> None:
    put(writing.connection, schema.fold_position, [{"tenant": writing.tenant, "entry": entry}])


def note_number(writing: Writing, number: str, *, display: str = "", name: str = "") -> None:
    """Know a business number, by configuration or because a webhook named it."""
    shelf = writing.shelf(NUMBERS)
    row = shelf.get(number)
    if row is None:
        shelf.add({"id": number, "display": display, "name": name})
    elif display not in ("", row["display"]) or name not in ("", row["name"]):
        shelf.change(number, display=display or row["display"], name=name or row["name"])
    else:
        return
    writing.touch("number", number)


def load_numbers(reading: Reading, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Number id → display and name."""
    rows = reading.connection.execute(
        sa.select(_number.id, _number.display, _number.name).where(_number.tenant == reading.tenant, _number.id.in_(sorted(set(ids))))
    )
    return {row.id: (row.display, row.name) for row in rows}


def own_numbers(reading: Reading) -> frozenset[str]:
    """The business's numbers as digits alone, and Meta's ids of them."""
    rows = _DISPLAYS.rows(reading.connection, {"of_tenant": reading.tenant})
    return frozenset(digits for row in rows for name in row if (digits := "".join(filter(str.isdigit, name))))
