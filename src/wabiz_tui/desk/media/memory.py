"""A private folder that lies in memory, for what must never reach a disk: readable by its owner, empty again at lock and exit."""

import os
from contextlib import suppress
from pathlib import Path

from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.mounts import MOUNTS, file_system_of
from wabiz_tui.model.errors import Denied

_IN_MEMORY = ("tmpfs", "ramfs")
_SHARED = Path("/dev/shm")  # noqa: S108 not a file of ours: the machine's own memory file system, used with a checked folder in it


def memory_folder(name: str, *, candidates: "tuple[Path, ...] | None" = None, mounts: Path = MOUNTS) -> Path:
    """The folder `name` in the first place that is kept in memory: $XDG_RUNTIME_DIR, then /dev/shm. Made with mode 0700.

    Raises Denied where the machine has no such place, or the folder there is not ours alone."""
    places = candidates if candidates is not None else _candidates()
    for place in places:
        if place.is_dir() and file_system_of(place.resolve(), mounts) in _IN_MEMORY:
            folder = place / name
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            check_private_folder(folder)
            return folder
    raise Denied(
        "This machine has no place in memory that could lend a file to a viewer without writing it to a disk.", code="no_memory_place"
    )


def _candidates() -> tuple[Path, ...]:
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    return (*((Path(own),) if own else ()), _SHARED)
