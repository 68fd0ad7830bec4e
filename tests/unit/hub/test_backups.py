"""Backups of the hub that a hub.toml names: files and their names, refusals, and moving an archive elsewhere."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.hub_archive import NUMBER, TENANT, HandClock, seeded
from tests.support.hub_served import ENVIRONMENT
from wabiz_tui.cli.commands import invoke
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.auditlog import log_size
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.operations.backups import Around, make_backup, restore_backup
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import initialise, load_settings, open_archive
from wabiz_tui.model.errors import Conflict, StoreError, UsageError
from wabiz_tui.model.paths import paths_under


class Place(NamedTuple):
    config: Path
    around: Around

    def open(self) -> Archive:
        settings = load_settings(self.config)
        secrets = load_secrets(settings.secret_places, ENVIRONMENT)
        return open_archive(settings, secrets, clock=self.around.clock, random_bytes=seeded(7))

    def entries(self) -> int:
        archive = self.open()
        try:
            return archive.read_now(log_size)
        finally:
            archive.close()


def quiet(_rows: int, _bytes: int) -> None: ...


@pytest.fixture
def place(tmp_path: Path) -> Place:
    paths = paths_under(tmp_path / "hub")
    clock = HandClock()
    initialise(
        paths,
        archive=str(tmp_path / "hub" / "archive.db"),
        waba_id=TENANT,
        phone_number_ids=[NUMBER],
        graph_url="http://127.0.0.1:9",
        graph_token_env="T_GRAPH",
        app_secret_env="T_APP",
        verify_token_env="T_VERIFY",
        clock=clock,
        random_bytes=seeded(),
        environment=ENVIRONMENT,
    )
    return Place(paths.config / "hub.toml", Around(clock, seeded(3), ENVIRONMENT))


def test_a_folder_is_filled_and_restored_from(place: Place, tmp_path: Path) -> None:
    """Content goes into the folder under the time's name, keys where --keys says; the newest of the folder is restored elsewhere, by
    naming another archive in hub.toml."""
    folder, keys = tmp_path / "content", tmp_path / "monday.keys"
    folder.mkdir()
    (folder / "foreign.content").write_text("no backup\n")
    before = place.entries()

    made = make_backup(place.config, folder, keys, place.around, quiet)
    toml = place.config.read_text()
    place.config.write_text(toml.replace("archive.db", "moved.db"))
    done = restore_backup(place.config, folder, [keys], place.around, quiet)

    assert [one.kind for one in made] == ["content", "keys"]
    assert sorted(path.name for path in folder.iterdir()) == ["foreign.content", "wabiz-20261122T120000Z.content"]
    assert keys.stat().st_mode & 0o777 == 0o600
    assert done.counts.rows == made[0].counts.rows
    assert place.entries() == before + 1
    moved = place.open()
    assert [person.role for person in moved.read_now(load_people).values()] == ["admin"]
    moved.close()


def test_keys_beside_the_content_are_found(place: Place, tmp_path: Path) -> None:
    """Without --keys a file of keys is written beside the content, and read from there."""
    make_backup(place.config, tmp_path / "one.content", None, place.around, quiet)

    assert (tmp_path / "one.keys").is_file()
    with pytest.raises(Conflict, match="--replace"):
        restore_backup(place.config, tmp_path / "one.content", [], place.around, quiet)
    assert restore_backup(place.config, tmp_path / "one.content", [], place.around, quiet, replace=True).counts.rows


def test_content_without_any_keys_is_refused(place: Place, tmp_path: Path) -> None:
    """Neither given nor beside nor surviving: a sentence says that the content is noise."""
    make_backup(place.config, tmp_path / "one.content", tmp_path / "apart", place.around, quiet)
    for path in (tmp_path / "hub").glob("archive.db*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    with pytest.raises(UsageError, match="noise"):
        restore_backup(place.config, tmp_path / "one.content", [], place.around, quiet)


def test_keys_alone_can_be_backed_up(place: Place, tmp_path: Path) -> None:
    """Without a target the keys are backed up, and nothing else; without both there is nothing to do."""
    made = make_backup(place.config, None, tmp_path / "hourly.keys", place.around, quiet)

    assert [one.kind for one in made] == ["keys"]
    assert made[0].counts.keys
    with pytest.raises(UsageError, match="--keys"):
        make_backup(place.config, None, None, place.around, quiet)
    with pytest.raises(UsageError, match="two files"):
        make_backup(place.config, tmp_path / "one", tmp_path / "one", place.around, quiet)


def test_a_served_archive_is_not_restored_over(place: Place, tmp_path: Path) -> None:
    """While a hub holds the archive it can be backed up and not restored."""
    settings = load_settings(place.config)
    held = settings.place(load_secrets(settings.secret_places, ENVIRONMENT))
    with held.held_alone(TENANT):
        make_backup(place.config, tmp_path / "one.content", None, place.around, quiet)
        with pytest.raises(Conflict):
            restore_backup(place.config, tmp_path / "one.content", [], place.around, quiet, replace=True)


def test_a_half_restored_archive_is_not_served(place: Place) -> None:
    """Whoever opens it is told to restore again."""
    archive = place.open()

    def mark(writing: Writing) -> None:
        put(writing.connection, schema.restoration, [{"tenant": TENANT, "begun_ms": 1}])

    archive.write_now(mark)
    archive.close()

    with pytest.raises(StoreError, match="restore` again"):
        place.open()


@pytest.mark.parametrize("words", [["restore", ".", "--replace"], ["backup", "absent/one", "--config", "absent.toml"]])
def test_refusals_on_the_command_line_are_sentences(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not confirmed, or no hub there: a usage error."""
    monkeypatch.setenv("WABIZ_HOME", str(tmp_path))

    with pytest.raises(UsageError):
        invoke(["hub", *words])
