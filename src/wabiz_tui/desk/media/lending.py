"""Lend a file to a viewer: in memory alone, under a name of our own, for a while."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from wabiz_tui.desk.files import full
from wabiz_tui.desk.media.memory import memory_folder
from wabiz_tui.model.desk import Lent

LENT_FOR = timedelta(minutes=10)
# By what Meta takes as media (cloud-api, media types). Whatever else a customer sends gets a name that no program acts on.
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
    "text/plain": ".txt",
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}


def ending_of(mime_type: str) -> str:
    """The ending a file of this type is given, whatever its sender called it."""
    return _ENDINGS.get(mime_type.partition(";")[0].strip().lower(), ".bin")


class Lender:
    """Keeps what is lent in `folder()`, which lies in memory. Everything is taken back at `take_back`, and after `LENT_FOR`."""

    def __init__(self, folder: Callable[[], Path], *, now: Callable[[], datetime]) -> None:
        self._find_folder, self._now = folder, now
        self._lent: dict[str, tuple[Lent, asyncio.TimerHandle]] = {}

    async def lend(self, message: str, mime_type: str, pieces: Callable[[Callable[[bytes], None]], Awaitable[None]]) -> Lent:
        """A file that `pieces` fills. Lent again, it is the same file for longer. Raises Denied where nothing lies in memory."""
        known = self._known(message)
        if known is not None:
            return self._keep(message, known)
        path = self._find_folder() / f"{secrets.token_hex(8)}{ending_of(mime_type)}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                await pieces(lambda piece: _write(file.write, piece))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise full(path, error) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        known = self._known(message)
        if known is not None:
            # Somebody asked at the same time, and has it: one that nobody knows of would be taken back by nobody.
            path.unlink(missing_ok=True)
            return self._keep(message, known)
        path.chmod(0o400)
        return self._keep(message, str(path))

    def take_back(self, messages: Iterable[str] | None = None) -> None:
        """Remove what was lent of these messages; everything, also what an earlier desk left, where none are named."""
        for message in list(self._lent if messages is None else messages):
            known = self._lent.pop(message, None)
            if known is not None:
                known[1].cancel()
                Path(known[0].path).unlink(missing_ok=True)
        if messages is None:
            clear_lent(self._find_folder)

    @property
    def lent(self) -> set[str]:
        return set(self._lent)

    def _known(self, message: str) -> str | None:
        """Where it lies, if it is lent; its time is to begin anew then."""
        known = self._lent.pop(message, None)
        if known is None:
            return None
        known[1].cancel()
        return known[0].path if os.path.lexists(known[0].path) else None

    def _keep(self, message: str, path: str) -> Lent:
        timer = asyncio.get_running_loop().call_later(LENT_FOR.total_seconds(), self.take_back, (message,))
        lent = Lent(path, self._now() + LENT_FOR)
        self._lent[message] = (lent, timer)
        return lent


def lent_folder(device: str) -> Path:
    """Where this device lends files. Raises Denied where the machine has no place in memory for them."""
    return memory_folder(f"wabiz-{device[:16]}")


def clear_lent(folder: Callable[[], Path]) -> None:
    """Remove every file that is lent there; a machine that has no such place has lent none."""
    from wabiz_tui.model.errors import Denied

    try:
        place = folder()
    except Denied:
        return
    for left in place.iterdir():
        if left.is_file() or left.is_symlink():
            left.unlink(missing_ok=True)


def _write(write: Callable[[bytes], int], piece: bytes) -> None:
    write(piece)
