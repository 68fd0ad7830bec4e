"""What is PostgreSQL's alone: where things lie in it, its address and password, and lines that break."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import FILE_KEY, NUMBER, open_at
from tests.support.hub_served import ENVIRONMENT
from wabiz_tui.hub.archive.engine.addresses import is_server, normal_address, place_at
from wabiz_tui.hub.archive.engine.locks import lock_number
from wabiz_tui.hub.archive.engine.server_rows import KeysTable, Line
from wabiz_tui.hub.archive.store import Writing, feed_head
from wabiz_tui.hub.operations.secrets import SecretPlaces, load_secrets, make_own_keys
from wabiz_tui.hub.operations.settings import initialise
from wabiz_tui.model.errors import BadInput, Conflict, StoreError, StoreFull, UsageError
from wabiz_tui.model.paths import paths_under
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
        async with asyncio.timeout(60):
            while not appending.done() and watcher.execute(waiting).fetchone() is None:  # noqa: ASYNC110 the server tells nobody
                await asyncio.sleep(0.01)
        was_done = appending.done()
        other.commit()
        number = await asyncio.wait_for(appending, 60)

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


CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_keys_lost_with_their_line_take_their_content_with_them(ground: Ground) -> None:
    """The keys' line breaks under an open transaction and a reader opens it again: the transaction fails, it does not commit alone."""
    archive = ground.open()

    def work(writing: Writing) -> None:
        writing.touch("message", "m1")
        writing.sealer.seal("unit/lost", b"x", about="y")
        with psycopg.connect(ground.address, autocommit=True) as connection:
            connection.execute(CUT + " AND query LIKE '%wabiz_keys%' AND state = 'idle in transaction'")
        with contextlib.suppress(StoreError):
            archive.keys.find("unit/another")
        archive.keys.find("unit/another")

    with pytest.raises(StoreError):
        archive.write_now(work)

    assert archive.read_now(feed_head) == 0
    assert archive.keys.find("unit/lost") is None
    archive.write_now(touch)
    assert archive.read_now(feed_head) == 1


def test_keys_of_a_failed_statement_are_not_said_to_be_kept(ground: Ground) -> None:
    """A statement fails amid the keys' transaction, which the server then takes back however it is ended: committing raises."""
    line = Line("the database", lambda: psycopg.connect(ground.address, autocommit=True), ground.place().translated)
    keys = KeysTable(line, "keys", "1")
    keys.add("lost", b"wrapped")
    with pytest.raises(psycopg.Error):
        line.open().execute("SELECT 1/0")

    with pytest.raises(StoreError):
        keys.commit()
    keys.rollback()

    assert keys.names("") == []
    keys.close()


def test_a_key_that_could_not_be_kept_at_once_is_made_again(ground: Ground) -> None:
    """After `make_now` failed the key is known to nobody; the next call makes one that is there after a restart."""
    archive = ground.open()
    archive.keys.names("")
    with psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
        connection.execute(
            "CREATE CONSTRAINT TRIGGER shut AFTER INSERT ON wabiz_keys.keys DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        with pytest.raises(StoreError):
            archive.keys.make_now("journal/1")
        connection.execute("DROP TRIGGER shut ON wabiz_keys.keys")
    key = archive.keys.make_now("journal/1")

    assert ground.open().keys.find("journal/1") == key


def test_a_hold_that_broke_is_taken_again_or_given_up(ground: Ground) -> None:
    """The line that holds the archive is cut: the hub takes it again, and ends with Conflict where another was quicker."""
    place = ground.place()
    with place.held_alone("1") as hold, psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute(CUT)
        hold()
        with pytest.raises(Conflict), ground.place().held_alone("1"):
            pass
        connection.execute(CUT)
        with ground.place().held_alone("1"), pytest.raises(Conflict):
            hold()


def test_a_hub_is_not_set_up_over_anothers_archive(ground: Ground, tmp_path: Path) -> None:
    """With other keys, the same account in the same database is refused, and no second administrator is made."""

    def set_up(home: Path) -> None:
        initialise(
            paths_under(home),
            archive=ground.address,
            waba_id="77",
            phone_number_ids=[NUMBER],
            graph_url="http://127.0.0.1:9",
            clock=ground.clock,
            random_bytes=os.urandom,
            environment=ENVIRONMENT,
            graph_token_env="T_GRAPH",
            app_secret_env="T_APP",
            verify_token_env="T_VERIFY",
        )

    set_up(tmp_path / "one")
    with pytest.raises(BadInput, match="does not open with this hub's seal key"):
        set_up(tmp_path / "two")

    assert not (tmp_path / "two" / "hub.toml").exists()
    with psycopg.connect(ground.address) as connection:
        assert connection.execute("SELECT count(*) FROM person WHERE tenant = '77'").fetchone() == (1,)


@pytest.mark.parametrize(
    ("address", "environment", "is_demanded"),
    [
        ("postgresql://hub@db.example/a", {}, True),
        ("postgresql:///a?hostaddr=192.0.2.1", {}, True),
        ("postgresql:///a", {"PGHOST": "db.example"}, True),
        ("postgresql:///a", {"PGHOSTADDR": "192.0.2.1"}, True),
        ("postgresql:///a?host=localhost,db.example", {}, True),
        ("postgresql:///a?service=main", {}, True),
        ("postgresql:///a?host=/run/postgresql", {}, False),
        ("postgresql://127.0.0.1/a", {}, False),
        ("postgresql:///a", {}, False),
        ("postgresql://hub@db.example/a", {"PGSSLMODE": "verify-full"}, False),
    ],
)
def test_tls_is_demanded_of_every_other_machine(
    address: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_demanded: bool
) -> None:
    """However the other machine is named: by host or address, in the URL, the environment or a service; the user's own mode stays."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked: list[dict[str, object]] = []

    def connect(_address: str, **options: object) -> None:
        asked.append(options)
        raise psycopg.OperationalError

    monkeypatch.setattr(psycopg, "connect", connect)
    with pytest.raises(StoreError):
        place_at(address, FILE_KEY, media=tmp_path).open("1")

    assert (asked[0].get("sslmode") == "require") is is_demanded


def test_a_writer_reads_what_stands_there_once_its_turn_came(ground: Ground) -> None:
    """Whatever isolation is the database's default, two writers in two processes count on from each other."""
    name = ground.address.split("@/")[1].split("?")[0]
    with psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'".encode())
    archive, number = ground.open(), lock_number(f"write/{ground.open(seed=2).tenant}")
    with psycopg.connect(ground.address) as other, psycopg.connect(ground.address, autocommit=True) as watcher:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (number,))
        other.execute("INSERT INTO feed_head (tenant, seq) VALUES (%s, 7)", (archive.tenant,))
        with ThreadPoolExecutor(1) as pool:
            written = pool.submit(archive.write_now, touch)
            for _ in range(3000):
                if watcher.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone():
                    break
                time.sleep(0.01)
            other.commit()
            written.result(30)

    assert archive.read_now(feed_head) == 8
