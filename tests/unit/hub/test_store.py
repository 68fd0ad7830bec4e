"""The archive's files, its transactions and the numbers of its changes."""

from pathlib import Path

import pytest
import sqlcipher3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.hub_archive import FILE_KEY, open_archive
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.addresses import normal_address
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.model.errors import ForeignFile, UsageError, WrongKey
from wabiz_tui.model.secret import Secret


def test_every_key_starts_with_the_tenant() -> None:
    """Every table's primary key begins with the tenant, so that the archive can be sharded by it."""
    assert {next(iter(table.primary_key)).name for table in schema.metadata.tables.values()} == {"tenant"}


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    """A plain SQLite file, a file of another kind and a wrong key are refused, and the file stays as it was."""
    open_archive(tmp_path).close()
    plain = tmp_path / "plain"
    plain.mkdir()
    with sqlcipher3.connect(str(plain / "archive.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    other = tmp_path / "other"
    other.mkdir()
    (other / "archive.db").write_bytes((tmp_path / "archive.db.keys").read_bytes())

    with pytest.raises(WrongKey, match=r"archive\.db"):
        open_archive(tmp_path, file_key=Secret(bytes(32)))
    with pytest.raises(ForeignFile, match=r"archive\.db is a plain SQLite"):
        open_archive(plain)
    with pytest.raises(ForeignFile, match=r"archive\.db"):
        open_archive(other)


def test_other_engines_are_refused_in_a_sentence() -> None:
    """A URL of another engine is refused by its kind; a path with a space is taken."""
    with pytest.raises(UsageError, match="mysql"):
        normal_address("mysql://somewhere/db")
    assert normal_address("/tmp/a b/archive.db") == "/tmp/a b/archive.db"  # noqa: S108 never opened


def test_destroyed_keys_leave_no_trace(tmp_path: Path) -> None:
    """A destroyed share is gone from the file and its log, decrypted page by page, and what it sealed stays shut."""
    archive = open_archive(tmp_path)
    archive.shares.make_now("share/device/1")
    archive.shares.make_now("share/device/2")
    before = pages_of(tmp_path / "archive.db.shares")
    wrapped = wrapped_value(archive, "share/device/1")

    archive.shares.destroy(["share/device/1"])

    assert archive.shares.find("share/device/1") is None
    assert archive.shares.find("share/device/2") is not None
    assert wrapped in before
    assert wrapped not in pages_of(tmp_path / "archive.db.shares")
    wal = tmp_path / "archive.db.shares-wal"
    assert not wal.exists() or wal.stat().st_size == 0
    archive.close()


def wrapped_value(archive: Archive, name: str) -> bytes:
    wrapped = archive.place.open_keys("shares", archive.tenant).find(name)
    assert wrapped is not None
    return wrapped


def pages_of(path: Path) -> bytes:
    """Every page of the file and of its log, decrypted with the raw key: free pages and slack among them."""
    pages = cut(path.read_bytes(), 4096)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        pages += [frame[24:] for frame in cut(wal.read_bytes()[32:], 4096 + 24)]
    return b"".join(decrypted(page) for page in pages)


def cut(raw: bytes, size: int) -> list[bytes]:
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def decrypted(page: bytes) -> bytes:
    """AES-256-CBC; the last 48 bytes of a page are its IV and its HMAC. The salt before page 1 is no multiple of a block's place."""
    decryptor = Cipher(algorithms.AES(FILE_KEY.reveal()), modes.CBC(page[-48:-32])).decryptor()
    body = page[:-48]
    both = decryptor.update(body)
    first = Cipher(algorithms.AES(FILE_KEY.reveal()), modes.CBC(page[-48:-32])).decryptor().update(body[16:])
    return both + first
