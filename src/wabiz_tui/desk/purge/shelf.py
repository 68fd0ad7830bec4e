"""The cache files in their folder: one an epoch, the highest that is whole is the cache; everything else is left over."""

import os
import re
from pathlib import Path

from wabiz_tui.desk.cache.driver import database_files
from wabiz_tui.desk.files import destroy, full, sync_folder

_FILE = re.compile(r"cache-(\d{1,9})\.db")
_LOST = "lost-"


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, epoch: int) -> Path:
        return self.folder / f"cache-{epoch}.db"

    def draft(self, epoch: int) -> Path:
        """Where the file of an epoch is built; it becomes `path(epoch)` by one rename."""
        return self.folder / f"cache-{epoch}.part"

    def epochs(self) -> list[int]:
        """Of the files that are whole, highest first."""
        found = (_FILE.fullmatch(entry.name) for entry in self.folder.iterdir())
        return sorted((int(matched[1]) for matched in found if matched is not None), reverse=True)

    def flush(self, epoch: int) -> None:
        """What is written of an epoch's draft is on the disk."""
        descriptor = os.open(self.draft(epoch), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise full(self.draft(epoch), error) from error
        finally:
            os.close(descriptor)

    def publish(self, epoch: int) -> None:
        """The switch: from here on this epoch's file is the cache. The file is on the disk before its name is."""
        self.flush(epoch)
        self.draft(epoch).replace(self.path(epoch))
        sync_folder(self.folder)

    def destroy_file(self, path: Path) -> None:
        """A database with what lies beside it; the log first, for it has the newest pages."""
        file, *beside = database_files(path)
        for part in (*beside, file):
            destroy(part)

    def destroy_up_to(self, epoch: int) -> None:
        """All files of this epoch and those before it."""
        for older in self.epochs():
            if older <= epoch:
                self.destroy_file(self.path(older))

    def lose(self, epoch: int) -> None:
        """Destroy a cache that has no successor yet. That it was there is noted beside it, so that a kill loses no receipt."""
        (self.folder / f"{_LOST}{epoch}").touch(mode=0o600)
        sync_folder(self.folder)
        self.destroy_file(self.path(epoch))

    def lost(self) -> int | None:
        """The newest epoch whose cache was destroyed and may have no receipt."""
        found = (entry.name.removeprefix(_LOST) for entry in self.folder.glob(f"{_LOST}*"))
        return max((int(number) for number in found if number.isdecimal()), default=None)

    def forget_lost(self) -> None:
        """There is a receipt for each."""
        for entry in self.folder.glob(f"{_LOST}*"):
            entry.unlink(missing_ok=True)

    def clear_drafts(self) -> None:
        """What a rebuild that was killed has left, and files that were set aside."""
        for pattern in ("cache-*.part", "damaged-*.db"):
            for left in self.folder.glob(pattern):
                self.destroy_file(left)

    def everything(self) -> list[Path]:
        """Every database file of a cache that is in the folder."""
        return sorted(path for pattern in ("cache-*.db*", "cache-*.part*", "damaged-*.db*") for path in self.folder.glob(pattern))
