"""Open one SQLCipher file of the hub with its raw key, and refuse by name what is not ours or not readable."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2

from wabiz_tui.model.errors import DamagedStore, ForeignFile, NewerSchema, StoreError, StoreFull, WrongKey
from wabiz_tui.model.secret import Secret

ARCHIVE_ID = 0x57426172  # "WBar"
KEYS_ID = 0x57426B65  # "WBke"
JOURNAL_ID = 0x57426A6F  # "WBjo"
PLAIN_HEADER = b"SQLite format 3\0"

driver: Any = sqlcipher3.dbapi2  # it ships no types; its names are those of sqlite3
Connection = Any


def connect(path: Path, key: Secret, *, application_id: int, timeout: float = 10.0) -> Connection:
    """A connection in autocommit mode, WAL, synchronous=FULL (acknowledged means on disk; security.md §1 decision 9).

    A file that is absent or empty becomes ours. Raises ForeignFile, WrongKey, DamagedStore, StoreFull."""
    raw_key = key.reveal()
    if len(raw_key) != 32:  # any other length would be taken for a passphrase without a word (security.md §2.1)
        raise WrongKey(f"The key of {path.name} must be 32 bytes.")
    _refuse_plain(path)
    if not path.exists():
        _make_private_file(path)
    with translated(path):
        connection = driver.connect(str(path), timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        with translated(path):
            connection.execute(f"PRAGMA key = \"x'{raw_key.hex()}'\"")
            connection.execute("PRAGMA cipher_hmac_algorithm = HMAC_SHA256")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA trusted_schema = OFF")
            _check_owner(connection, path, application_id)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def check_version(connection: Connection, path: Path, *, known: int) -> int:
    """The file's user_version. Raises NewerSchema when a newer wabiz wrote it."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > known:
        raise NewerSchema(f"{path.name} was written by a newer wabiz (schema {found}, known {known}); update this installation.", path=path)
    return found


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Turn the driver's errors into errors of ours, with a sentence about this file."""
    try:
        yield
    except driver.Error as error:
        raise store_error(error, path) from error


def store_error(error: BaseException, path: Path) -> StoreError:
    """The error of ours for an error of the driver's."""
    text = str(error).lower()
    if "full" in text:
        return StoreFull(f"There is no room left to write {path.name}; make room, nothing half-written was kept.", path=path)
    if "readonly" in text or "read-only" in text:
        return StoreFull(f"{path.name} may not be written; check its owner and the file system.", path=path)
    if "malformed" in text or "not a database" in text:
        return DamagedStore(f"{path.name} cannot be read: a page is damaged.", path=path)
    return StoreError(f"{path.name} could not be used ({type(error).__name__}).", path=path)


def _refuse_plain(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{path.name} cannot be opened: {error.strerror}.", path=path) from error
    if start == PLAIN_HEADER:
        raise ForeignFile(f"{path.name} is a plain SQLite database, not one of wabiz's; name another file.", path=path)


def _make_private_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}.", path=path) from error


def _check_owner(connection: Connection, path: Path, application_id: int) -> None:
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except driver.DatabaseError as error:
        if "not a database" not in str(error):
            raise
        raise WrongKey(f"The key does not open {path.name}, or it is no file of wabiz's.") from error
    found = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if found == application_id:
        return
    if found or tables:
        raise ForeignFile(f"{path.name} is not the kind of file wabiz expects there; name another one.", path=path)
    connection.execute(f"PRAGMA application_id = {application_id}")
