"""Lines to PostgreSQL: their bounds of time, text that a server cannot hold, and many that begin or ask at once."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import FILE_KEY, SEAL_KEY, HandClock, open_at, seeded
from tests.support.postgresql import Cluster
from wabiz_tui.hub.archive.engine.addresses import place_at
from wabiz_tui.hub.archive.events import load_numbers, note_number
from wabiz_tui.hub.archive.people import find_device
from wabiz_tui.hub.archive.store import Archive, Reading, Writing, feed_head
from wabiz_tui.model.errors import StoreError


@pytest.fixture
def ground(new_ground: Callable[[str], Ground]) -> Ground:
    return new_ground("postgresql")


def test_text_with_nul_is_unknown(ground: Ground) -> None:
    """An id with NUL, which text of a server cannot hold, is looked for and not found; told to the archive it is kept without."""
    archive = ground.open()

    def work(writing: Writing) -> None:
        note_number(writing, "1\x002", name="a\x00name")
        note_number(writing, "3")

    archive.write_now(work)

    assert archive.read_now(lambda reading: load_numbers(reading, ["1\x002", "3"])) == {"1\ufffd2": ("", "a\ufffdname"), "3": ("", "")}
    assert archive.read_now(lambda reading: find_device(reading, "\x00")) is None
    assert archive.keys.find("unit/\x00") is None


def test_a_server_ends_what_lasts_too_long(ground: Ground) -> None:
    """Requests' lines have bounds of time, which the operator's address may change."""
    archive = ground.open()
    own = open_at(place_at(f"{ground.address}&options=-c%20lock_timeout%3D7s", FILE_KEY, media=ground.folder))
    ground.opened.append(own)

    def bounds(reading: Reading) -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [str(reading.connection.execute(sa.text(f"SHOW {name}")).scalar()) for name in names]

    def sleep(reading: Reading) -> None:
        reading.connection.execute(sa.text("SET LOCAL statement_timeout = '10ms'"))
        reading.connection.execute(sa.text("SELECT pg_sleep(20)"))

    shown, changed = archive.read_now(bounds), own.read_now(bounds)
    with pytest.raises(StoreError, match="QueryCanceled"):
        archive.read_now(sleep)

    assert (shown, changed) == (["1min", "30s", "2min"], ["1min", "7s", "2min"])


def test_too_many_at_once_are_told_so(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all lines of the pool are taken for too long it is an error of the archive's, in a sentence."""
    archive = ground.open()
    monkeypatch.setattr(archive._engines.readers.pool, "_timeout", 0.01)  # half a minute is long for a test
    with contextlib.ExitStack() as taken:
        for _ in range(12):
            taken.enter_context(archive.reading())
        with pytest.raises(StoreError, match="busy"):
            archive.read_now(feed_head)

    assert archive.read_now(feed_head) == 0


def test_two_that_start_at_once_migrate_once(server: Cluster, tmp_path: Path) -> None:
    """Four hubs of two accounts begin on one empty database in the same moment: all open, over one schema."""
    address = server.url(server.database())
    opened: list[Archive] = []
    failures: list[BaseException] = []
    begin = threading.Barrier(4)

    def start(tenant: str) -> None:
        try:
            begin.wait(20)
            place = place_at(address, FILE_KEY, media=tmp_path)
            opened.append(Archive(place, SEAL_KEY, tenant=tenant, clock=HandClock(), random_bytes=seeded(1)))
        except BaseException as error:  # noqa: BLE001 told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=start, args=(tenant,)) for tenant in ("1", "1", "2", "2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heads = [archive.read_now(feed_head) for archive in opened]
    for archive in opened:
        archive.close()

    assert (failures, heads) == ([], [0, 0, 0, 0])
