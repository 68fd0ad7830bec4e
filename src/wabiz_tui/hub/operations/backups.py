"""Back up and restore the hub that a hub.toml names: which files, and who may have the archive open meanwhile."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from wabiz_tui.hub.archive.backup.dumping import Backup, Progress, back_up
from wabiz_tui.hub.archive.backup.restoring import Restored, refuse_half_restored, restore
from wabiz_tui.hub.archive.backup.stream import read_header
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.operations.secrets import HubSecrets, load_secrets
from wabiz_tui.hub.operations.settings import Settings, load_settings
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import UsageError, WabizError
from wabiz_tui.model.paths import make_private

CONTENT, KEYS = ".content", ".keys"


class Around(NamedTuple):
    """What a command brings along."""

    clock: Clock
    random_bytes: Callable[[int], bytes] = os.urandom
    environment: Mapping[str, str] = os.environ


def make_backup(config: Path, target: Path | None, keys: Path | None, around: Around, progress: Progress) -> list[Backup]:
    """`target` is a file, or a folder, in which content and keys get names with the time; without one the keys alone are backed up.

    The hub may serve meanwhile. Raises UsageError, StoreFull and its kin."""
    settings, secrets = _load(config, around)
    content, beside = _names(target, around.clock)
    wanted = keys if keys is not None else beside
    if wanted is None:
        raise UsageError("Say where the backup goes: a folder or a file, or with --keys FILE the keys alone.")
    if wanted == content:
        raise UsageError("Content and keys go into two files: whoever has both and the hub's secrets has everything.")
    with _opened(settings, secrets, around) as archive:
        refuse_half_restored(archive)
        return back_up(archive, secrets.seal_key, content=content, keys=wanted, progress=progress)


def restore_backup(
    config: Path, source: Path, keys: Sequence[Path], around: Around, progress: Progress, *, replace: bool = False
) -> Restored:
    """Fill the archive that hub.toml names from a file, or from the newest in a folder. Without `keys`, those beside it are taken, and
    in any case those that survived at the place.

    Raises Conflict while a hub serves the archive or where it is not empty, and what the backups are refused for."""
    settings, secrets = _load(config, around)
    content, beside = _newest(source, settings.hub.tenant)
    place = settings.place(secrets)
    make_private(place.media.parent)
    with place.held_alone(settings.hub.tenant), _opened(settings, secrets, around) as archive:
        files = [*keys] or beside
        if not files and not archive.keys.names("contact/") and not archive.keys.names("unit/"):
            raise UsageError("Without keys the content of a backup is noise; name a backup of the keys with --keys FILE.")
        return restore(archive, secrets.seal_key, content, files, replace=replace, progress=progress)


def _load(config: Path, around: Around) -> tuple[Settings, HubSecrets]:
    settings = load_settings(config)
    return settings, load_secrets(settings.secret_places, around.environment)


@contextmanager
def _opened(settings: Settings, secrets: HubSecrets, around: Around) -> Generator[Archive]:
    """As it lies there: what an earlier crash left undone is the hub's to do."""
    place = settings.place(secrets)
    archive = Archive(place, secrets.seal_key, tenant=settings.hub.tenant, clock=around.clock, random_bytes=around.random_bytes)
    try:
        yield archive
    finally:
        archive.close()


def _names(target: Path | None, clock: Clock) -> tuple[Path | None, Path | None]:
    if target is None:
        return None, None
    if target.is_dir():
        stamp = f"wabiz-{clock.now():%Y%m%dT%H%M%SZ}"
        return target / f"{stamp}{CONTENT}", target / f"{stamp}{KEYS}"
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.")
    return target, target.with_name(target.name.removesuffix(CONTENT) + KEYS)


def _newest(source: Path, tenant: str) -> tuple[Path, list[Path]]:
    """The content, and the keys that lie beside it."""
    if not source.is_dir():
        beside = source.with_name(source.name.removesuffix(CONTENT) + KEYS)
        return source, [beside] if beside.is_file() else []
    made: list[tuple[str, Path]] = []
    for path in sorted(source.glob(f"*{CONTENT}")):
        try:
            made.append((read_header(path, kind="content", tenant=tenant).created, path))
        except WabizError:  # of another hub, or no backup at all
            continue
    if not made:
        raise UsageError(f"There is no backup of this hub's content (*{CONTENT}) in {source}.")
    return max(made)[1], sorted(source.glob(f"*{KEYS}"))
