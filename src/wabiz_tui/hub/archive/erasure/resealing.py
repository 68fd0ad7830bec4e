"""Seal the rest of a unit under its new key, so that the old one, and with it what was erased, can be destroyed."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.files import file_of, forget_partial_files, place_of, reseal_file
from wabiz_tui.hub.archive.sealed_files import open_file
from wabiz_tui.hub.archive.sealing import text_unit
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.model.errors import DamagedStore

_AT_ONCE = 500
_UNITS_AT_ONCE = 50


Within: TypeAlias = "Callable[[str, str], sa.ColumnElement[bool] | None]"
"""From tenant and unit: which rows of a table are sealed under it; None where none can be."""


class Sealed(NamedTuple):
    """A table with a `sealed` column: what its values are bound to, and which of them a unit's key seals."""

    table: sa.Table
    about: Callable[[Any], str]
    within: Within


def _messages_within(_tenant: str, unit: str) -> sa.ColumnElement[bool] | None:
    kind, _, rest = unit.partition("/")
    conversation, _, rest = rest.partition("/")
    month, _, what = rest.partition("/")
    if kind != "unit" or what != "text":
        return None
    return (schema.message.c.conversation == conversation) & (schema.message.c.month == month)


def _statuses_within(tenant: str, unit: str) -> sa.ColumnElement[bool] | None:
    """Found by their messages, since no index leads from a unit to them."""
    messages, key = _messages_within(tenant, unit), schema.message_key.c
    if messages is None:
        return schema.status.c.unit == unit if unit.startswith("waiting/") else None
    ids = sa.select(schema.message.c.id).where(schema.message.c.tenant == tenant, messages)
    hashes = sa.select(key.wamid_hash).where(key.tenant == tenant, key.message.in_(ids))
    return schema.status.c.wamid_hash.in_(hashes) & (schema.status.c.unit == unit)


def _events_within(_tenant: str, unit: str) -> sa.ColumnElement[bool] | None:
    kind, _, month = unit.partition("/")
    return schema.event.c.month == month if kind == "event" else None


def _named_in(table: sa.Table) -> Within:
    return lambda _tenant, unit: table.c.unit == unit if unit.startswith("waiting/") else None


def _about(name: str, column: sa.Column[Any]) -> Callable[[Any], str]:
    def about(row: Any) -> str:
        value = getattr(row, column.name)
        return f"{name}/{value.hex() if isinstance(value, bytes) else value}"

    return about


SEALED = (
    Sealed(schema.message, _about("message", schema.message.c.id), _messages_within),
    Sealed(schema.event, _about("event", schema.event.c.id), _events_within),
    Sealed(schema.status, _about("status", schema.status.c.identity), _statuses_within),
    Sealed(schema.quarantine, _about("quarantine", schema.quarantine.c.entry), _named_in(schema.quarantine)),
    Sealed(schema.upload, _about("upload", schema.upload.c.media_hash), _named_in(schema.upload)),
)


def units_of_messages(writing: Writing, messages: Iterable[str]) -> set[str]:
    """The units in which something of these messages is sealed: their words, their statuses, their files."""
    units: set[str] = set()
    ids = list(messages)
    message, status, media, key = schema.message.c, schema.status.c, schema.media.c, schema.message_key.c
    for start in range(0, len(ids), _AT_ONCE):
        chunk, connection = ids[start : start + _AT_ONCE], writing.connection
        rows = connection.execute(
            sa.select(message.conversation, message.month).distinct().where(message.tenant == writing.tenant, message.id.in_(chunk))
        )
        units |= {text_unit(row.conversation, row.month) for row in rows}
        hashes = sa.select(key.wamid_hash).where(key.tenant == writing.tenant, key.message.in_(chunk))
        of_statuses = sa.select(status.unit).distinct().where(status.tenant == writing.tenant, status.wamid_hash.in_(hashes))
        of_files = sa.select(media.unit).distinct().where(media.tenant == writing.tenant, media.message.in_(chunk))
        for query in (of_statuses, of_files):
            units |= {row.unit for row in connection.execute(query)}
    return units


def reseal(writing: Writing, unit: str) -> int:
    """Seal every row of the unit anew; how many. The unit's key must have been renewed in this transaction."""
    return sum(_reseal(writing, sealed, unit) for sealed in SEALED)


def unopenable(reading: Reading, unit: str) -> Iterator[tuple[sa.Table, list[Any]]]:
    """The rows that no key of the unit opens, each as the values of its key but for the tenant."""
    for sealed in SEALED:
        shut = [
            row
            for rows in _pages(reading, sealed, unit)
            for row in rows
            if not reading.sealer.opens(unit, row.sealed, about=sealed.about(row))
        ]
        if shut:
            yield sealed.table, shut


def _reseal(writing: Writing, sealed: Sealed, unit: str) -> int:
    table, count = sealed.table, 0
    keys = _keys_of(table)
    update = (
        sa.update(table)
        .where(table.c.tenant == writing.tenant, *(column == sa.bindparam(f"of_{column.name}") for column in keys))
        .values(sealed=sa.bindparam("to_sealed"))
    )
    for rows in _pages(writing, sealed, unit):
        anew: list[dict[str, Any]] = []
        for row in rows:
            plain = writing.sealer.open(unit, row.sealed, about=sealed.about(row))
            if plain is not None:
                again = writing.sealer.seal(unit, plain, about=sealed.about(row))
                anew.append({f"of_{column.name}": getattr(row, column.name) for column in keys} | {"to_sealed": again})
        if anew:
            writing.connection.execute(update, anew)
        count += len(rows)
    return count


def _pages(reading: Reading, sealed: Sealed, unit: str) -> Iterator[Sequence[Any]]:
    """The unit's rows in one table: their keys, and what is sealed."""
    table, within = sealed.table, sealed.within(reading.tenant, unit)
    keys = _keys_of(table)
    last: tuple[Any, ...] | None = None
    while within is not None:
        query = sa.select(*keys, table.c.sealed).where(table.c.tenant == reading.tenant, within).order_by(*keys).limit(_AT_ONCE)
        if last is not None:
            query = query.where(sa.tuple_(*keys) > sa.tuple_(*last))
        rows = reading.connection.execute(query).all()
        yield rows
        if len(rows) < _AT_ONCE:
            return
        last = tuple(rows[-1][: len(keys)])


def _keys_of(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.primary_key if column.name != "tenant"]


def reseal_files(archive: Archive, unit: str) -> int:
    """The unit's files, each replaced whole; how many. A second run changes nothing for the worse."""
    messages = _stored(archive, unit)
    for message in messages:
        reseal_file(archive, message, unit)
    return len(messages)


def _stored(archive: Archive, unit: str) -> list[str]:
    media = schema.media.c
    with archive.reading() as reading:
        query = sa.select(media.message).where(media.tenant == reading.tenant, media.unit == unit, media.state == "stored")
        return [row.message for row in reading.connection.execute(query)]


def remove_files(archive: Archive, messages: Iterable[str]) -> int:
    """Unlink these messages' files, as far as they are there; how many."""
    removed = 0
    for message in messages:
        forget_partial_files(archive, message)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file_of(archive, message))  # noqa: PTH108 suppress tells an absent file from one that could not be removed
            removed += 1
    return removed


def remove_shut_files(archive: Archive, unit: str) -> int:
    """Unlink the unit's files that no key opens any more; how many."""
    return remove_files(archive, [message for message in _stored(archive, unit) if not _opens(archive, message, unit)])


def _opens(archive: Archive, message: str, unit: str) -> bool:
    try:
        reader = open_file(archive, place_of(archive, message, unit))
        if reader is not None:
            with contextlib.closing(reader):
                next(iter(reader.pieces()), None)
    except DamagedStore:
        return False
    return True


def settle_renewed(archive: Archive) -> int:
    """Seal anew whatever stands under several keys, and destroy all but the newest of each; how many units. For restores, after which
    a unit may have keys of different ages."""
    names = archive.keys.renewed()
    for start in range(0, len(names), _UNITS_AT_ONCE):
        some = names[start : start + _UNITS_AT_ONCE]
        archive.write_now(lambda writing, some=some: [reseal(writing, unit) for unit in some])
        for unit in some:
            if unit.endswith("/media"):
                reseal_files(archive, unit)
    if names:
        archive.keys.settle(names, ())
    return len(names)
