"""Open an encrypted database with a raw key, and translate the driver's errors; the one file here that knows the driver."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any, cast

import sqlcipher3.dbapi2 as _untyped

from wabiz_tui.desk.files import what_stands_at
from wabiz_tui.model.errors import DamagedStore, ForeignFile, StoreError, StoreFull, WrongKey
from wabiz_tui.model.secret import Secret

# The driver is a fork of the standard library's sqlite3 with the same interface and no type stubs.
_driver = cast("Any", _untyped)
_KEY = re.compile(r"[0-9a-f]{64}")
_PLAIN = b"SQLite format 3\x00"
BESIDE = ("-wal", "-shm", "-journal")
_CORRUPT, _NOT_A_DATABASE, _FULL, _READ_ONLY, _IO, _CANNOT_OPEN, _BUSY = 11, 26, 13, 8, 10, 14, 5
# What the driver has no adapter for it searches protocols for, at 1.7 µs a value: more than storing it takes. These are bound as they are.
_driver.register_adapter(bytes, bytes)
_driver.register_adapter(bool, int)
_driver.register_adapter(type(None), lambda nothing: nothing)  # pyright: ignore[reportUnknownLambdaType] it is None
# Below this the "WAL-reset" fault can damage a database that several connections write: https://sqlite.org/wal.html
_OLDEST_SAFE = (3, 51, 3)


def open_connection(path: Path, key: Secret, *, is_reader: bool = False) -> Connection:
    """A connection in autocommit mode, keyed and with the pragmas of docs/threat-model.md; it may move between threads.

    Raises ForeignFile for a plain SQLite file, WrongKey when the first page does not open, StoreFull, DamagedStore."""
    _refuse_unsafe()
    for part in database_files(path):
        if what_stands_at(part):
            raise DamagedStore(f"{part.name} is {what_stands_at(part)} and no file.", path=path)
    refuse_plain(path)
    with translated(path):
        connection = cast("Connection", _driver.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=256))
        try:
            _set_key(connection, key)
            _read_first_page(connection, path)
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            if is_reader:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
    return connection


_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # An acknowledged write is on the disk: NORMAL loses the last ones at a power cut.
    "PRAGMA synchronous = FULL",
    # Every 16 MiB and not every four: random pages of the indexes are sealed and written to the file once for many commits.
    "PRAGMA wal_autocheckpoint = 4096",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
)


def keep_no_log(connection: Connection) -> None:
    """For a database that is made whole or not at all: each page is sealed and written once. A statement that fails spoils it."""
    for pragma in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA locking_mode = EXCLUSIVE"):
        connection.execute(pragma)


def database_files(path: Path) -> tuple[Path, ...]:
    """Where a database lies: its file, and what SQLite keeps beside it."""
    return path, *(path.with_name(path.name + suffix) for suffix in BESIDE)


def _refuse_unsafe() -> None:
    if _driver.sqlite_version_info < _OLDEST_SAFE:
        raise StoreError(f"SQLite {_driver.sqlite_version} can damage databases; install sqlcipher3 with SQLite 3.51.3 or later.")


def refuse_plain(path: Path) -> None:
    """Raises ForeignFile for a database whose first page anybody can read."""
    if path.exists():
        with path.open("rb") as file:
            if file.read(16) == _PLAIN:
                raise ForeignFile(f"{path.name} is an unencrypted SQLite database, not a file of wabiz; move it away.", path=path)


def _set_key(connection: Connection, key: Secret) -> None:
    hexadecimal = key.reveal().hex()
    # SQLCipher takes a raw key of any other length for a passphrase, without an error.
    if _KEY.fullmatch(hexadecimal) is None:
        raise StoreError("A database key must be exactly 32 bytes.")
    # The library reports a failed page on stderr, which is the agent's screen.
    connection.execute("PRAGMA cipher_log_level = NONE")
    # The key statement takes no bound parameter; what is put in is 64 hexadecimal digits, checked above.
    connection.execute(f"PRAGMA key = \"x'{hexadecimal}'\"")
    connection.execute("PRAGMA cipher_hmac_algorithm = HMAC_SHA256")


def _read_first_page(connection: Connection, path: Path) -> None:
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except _driver.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) != _NOT_A_DATABASE:
            raise
        raise WrongKey(f"{path.name} does not open with this key: it belongs to another device or epoch, or it is damaged.") from error


@contextmanager
def translated(path: Path | None = None) -> Generator[None]:
    """Turn the driver's errors into ours. Statements and values never enter the sentence."""
    try:
        yield
    except _driver.Error as error:
        raise _ours(error, path) from error


def _ours(error: Exception, path: Path | None) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = path.name if path is not None else "the database"
    if code in (_CORRUPT, _NOT_A_DATABASE):
        return DamagedStore(f"{name} is damaged and cannot be read.", path=path)
    if code in (_FULL, _READ_ONLY, _CANNOT_OPEN):
        return StoreFull(f"{name} cannot be written: free some disk space, or make its folder writable.", path=path)
    if code == _IO:
        return StoreFull(f"{name} cannot be read or written: the disk is full or failing.", path=path)
    if code == _BUSY:
        return StoreError(f"{name} is in use by another program.", path=path)
    # What is left are mistakes of this program; the driver's own words name tables and columns, never values.
    return StoreError(f"{name}: {error}", path=path)


def versions() -> tuple[str, str]:
    """SQLite's and SQLCipher's. Raises StoreError for a SQLite that is known to damage databases."""
    _refuse_unsafe()
    connection = _driver.connect(":memory:")
    try:
        return str(_driver.sqlite_version), str(connection.execute("PRAGMA cipher_version").fetchone()[0])
    finally:
        connection.close()
