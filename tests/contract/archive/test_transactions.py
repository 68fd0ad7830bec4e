"""Transactions of the archive and the numbers of its changes, on both engines."""

import asyncio
import contextlib
import random
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tests.contract.archive.conftest import Ground
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Archive, Writing, changes_since, feed_head
from wabiz_tui.model.errors import Conflict, NewerSchema


def test_migrations_make_the_schema(ground: Ground) -> None:
    """What the migrations build is what the tables of schema.py say."""
    with ground.open().reading() as reading:
        differences = compare_metadata(MigrationContext.configure(reading.connection), schema.metadata)

    assert differences == []


def test_newer_archives_are_refused(ground: Ground) -> None:
    """An archive with a schema this program does not know is refused as newer."""
    with ground.open().writing() as writing:
        writing.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NewerSchema, match="9999"):
        ground.open()


def test_an_entity_has_one_row_at_its_newest_number(ground: Ground) -> None:
    """Touching an entity again moves its one row; parents come before children within a transaction."""
    archive = ground.open()
    with archive.writing() as writing:
        writing.touch("message", "m1")
        writing.touch("conversation", "c1")
    with archive.writing() as writing:
        writing.touch("conversation", "c1")

    rows = archive.read_now(lambda reading: changes_since(reading, 0, 10))

    assert [(row.seq, row.entity) for row in rows] == [(2, "message"), (3, "conversation")]


def test_a_failed_transaction_takes_no_number(ground: Ground) -> None:
    """What is rolled back leaves no change, no key and no gap."""
    archive = ground.open()

    def fail(writing: Writing) -> None:
        writing.touch("message", "m1")
        writing.sealer.seal("unit/x", b"secret", about="m1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        archive.write_now(fail)

    assert (archive.read_now(feed_head), archive.keys.names("unit/")) == (0, [])


def test_one_act_that_fails_afterwards_keeps_nothing_from_the_others(ground: Ground) -> None:
    """The transaction is durable by then: every act is done and listeners hear of the change before the error is raised."""
    archive, done, heads = ground.open(), list[str](), list[int]()
    archive.listeners.append(heads.append)

    def fail() -> None:
        raise ZeroDivisionError

    def work(writing: Writing) -> None:
        writing.touch("message", "m1")
        writing.afterwards(fail)
        writing.afterwards(lambda: done.append("second"))

    with pytest.raises(ZeroDivisionError):
        archive.write_now(work)

    assert (done, heads, archive.read_now(feed_head)) == (["second"], [1], 1)


def fail_at_times(chance: random.Random) -> None:
    if chance.random() < 0.3:
        raise ZeroDivisionError


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reader_never_finds_a_row_behind_its_cursor(ground: Ground, seed: int) -> None:
    """While four writers in two hubs write, with pauses before their commits and some taken back, a reader that follows the feed of
    either sees every entity that was committed, none that was taken back, and never a row at or below where it stands."""
    hubs = [ground.open(seed=1), ground.open(seed=2)]
    seen: list[set[str]] = [set(), set()]
    cursors, failures = [0, 0], list[Any]()
    committed: set[str] = {"shared"}

    def write(name: str, archive: Archive) -> None:
        chance = random.Random(f"{seed}{name}")
        try:
            for index in range(15):
                with contextlib.suppress(ZeroDivisionError), archive.writing() as writing:
                    writing.touch("message", f"{name}{index}")
                    writing.touch("conversation", "shared")
                    if chance.random() < 0.3:
                        writing.number_changes()  # whatever holds the numbers: here for longer than a commit would
                    time.sleep(chance.choice((0, 0, 0.001, 0.005)))
                    fail_at_times(chance)
                    committed.add(f"{name}{index}")
        except Exception as error:  # noqa: BLE001 told by the assertion below
            failures.append(error)

    def follow(place: int, limit: int) -> None:
        hub = hubs[place]
        rows = hub.read_now(lambda reading: changes_since(reading, cursors[place], limit))
        failures.extend(row for row in rows if row.seq <= cursors[place])
        seen[place] |= {row.id for row in rows}
        cursors[place] = rows[-1].seq if rows else cursors[place]

    threads = [threading.Thread(target=write, args=(name, hubs[place % 2])) for place, name in enumerate("abcd")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or min(cursors) < hubs[0].read_now(feed_head):
        for place in (0, 1):
            follow(place, limit=7)
    for thread in threads:
        thread.join()
    everything = hubs[0].read_now(lambda reading: changes_since(reading, 0, 1000))

    assert failures == []
    assert seen == [committed, committed]
    assert {row.id for row in everything} == committed
    assert len({row.seq for row in everything}) == len(everything)


async def test_reads_do_not_wait_for_a_write(ground: Ground) -> None:
    """A read started while a transaction is open answers from the state before it."""
    archive = ground.open()
    entered, leave = threading.Event(), threading.Event()

    def slow(writing: Writing) -> None:
        writing.touch("message", "m1")
        writing.number_changes()
        entered.set()
        assert leave.wait(20)

    write = asyncio.ensure_future(archive.write(slow))
    await asyncio.get_running_loop().run_in_executor(None, entered.wait, 20)
    head = await archive.read(feed_head)
    leave.set()
    await write

    assert head == 0


def test_a_snapshot_stays_as_it_began(ground: Ground) -> None:
    """What commits while a reader reads is not in its later statements either."""
    archive = ground.open()
    with archive.reading() as reading:
        before = feed_head(reading)
        with archive.writing() as writing:
            writing.touch("message", "m1")
        after = feed_head(reading)

    assert (before, after, archive.read_now(feed_head)) == (0, 0, 1)


def test_an_archive_is_held_alone(ground: Ground) -> None:
    """Who holds the archive alone is told of a hub that serves it, and a hub of who holds it alone; afterwards it is free."""
    with ground.place().served("1"), pytest.raises(Conflict, match="serves"), ground.place().held_alone("1"):
        pass
    with ground.place().held_alone("1"), pytest.raises(Conflict), ground.place().served("1"):
        pass

    with ground.place().held_alone("1"):
        pass


def test_hubs_serve_a_file_alone_and_a_server_together(ground: Ground) -> None:
    """A second hub is refused on a file, in a sentence that names it, and welcome on a server."""
    refused = pytest.raises(Conflict, match="Another hub already serves") if ground.engine == "sqlcipher" else contextlib.nullcontext()

    with ground.place().served("1"), refused, ground.place().served("1"):
        pass
