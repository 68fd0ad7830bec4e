"""A private folder that lies in memory, for what must never reach a disk: readable by its owner, empty again at lock and exit."""

import os
from contextlib import suppress
from pathlib import Path

from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.model.errors import Denied

_IN_MEMORY = ("tmpfs", "ramfs")
_MOUNTS = Path("/proc/self/mounts")
_SHARED = Path("/dev/shm")  # noqa: S108 not a file of ours: the machine's own memory file system, used with a checked folder in it


def memory_folder(name: str, *, candidates: "tuple[Path, ...] | None" = None, mounts: Path = _MOUNTS) -> Path:
    """The folder `name` in the first place that is kept in memory: $XDG_RUNTIME_DIR, then /dev/shm. Made with mode 0700.

    Raises Denied where the machine has no such place, or the folder there is not ours alone."""
    places = candidates if candidates is not None else _candidates()
    kinds = _kinds(mounts)
    for place in places:
        if place.is_dir() and _kind_of(place.resolve(), kinds) in _IN_MEMORY:
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


def _kinds(mounts: Path) -> dict[str, str]:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return {}
    # The fields are separated by blanks; a blank within a path is written \040. A later mount on the same place hides the earlier.
    rows = [line.split(" ") for line in lines]
    return {row[1].replace("\\040", " "): row[2] for row in rows if len(row) > 2}


def _kind_of(path: Path, kinds: dict[str, str]) -> str:
    for place in (path, *path.parents):
        if str(place) in kinds:
            return kinds[str(place)]
    return ""
