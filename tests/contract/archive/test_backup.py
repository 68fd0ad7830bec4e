"""Backups of either engine, restored to either engine: the same archive, without what was erased since."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import ENGINES, Ground
from tests.contract.archive.test_erasure import BOB, contact_of, erase, found, image, need, say, texts_of
from tests.support.hub_archive import SEAL_KEY
from tests.support.hub_dump import dump
from tests.support.hub_folding import fold_bodies, fold_values
from wabiz_tui.hub.archive.backup import restoring
from wabiz_tui.hub.archive.backup.dumping import back_up
from wabiz_tui.hub.archive.backup.restoring import Restored, refuse_half_restored, restore
from wabiz_tui.hub.archive.erasure.erasing import erase_contact
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.archive.files import keep_file, read_file, settle_media, unit_of_media
from wabiz_tui.hub.archive.sealing import derive
from wabiz_tui.hub.archive.store import Archive, changes_since, feed_head
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.model.content import plain_text
from wabiz_tui.model.errors import BadInput, Conflict, DamagedStore, ForeignFile, NewerSchema, StoreError, WrongKey


class Killed(BaseException):
    """The process ends here."""


def quiet(_rows: int, _bytes: int) -> None: ...


def saved(archive: Archive, folder: Path, name: str = "one") -> tuple[Path, Path]:
    content, keys = folder / f"{name}.content", folder / f"{name}.keys"
    back_up(archive, SEAL_KEY, content=content, keys=keys, progress=quiet)
    return content, keys


def restored(archive: Archive, content: Path, *keys: Path, replace: bool = False) -> Restored:
    return restore(archive, SEAL_KEY, content, keys, replace=replace, progress=quiet)


def filled(archive: Archive) -> None:
    fold_values(archive, say(archive, "stays"), say(archive, "goes"), say(archive, "of bob", sender=BOB), image(archive, "picture"))
    fold_bodies(archive, b'{"entry": [')
    archive.write_now(lambda writing: record(writing, Act("test.done")))
    message = need(archive, "picture")
    unit = archive.read_now(lambda reading: unit_of_media(reading, message.id)) or ""
    keep_file(archive, message.id, unit, b"a picture" * 150_000)
    archive.write_now(lambda writing: settle_media(writing, message.id, "stored", size=1_350_000))


def file_of(archive: Archive) -> bytes | None:
    message = need(archive, "picture")
    return read_file(archive, message.id, archive.read_now(lambda reading: unit_of_media(reading, message.id)) or "")


@pytest.fixture(params=[ENGINES, ENGINES[::-1]], ids="-to-".join)
def grounds(request: pytest.FixtureRequest, new_ground: Callable[[str], Ground]) -> tuple[Ground, Ground]:
    """Where the backup is made, and where it is restored: on the other engine."""
    return new_ground(request.param[0]), new_ground(request.param[1])


def test_a_restored_archive_is_the_one_backed_up(grounds: tuple[Ground, Ground], tmp_path: Path) -> None:
    """Every row, key and file is there on the other side, on whichever engine; the log goes on from its own root, and the feed begins
    above all that was seen."""
    source, target = (ground.open() for ground in grounds)
    filled(source)
    expected, head = dump(source), source.read_now(feed_head)

    content, keys = saved(source, tmp_path)
    told = restored(target, content, keys)

    found_there = dump(target)
    for table in expected:
        if table not in ("audit_entry", "audit_node"):
            assert found_there[table] == expected[table], table
    assert found_there["audit_entry"][: len(expected["audit_entry"])]
    assert file_of(target) == b"a picture" * 150_000
    assert told.counts.files == 1
    changes = target.read_now(lambda reading: changes_since(reading, head + 1000, 999))
    assert len(changes) == len(expected["change"])
    assert b"stays" not in content.read_bytes()
    fold_values(target, say(target, "later"))
    assert plain_text(need(target, "later").content) == "later"


def test_what_was_erased_after_the_backup_does_not_come_back(ground: Ground, new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """With the keys of then and the tombstones of now: what was erased is gone and told as removed, its neighbours in the same unit are
    read again, and redelivery does not help it back."""
    source, target = ground.open(), new_ground(ground.engine).open()
    filled(source)
    goes, contact = need(source, "goes"), contact_of(source, BOB)
    content, old_keys = saved(source, tmp_path)
    erase(source, "goes")
    source.write_now(lambda writing: erase_contact(writing, contact, Act("contact.erased", about=contact)))
    _, new_keys = saved(source, tmp_path, "two")

    told = restored(target, content, old_keys, new_keys)

    assert (told.erased.messages, told.erased.contacts) == (2, 1)
    assert (found(target, "goes"), found(target, "of bob")) == (None, None)
    assert plain_text(need(target, "stays").content) == "stays"
    assert [name for name in target.keys.names("") if contact in name] == target.keys.renewed() == []
    changes = target.read_now(lambda reading: changes_since(reading, 0, 999))
    assert {("message", goes.id), ("contact", contact)} <= {(row.entity, row.id) for row in changes}
    fold_values(target, say(target, "goes"), say(target, "of bob", sender=BOB))
    assert (found(target, "goes"), texts_of(target, BOB)) == (None, [])


def test_without_the_keys_of_then_an_erased_unit_stays_shut(ground: Ground, new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """The newest keys alone open all but the units that an erasure sealed anew since: so erasure reaches content backups once the old
    keys' backups are gone."""
    source = ground.open()
    filled(source)
    content, _ = saved(source, tmp_path)
    erase(source, "goes")
    _, keys = saved(source, tmp_path, "two")

    target = new_ground(ground.engine).open()
    restored(target, content, keys)

    assert (found(target, "goes"), found(target, "stays")) == (None, None)
    assert plain_text(need(target, "of bob").content) == "of bob"


def test_surviving_keys_and_journal_are_used(ground: Ground, tmp_path: Path) -> None:
    """Restored over the place it came from: keys, tombstones and journal that are there still count, so that nothing erased comes back
    and what was acknowledged after the backup is folded again."""
    archive = ground.open()
    filled(archive)
    content, keys = saved(archive, tmp_path)
    erase(archive, "goes")
    position = archive.read_now(fold_position)

    told = restored(archive, content, keys, replace=True)

    assert told.erased.messages == 1
    assert found(archive, "goes") is None
    assert plain_text(need(archive, "stays").content) == "stays"
    assert archive.read_now(fold_position) == position


def test_journal_entries_not_yet_folded_are_in_a_backup(grounds: tuple[Ground, Ground], tmp_path: Path) -> None:
    """What was acknowledged and not folded comes with the backup, under numbers that folding will reach."""
    source, target = (ground.open() for ground in grounds)
    filled(source)
    journal = source.place.open_journal(source.tenant)
    day = source.clock.now().date().isoformat()
    key_made = source.keys.make_now(f"journal/{day}")
    journal.add(day, 1, [b"folded"] * source.read_now(fold_position))
    journal.add(day, 1, [b"sealed one", b"sealed two"])
    journal.close()

    content, keys = saved(source, tmp_path)
    told = restored(target, content, keys)

    again = target.place.open_journal(target.tenant)
    entries = [entry.sealed for entry in again.after(target.read_now(fold_position), 99)]
    again.close()
    assert entries == [b"sealed one", b"sealed two"]
    assert (told.counts.journal, target.keys.find(f"journal/{day}")) == (2, key_made)


def test_a_full_archive_is_not_overwritten_unasked(ground: Ground, tmp_path: Path) -> None:
    """A restore over rows is refused; asked to replace them, nothing of them stays."""
    archive = ground.open()
    filled(archive)
    content, keys = saved(archive, tmp_path)
    fold_values(archive, say(archive, "after"))

    with pytest.raises(Conflict, match="not empty"):
        restored(archive, content, keys)
    restored(archive, content, keys, replace=True)

    assert found(archive, "after") is None
    assert plain_text(need(archive, "stays").content) == "stays"


def test_a_restore_cut_short_is_told_and_can_be_begun_again(
    ground: Ground, new_ground: Callable[[str], Ground], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle: the place says so to whoever opens it, and a second restore makes it whole."""
    source = ground.open()
    filled(source)
    content, keys = saved(source, tmp_path)
    target_ground = new_ground(ground.engine)
    target = target_ground.open()

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "check_audit_log", die)
        with pytest.raises(Killed):
            restored(target, content, keys)
    again = target_ground.open(seed=3)
    with pytest.raises(StoreError, match="did not come to its end"):
        refuse_half_restored(again)

    restored(again, content, keys)

    refuse_half_restored(again)
    assert plain_text(need(again, "stays").content) == "stays"


def test_a_backup_is_one_moment_while_the_hub_writes(ground: Ground, new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """What commits while the backup runs is not in it, and what an erasure replaces meanwhile still opens: the backup is one moment's."""
    source = ground.open()
    filled(source)
    before = dump(source)
    happened: list[str] = []

    def meanwhile(_rows: int, _bytes: int) -> None:
        if not happened:
            happened.append("once")
            fold_values(writer, say(writer, "during"))
            erase(writer, "goes")

    writer = ground.open(seed=5)
    content, keys = tmp_path / "content", tmp_path / "keys"
    back_up(source, SEAL_KEY, content=content, keys=keys, progress=meanwhile)
    target = new_ground(ground.engine).open()
    fresh_keys = tmp_path / "fresh"
    back_up(source, SEAL_KEY, content=None, keys=fresh_keys, progress=quiet)
    restored(target, content, keys)

    assert happened
    assert len(dump(target)["message"]) == len(before["message"]) - 1
    assert (found(target, "during"), found(target, "goes")) == (None, None)
    assert plain_text(need(target, "stays").content) == "stays"


def backup_of(folder: Path, new_ground: Callable[[str], Ground]) -> tuple[Path, Path]:
    archive = new_ground("sqlcipher").open()
    filled(archive)
    return saved(archive, folder)


def test_a_changed_backup_is_refused(new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """Cut short at any chunk, a byte changed, a chunk repeated or swapped, a foreign key or kind: each is refused, by name."""
    content, keys = backup_of(tmp_path, new_ground)
    whole = content.read_bytes()
    start = whole.index(b"\n") + 1 + 16
    chunk = 1024 * 1024 + 16
    assert start + chunk < len(whole) < start + 2 * chunk
    broken = {
        "cut": whole[:-1],
        "cut at a chunk": whole[: start + chunk],
        "longer": whole + b"x",
        "changed": whole[:-400] + bytes([whole[-400] ^ 1]) + whole[-399:],
        "repeated": whole[: start + chunk] + whole[start:],
        "header": whole.replace(b'"created":"2026', b'"created":"2025', 1),
    }
    target = new_ground("sqlcipher").open()
    for name, raw in broken.items():
        path = tmp_path / "broken"
        path.write_bytes(raw)
        with pytest.raises((DamagedStore, WrongKey)):
            restored(target, path, keys, replace=True)
        assert name
    for error, path in ((BadInput, keys), (ForeignFile, Path(__file__))):
        with pytest.raises(error):
            restored(target, path, keys, replace=True)
    with pytest.raises(WrongKey):
        restore(target, derive(SEAL_KEY, "other"), content, [keys], replace=True, progress=quiet)
    with pytest.raises(StoreError, match="There is no"):
        restored(target, tmp_path / "absent", keys, replace=True)

    restored(target, content, keys, replace=True)


def test_backups_of_newer_programs_are_refused_by_name(new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """A later format or a later schema than this program knows ends the restore before anything is touched."""
    content, keys = backup_of(tmp_path, new_ground)
    later = tmp_path / "later"
    later.write_bytes(content.read_bytes().replace(b'"version":1', b'"version":2', 1))
    target = new_ground("sqlcipher").open()
    with pytest.raises(NewerSchema, match="format 2"):
        restored(target, later, keys)
    source = new_ground("sqlcipher").open()
    with source.writing() as writing:
        writing.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    content, keys = saved(source, tmp_path, "newer")
    with pytest.raises(NewerSchema, match="9999"):
        restored(target, content, keys)

    refuse_half_restored(target)


def test_a_backup_that_fails_leaves_no_file(ground: Ground, tmp_path: Path) -> None:
    """When it cannot be finished, neither the file nor a part of it is left, and an older one of that name stays."""
    archive = ground.open()
    filled(archive)
    content, keys = saved(archive, tmp_path)
    before = content.read_bytes()

    def fail(_rows: int, _bytes: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="no room"):
        back_up(archive, SEAL_KEY, content=content, keys=keys, progress=fail)

    assert content.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["one.content", "one.keys"]


def test_a_killed_backup_leaves_nothing_under_its_name(new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """Killed in the middle of writing, there is no file of that name to be taken for a backup."""
    ground = new_ground("sqlcipher")
    filled(ground.open())
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.support.hub_archive import SEAL_KEY, open_archive\n"
        "from wabiz_tui.hub.archive.backup.dumping import back_up\n"
        "folder, out = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "die = lambda rows, size: os.kill(os.getpid(), signal.SIGKILL)\n"
        "back_up(open_archive(folder), SEAL_KEY, content=out / 'content', keys=out / 'keys', progress=die)\n"
    )
    out = tmp_path / "out"
    out.mkdir()

    ended = subprocess.run([sys.executable, "-c", program, str(ground.folder), str(out)], check=False, cwd=Path.cwd(), timeout=60)

    assert ended.returncode == -signal.SIGKILL
    assert {path.suffix for path in out.iterdir()} == {".part"}
