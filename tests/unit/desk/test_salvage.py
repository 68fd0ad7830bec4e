"""A damaged outbox gives back what can be read of it, wherever the damage is and whenever the saving is killed."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.desk_samples import ident
from wabiz_tui.desk.cache import salvage
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.cache.salvage import mend
from wabiz_tui.model.errors import ForeignFile
from wabiz_tui.model.secret import Secret

KEY, OTHER = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))
PAGE = 4096
LETTERS, DRAFTS = 40, 60
AT = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp() * 1000)
_LETTER = """INSERT INTO letters (id, idempotency_key, conversation, state, written_at_ms, not_before_ms, asked, value)
VALUES (?, ?, ?, 'queued', ?, 0, x'00', ?)"""


def fill(path: Path, key: Secret = KEY) -> None:
    """Letters and drafts of a page each and less, so that damage takes some of them."""

    def work(connection: sqlite3.Connection) -> None:
        connection.executemany(_LETTER, [(f"l{n}", f"k{n}", ident(n), AT, b"x" * 1500) for n in range(LETTERS)])
        connection.executemany("INSERT INTO drafts VALUES (?, ?, NULL, 0)", [(ident(n), "y" * 700) for n in range(DRAFTS)])

    database = Database(path, key, Kind.OUTBOX)
    database.write_now(work)
    database.close()


def held(path: Path) -> tuple[set[str], set[str]]:
    database = Database(path, KEY, Kind.OUTBOX)
    try:
        return database.read_now(
            lambda connection: (
                {row[0] for row in connection.execute("SELECT id FROM letters WHERE length(value) = 1500")},
                {row[0] for row in connection.execute("SELECT conversation FROM drafts WHERE length(text) = 700")},
            )
        )
    finally:
        database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fill(tmp_path / "outbox.db")
    return tmp_path / "outbox.db"


def test_a_whole_outbox_is_left_alone(path: Path) -> None:
    """Nothing is moved or written where nothing is wrong."""
    before = path.read_bytes()

    assert mend(path, (KEY,)) is None
    assert path.read_bytes() == before


def test_one_bad_page_costs_what_is_on_it(path: Path) -> None:
    """Each page in turn: of the others everything is saved, in a file that opens, and the damaged one is kept."""
    whole = path.read_bytes()
    pages = len(whole) // PAGE
    saved_whole = 0
    for page in range(1, pages):
        path.write_bytes(whole[: page * PAGE] + bytes(PAGE) + whole[(page + 1) * PAGE :])
        saved = mend(path, (KEY,))
        assert saved is not None
        letters, drafts = held(path)
        assert (len(letters), len(drafts)) == (saved.letters, saved.drafts)
        saved_whole += len(letters) == LETTERS or len(drafts) == DRAFTS
        assert saved.aside.read_bytes()[page * PAGE : (page + 1) * PAGE] == bytes(PAGE)
    # A page belongs to one table: the other one is whole, save for the few that all hang from.
    assert saved_whole >= pages - 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_leaves_an_outbox_that_opens(path: Path, data: st.DataObject) -> None:
    """Flipped bytes, a cut file, zeroed pages and a log of rubbish: what is there afterwards was there before, and can be written."""
    whole = path.read_bytes()
    raw = bytearray(whole)
    kind = data.draw(st.sampled_from(["flips", "cut", "zeros", "log"]))
    if kind == "flips":
        for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=5)):
            raw[place] ^= 0x10
    elif kind == "cut":
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    elif kind == "zeros":
        start = data.draw(st.integers(0, len(raw) // PAGE - 1)) * PAGE
        raw[start : start + PAGE] = bytes(min(PAGE, len(raw) - start))
    else:
        path.with_name("outbox.db-wal").write_bytes(data.draw(st.binary(min_size=1, max_size=9000)))
    path.write_bytes(raw)

    mend(path, (KEY,))

    letters, drafts = held(path)
    assert letters <= {f"l{n}" for n in range(LETTERS)}
    assert drafts <= {ident(n) for n in range(DRAFTS)}
    path.write_bytes(whole)


def test_a_file_of_another_key_is_kept_and_one_of_the_former_key_is_saved(tmp_path: Path) -> None:
    """What opens with none of the keys gives nothing, and is there still; the former key opens what the new one does not."""
    path = tmp_path / "outbox.db"
    fill(path, OTHER)

    foreign = mend(path, (KEY,))
    assert foreign is not None
    assert (foreign.letters, foreign.drafts) == (0, 0)
    assert "kept as outbox-damaged-1.db" in foreign.notice
    foreign.aside.replace(path)
    saved = mend(path, (KEY, OTHER))
    assert saved is not None
    assert (saved.letters, saved.drafts) == (LETTERS, DRAFTS)
    assert [len(found) for found in held(path)] == [LETTERS, DRAFTS]


def test_a_file_that_is_no_outbox_is_refused_and_not_moved(tmp_path: Path) -> None:
    """A plain SQLite file in the place of the outbox is somebody else's."""
    path = tmp_path / "outbox.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.close()

    with pytest.raises(ForeignFile):
        mend(path, (KEY,))
    assert path.exists()


def _put_link(place: Path) -> None:
    place.symlink_to(place.with_name("elsewhere.db"))


PUT: dict[str, Callable[[Path], None]] = {"folder": Path.mkdir, "pipe": os.mkfifo, "link": _put_link}


@pytest.mark.parametrize("what", PUT)
def test_what_is_no_file_is_refused_by_name_and_left(tmp_path: Path, what: str) -> None:
    """Whoever put it in the place of the outbox may know where the letters are."""
    path = tmp_path / "outbox.db"
    fill(path)
    path.replace(tmp_path / "elsewhere.db")
    PUT[what](path)

    with pytest.raises(ForeignFile, match=f"{path} is a {what}"):
        mend(path, (KEY,))
    assert os.path.lexists(path)


@pytest.mark.parametrize("what", PUT)
@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_what_is_no_log_is_put_aside(path: Path, what: str, suffix: str) -> None:
    """The file beside it is read as it is."""
    PUT[what](path.with_name(path.name + suffix))

    assert mend(path, (KEY,)) is None
    assert [len(found) for found in held(path)] == [LETTERS, DRAFTS]


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("at", range(6))
def test_a_kill_while_saving_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """At each step on the disk: the next opening saves the same rows."""
    raw = bytearray(path.read_bytes())
    raw[-PAGE:] = bytes(PAGE)
    path.write_bytes(raw)
    whole = path.read_bytes()
    saved = mend(path, (KEY,))
    assert saved is not None
    wanted = held(path)
    saved.aside.unlink()
    path.write_bytes(whole)
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        if steps == at:
            raise _Killed
        steps += 1

    replace = Path.replace

    def replacing(source: Path, target: Path) -> Path:
        step()
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replacing)
        patch.setattr(salvage, "sync_folder", step)
        with suppress(_Killed):
            mend(path, (KEY,))

    mend(path, (KEY,))
    assert held(path) == wanted


def test_every_table_of_the_outbox_is_saved(path: Path) -> None:
    """A table that is added later has its line."""
    database = Database(path, KEY, Kind.OUTBOX)
    rows = database.read_now(lambda connection: connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall())
    database.close()

    assert {row[0] for row in rows} - {"sqlite_sequence"} == set(salvage._KEYS)  # pyright: ignore[reportPrivateUsage] the list itself is what is tested


async def test_letters_that_were_saved_go_on_in_their_order(path: Path) -> None:
    """The outbox reads them as it reads its own."""
    _spoil_end(path)
    mend(path, (KEY,))

    letters = Letters(path, KEY)
    assert await letters.count_drafts() > 0
    letters.close()


def _spoil_end(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-PAGE:] = bytes(PAGE)
    path.write_bytes(raw)
