"""What is PostgreSQL's alone: where things lie in it, its address and password, and lines that break."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import FILE_KEY, NUMBER, open_at
from tests.support.hub_served import ENVIRONMENT
from wabiz_tui.hub.archive.addresses import is_server, normal_address, place_at
from wabiz_tui.hub.archive.postgresql import lock_number
from wabiz_tui.hub.archive.store import Writing, feed_head
from wabiz_tui.hub.secrets import SecretPlaces, load_secrets, make_own_keys
from wabiz_tui.model.errors import StoreError, StoreFull, UsageError
from wabiz_tui.model.secret import Secret

PASSWORD = "canary-of-a-password"


@pytest.fixture
def ground(new_ground: Callable[[str], Ground]) -> Ground:
    return new_ground("postgresql")


def tables(ground: Ground, schema: str) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1"
    with psycopg.connect(ground.address) as connection:
        return [row[0] for row in connection.execute(query, (schema,))]


def touch(writing: Writing) -> None:
    writing.touch("message", "m1")
    writing.sealer.seal("unit/a", b"x", about="y")


def test_keys_journal_and_months_have_schemas_of_their_own(ground: Ground) -> None:
    """Keys can be backed up apart from the content; this month and the next are ready before anybody writes."""
    ground.open().open_journal().stop()

    assert tables(ground, "wabiz_keys") == ["keys", "shares"]
    assert tables(ground, "wabiz_journal") == ["entry"]
    assert tables(ground, "wabiz_months") == ["message_2026_11", "message_2026_12"]
    assert not {"keys", "shares", "entry"} & set(tables(ground, "public"))


def test_a_wamid_is_one_whatever_its_month(ground: Ground) -> None:
    """Messages lie in the partition of their month; the key that makes a wamid unique is no part of any."""
    with ground.open().reading() as reading:
        partitioned = reading.connection.execute(sa.text("SELECT relname FROM pg_class WHERE relkind = 'p'")).scalars().all()
        unique = "SELECT indexdef FROM pg_indexes WHERE indexname = 'message_key_pkey'"
        key = reading.connection.execute(sa.text(unique)).scalar_one()

    assert partitioned == ["message"]
    assert key.endswith("(tenant, wamid_hash)")


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://hub:{PASSWORD}@db.example/archive",
        f"postgres://hub@db.example/archive?password={PASSWORD}",
        f"postgresql+psycopg://hub:{PASSWORD}@/archive?host=/run",
        f"postgresql://hub:{PASSWORD}@db.example:x y/archive",
    ],
)
def test_a_password_in_the_address_is_refused_unseen(address: str) -> None:
    """An address with a password, or that is none, is refused in a sentence that says where the password goes and never shows it."""
    with pytest.raises(UsageError) as refused:
        normal_address(address)

    assert PASSWORD not in str(refused.value)
    assert PASSWORD not in str(refused.value.__cause__ or "")


def test_the_command_refuses_a_password(tmp_path: Path) -> None:
    """`wabiz hub init` ends with 2 and one sentence, and leaves nothing."""
    command = [sys.executable, "-m", "wabiz_tui.cli.main", "hub", "init", "--archive", f"postgresql://hub:{PASSWORD}@127.0.0.1/a"]
    command += ["--waba-id", "7", "--phone-number-id", NUMBER, "--graph-token-env", "T_GRAPH", "--app-secret-env", "T_APP"]
    command += ["--verify-token-env", "T_VERIFY"]
    ended = subprocess.run(
        command, env=os.environ | ENVIRONMENT | {"WABIZ_HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "archive_password" in ended.stderr
    assert PASSWORD not in ended.stderr + ended.stdout
    assert not (tmp_path / "hub.toml").exists()


def test_the_password_is_read_from_its_file_and_shown_nowhere(ground: Ground, tmp_path: Path) -> None:
    """It is taken from archive_password in the secrets' folder, and is in no representation of place, engine or error."""
    make_own_keys(tmp_path / "own", os.urandom)
    (tmp_path / "own" / "archive_password").touch(0o600)
    (tmp_path / "own" / "archive_password").write_text(PASSWORD + "\n")
    places = SecretPlaces(tmp_path / "own", None, "T_GRAPH", "T_APP", "T_VERIFY")
    secrets = load_secrets(places, ENVIRONMENT)
    assert secrets.archive_password == Secret(PASSWORD)

    place = place_at(ground.address, FILE_KEY, password=secrets.archive_password, media=tmp_path)
    archive = open_at(place)
    with archive.reading() as reading:
        shown = repr(reading.connection.engine) + repr(reading.connection.engine.url)
    archive.close()

    gone = place_at("postgresql://hub@127.0.0.1:1/a", FILE_KEY, password=secrets.archive_password, media=tmp_path)
    with pytest.raises(StoreError, match=r"at 127\.0\.0\.1 cannot be reached") as refused:
        open_at(gone)
    assert PASSWORD not in shown + repr(place) + repr(secrets) + repr(vars(place)) + repr(refused.value) + repr(refused.value.__cause__)


async def test_commits_of_the_journal_take_turns(ground: Ground) -> None:
    """While another hub's commit is under way a webhook waits for it: no number becomes visible before a lower one."""
    archive = ground.open()
    journal = archive.open_journal()
    with psycopg.connect(ground.address) as other, psycopg.connect(ground.address, autocommit=True) as watcher:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (lock_number(f"journal/{archive.tenant}"),))
        insert = "INSERT INTO wabiz_journal.entry (tenant, day, at_ms, sealed) VALUES (%s, 'd', 0, '') RETURNING number"
        row = other.execute(insert, (archive.tenant,)).fetchone()
        assert row is not None
        appending = asyncio.ensure_future(journal.append(b"second"))
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        async with asyncio.timeout(30):
            while not appending.done() and watcher.execute(waiting).fetchone() is None:  # noqa: ASYNC110 the server tells nobody
                await asyncio.sleep(0.01)
        was_done = appending.done()
        other.commit()
        number = await asyncio.wait_for(appending, 30)

    journal.stop()
    assert not was_done
    assert number > row[0]


def test_a_database_that_may_not_be_written_is_told(ground: Ground) -> None:
    """A read-only server is told in a sentence, and nothing half-written is kept."""
    archive = ground.open()
    name = ground.address.split("@/")[1].split("?")[0]
    with psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    again = place_at(ground.address, FILE_KEY, media=ground.folder)

    with pytest.raises(StoreFull, match="may not be written"):
        open_at(again)
    assert archive.read_now(feed_head) == 0


def test_broken_lines_are_opened_again(ground: Ground) -> None:
    """After the server cut every line an attempt may fail, as a StoreError; nothing of it is kept and the next one succeeds."""
    archive = ground.open()
    archive.write_now(touch)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute(cut)
    failed = 0
    for _ in range(3):
        try:
            archive.write_now(lambda writing: writing.sealer.seal(writing.new_id(), b"x", about="y") and writing.touch("message", "m2"))
        except StoreError:
            failed += 1

    assert failed <= 1
    assert archive.read_now(feed_head) == 1 + 3 - failed


def test_a_server_is_known_by_its_scheme() -> None:
    """Addresses of PostgreSQL are kept as given, without the driver's name."""
    assert normal_address("postgres://hub@db.example/archive") == "postgresql://hub@db.example/archive"
    assert [is_server(address) for address in ("postgresql://x", "postgresql.db")] == [True, False]
