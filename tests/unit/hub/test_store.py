"""The archive's files, its transactions and the numbers of its changes."""

import asyncio
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlcipher3
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.hub_archive import ARCHIVE_KEYS, open_archive
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engines import archive_path
from wabiz_tui.hub.archive.store import Archive, Writing, changes_since, feed_head
from wabiz_tui.model.errors import ForeignFile, NewerSchema, UsageError, WrongKey
from wabiz_tui.model.secret import Secret


def test_migrations_make_the_schema(tmp_path: Path) -> None:
    """What the migrations build is exactly what the tables of schema.py say."""
    archive = open_archive(tmp_path)

    with archive.reading() as reading:
        differences = compare_metadata(MigrationContext.configure(reading.connection), schema.metadata)

    archive.close()
    assert differences == []


def test_every_key_starts_with_the_tenant() -> None:
    """Every table's primary key begins with the tenant, so that the archive can be sharded by it."""
    assert {next(iter(table.primary_key)).name for table in schema.metadata.tables.values()} == {"tenant"}


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    """A plain SQLite file, a file of another kind and a wrong key are refused, and the file stays as it was."""
    open_archive(tmp_path).close()
    wrong = ARCHIVE_KEYS._replace(archive=Secret(bytes(32)))
    plain = tmp_path / "plain"
    plain.mkdir()
    with sqlcipher3.connect(str(plain / "archive.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    other = tmp_path / "other"
    other.mkdir()
    (other / "archive.db").write_bytes((tmp_path / "archive.db.keys").read_bytes())

    with pytest.raises(WrongKey, match=r"archive\.db"):
        open_archive(tmp_path, keys=wrong)
    with pytest.raises(ForeignFile, match=r"archive\.db is a plain SQLite"):
        open_archive(plain)
    with pytest.raises(ForeignFile, match=r"archive\.db"):
        open_archive(other)


def test_newer_archives_are_refused(tmp_path: Path) -> None:
    """An archive with a schema this program does not know is refused as newer."""
    archive = open_archive(tmp_path)
    with archive.writing() as writing:
        writing.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    archive.close()

    with pytest.raises(NewerSchema, match="9999"):
        open_archive(tmp_path)


def test_other_engines_are_refused_in_a_sentence() -> None:
    """A PostgreSQL URL is told that it comes later; a path with a space is taken."""
    with pytest.raises(UsageError, match="PostgreSQL"):
        archive_path("postgresql://somewhere/db")
    assert archive_path("/tmp/a b/archive.db") == Path("/tmp/a b/archive.db")  # noqa: S108 never opened


def test_an_entity_has_one_row_at_its_newest_number(tmp_path: Path) -> None:
    """Touching an entity again moves its one row; parents come before children within a transaction."""
    archive = open_archive(tmp_path)
    with archive.writing() as writing:
        writing.touch("message", "m1")
        writing.touch("conversation", "c1")
    with archive.writing() as writing:
        writing.touch("conversation", "c1")

    rows = archive.read_now(lambda reading: changes_since(reading, 0, 10))

    archive.close()
    assert [(row.seq, row.entity) for row in rows] == [(2, "message"), (3, "conversation")]


def test_a_failed_transaction_takes_no_number(tmp_path: Path) -> None:
    """What is rolled back leaves no change, no key and no gap."""
    archive = open_archive(tmp_path)

    def fail(writing: Writing) -> None:
        writing.touch("message", "m1")
        writing.sealer.seal("unit/x", b"secret", about="m1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        archive.write_now(fail)

    head = archive.read_now(feed_head)
    names = archive.keys.names("unit/")
    archive.close()
    assert (head, names) == (0, [])


def test_a_reader_never_finds_a_row_behind_its_cursor(tmp_path: Path) -> None:
    """While four threads write, a reader that follows the feed sees every entity although it never looks back."""
    archive = open_archive(tmp_path)
    seen: set[str] = set()
    failures: list[str] = []

    def write(name: str) -> None:
        for index in range(25):
            with archive.writing() as writing:
                writing.touch("message", f"{name}{index}")
                writing.touch("conversation", "shared")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    cursor = 0
    while any(thread.is_alive() for thread in threads) or cursor < archive.read_now(feed_head):
        for row in archive.read_now(lambda reading, since=cursor: changes_since(reading, since, 7)):
            if row.seq <= cursor:
                failures.append(row.id)
            cursor = row.seq
            seen.add(row.id)
    for thread in threads:
        thread.join()

    archive.close()
    assert failures == []
    assert seen == {"shared"} | {f"{name}{index}" for name in "abcd" for index in range(25)}


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
    return archive.shares._connection.execute("SELECT wrapped FROM sealed_key WHERE name = ?", (name,)).fetchone()[0]


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
    decryptor = Cipher(algorithms.AES(ARCHIVE_KEYS.archive.reveal()), modes.CBC(page[-48:-32])).decryptor()
    body = page[:-48]
    both = decryptor.update(body)
    first = Cipher(algorithms.AES(ARCHIVE_KEYS.archive.reveal()), modes.CBC(page[-48:-32])).decryptor().update(body[16:])
    return both + first


async def test_reads_do_not_wait_for_a_write(tmp_path: Path) -> None:
    """A read started while a transaction is open answers from the state before it."""
    archive = open_archive(tmp_path)
    entered, leave = threading.Event(), threading.Event()

    def slow(writing: object) -> None:
        entered.set()
        assert leave.wait(20)

    write = asyncio.ensure_future(archive.write(slow))
    await asyncio.get_running_loop().run_in_executor(None, entered.wait)
    head = await archive.read(feed_head)
    leave.set()
    await write

    archive.close()
    assert head == 0
