"""Room on the hub's disk for what agents and programs bring: the webhooks of customers come first."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from wabiz_tui.model.errors import NoRoom

Refused = Callable[[str], None]
_SHARE = 20
"""Of a small disk no more is left free than a twentieth."""
_SENTENCE = "The hub has no room for another file now; try again in a few minutes."
_WAIT = timedelta(minutes=1)


def free_on_disk(folder: Path) -> int:
    """Bytes that are free where the folder is, or will be; plenty where nobody can tell: the writing itself will."""
    usage = _usage(folder)
    return 1 << 62 if usage is None else usage[1]


def size_of_disk(folder: Path) -> int:
    """Bytes of the disk that the folder is on, or will be; a big one where nobody can tell."""
    usage = _usage(folder)
    return 1 << 62 if usage is None else usage[0]


def _usage(folder: Path) -> tuple[int, int] | None:
    try:
        usage = shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists()))
    except (OSError, StopIteration):
        return None
    return usage.total, usage.free


class Room:
    """`most`: bytes of all uploads under way, on all devices and hub processes over one media folder. `least_free`: bytes that an
    upload leaves free on its disk, or a twentieth of a small one; only uploads are held to it. `refused` is told the reason, for the
    figures. All calls may block."""

    def __init__(
        self,
        folder: Path,
        *,
        most: int,
        least_free: int,
        free: Callable[[Path], int] = free_on_disk,
        size: Callable[[Path], int] = size_of_disk,
        refused: Refused = lambda _reason: None,
    ) -> None:
        self._folder, self._most, self._least_free = folder, most, least_free
        self._free, self._size, self._refused = free, size, refused

    def check(self, wanted: int, *, open_: int = 0, coming: int = 0) -> None:
        """Raises NoRoom where `wanted` bytes more would be too many beside `open_` (what all uploads under way will have), or would
        not leave enough free once `coming` (what they have yet to bring) is here too. Callers are not told which: what this
        machine's disk has is for its administrator."""
        if open_ + wanted > self._most:
            self._refused("uploads_full")
        elif self._free(self._folder) - coming - wanted < min(self._least_free, self._size(self._folder) // _SHARE):
            self._refused("disk_low")
        else:
            return
        raise NoRoom(_SENTENCE, retry_after=_WAIT)
