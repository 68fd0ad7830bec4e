"""A damaged outbox: what can be read of it goes into a new file, and the damaged one is kept aside. These words have no other copy.

A kill at any instant leaves one of the two: until the damaged file is moved it is there to be read again, from then on the new
one is whole and only has to get its name.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple

from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.driver import database_files, open_connection, translated
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.files import sync_folder, what_stands_at
from wabiz_tui.model.errors import DamagedStore, ForeignFile, StoreError, WrongKey
from wabiz_tui.model.secret import Secret

_KEYS = {"letters": "turn", "drafts": "conversation", "attachments": "id", "meta": "name"}
"""The tables that are saved, by the column in whose order they lie."""
_MOST_PROBED = 5_000


class Saved(NamedTuple):
    """`aside` is where the damaged file is kept."""

    aside: Path
    letters: int
    drafts: int

    @property
    def notice(self) -> str:
        if not self.letters + self.drafts:
            return f"The outbox could not be read; it was kept as {self.aside.name} and a new one begun."
        saved = f"{self.letters} {_plural(self.letters, 'message')} and {self.drafts} {_plural(self.drafts, 'draft')}"
        return f"The outbox was damaged: {saved} could be saved, and the damaged file was kept as {self.aside.name}."


def mend(path: Path, keys: Sequence[Secret]) -> Saved | None:
    """See that `path` opens with the first of the keys and can be read to its end; None when it could, or when there is none. Of a
    damaged one, what any of the keys opens is saved under the first. Raises ForeignFile, NewerSchema, StoreFull."""
    if what_stands_at(path):
        # Nothing could be saved of it, and whoever put it there may know where the words are.
        raise ForeignFile(f"{path} is {what_stands_at(path)} and no file of wabiz; move it away.", path=path)
    _put_aside_what_is_no_file(path)
    draft = path.with_name(f"{path.name}.saved")
    if not path.exists() and draft.exists():
        # Killed before the new file had its name.
        draft.replace(path)
        sync_folder(path.parent)
    _remove(draft)
    if not path.exists() or _is_whole(path, keys[0]):
        return None
    rows = _rows_under(path, keys)
    _write(draft, keys[0], rows)
    aside = _free_name(path)
    for part, its_place in zip(database_files(path), database_files(aside), strict=True):
        # The log goes with its file: a new one must not find it.
        with suppress(FileNotFoundError):
            part.replace(its_place)
    sync_folder(path.parent)
    draft.replace(path)
    sync_folder(path.parent)
    return Saved(aside, _count(rows, "letters"), _count(rows, "drafts"))


def _put_aside_what_is_no_file(path: Path) -> None:
    """What stands in the place of a log, so that the file beside it can be read."""
    for part in database_files(path):
        if what_stands_at(part):
            part.replace(_free_name(part))


def _is_whole(path: Path, key: Secret) -> bool:
    """Every page is read: the authentication of a page that nobody reads tells nothing. About a millisecond per MiB."""
    try:
        with closing(open_connection(path, key, is_reader=True)) as connection, translated(path):
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except (WrongKey, DamagedStore):
        return False


def _rows_under(path: Path, keys: Sequence[Secret]) -> dict[str, list[dict[str, Any]]]:
    for key in keys:
        rows = _rows_of_file(path, key)
        if rows is not None:
            return rows
    return {}


def _rows_of_file(path: Path, key: Secret) -> dict[str, list[dict[str, Any]]] | None:
    """All rows that can be read, by table; None when the key does not open the file."""
    try:
        open_connection(path, key, is_reader=True).close()
    except WrongKey:
        return None
    except DamagedStore:
        return {}
    return {table: list(_rows_of_table(path, key, table, column)) for table, column in _KEYS.items()}


def _rows_of_table(path: Path, key: Secret, table: str, column: str) -> Iterator[dict[str, Any]]:
    """From both ends up to the damage; and where rows are numbered, each number between."""
    seen: set[object] = set()
    for order in ("", "DESC"):
        for row in _rows(path, key, f"SELECT * FROM {table} ORDER BY {column} {order}"):  # noqa: S608 names of our schema
            if row[column] in seen:
                break
            seen.add(row[column])
            yield row
    numbers = sorted(number for number in seen if isinstance(number, int))
    if not numbers:
        return
    missing = [number for number in range(numbers[0], numbers[-1]) if number not in seen]
    for number in missing[:_MOST_PROBED]:
        yield from _rows(path, key, f"SELECT * FROM {table} WHERE {column} = {number}")  # noqa: S608 likewise, and a number


def _rows(path: Path, key: Secret, query: str) -> Iterator[dict[str, Any]]:
    """Until the end or the damage. A connection of its own: after one unreadable page the cipher refuses all others."""
    with suppress(StoreError), closing(open_connection(path, key, is_reader=True)) as connection, translated(path):
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


def _write(path: Path, key: Secret, rows: dict[str, list[dict[str, Any]]]) -> None:
    with closing(Database(path, key, Kind.OUTBOX)) as made:
        made.write_now(lambda connection: _put(connection, rows))


def _put(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    for table, found in rows.items():
        known = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        for row in found:
            names = [name for name in row if name in known]
            marks = ", ".join("?" * len(names))
            statement = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 names of our schema
            connection.execute(statement, [row[name] for name in names])


def _count(rows: dict[str, list[dict[str, Any]]], table: str) -> int:
    """Of letters, those that the feed has not brought: of the others only a key was kept."""
    return sum(row.get("state") != "settled" for row in rows.get(table, []))


def _remove(file: Path) -> None:
    for part in database_files(file):
        part.unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    number = 1
    while any(map(os.path.lexists, database_files(aside := path.with_name(f"{path.stem}-damaged-{number}{path.suffix}")))):
        number += 1
    return aside


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
