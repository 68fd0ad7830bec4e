"""One desk a cache: the lock that its process holds from its first step to its last."""

import asyncio
import fcntl
import os
from pathlib import Path

from wabiz_tui.desk.process.socket_file import socket_path
from wabiz_tui.model.errors import Conflict, StoreFull
from wabiz_tui.model.paths import Paths

_ENDING_SECONDS = 20.0


def take_lock(folder: Path) -> int:
    """Hold the cache for this process until it ends. Raises Conflict with code desk_runs when another desk holds it."""
    try:
        descriptor = os.open(folder / "desk.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreFull(f"{folder} cannot be written: free some disk space, or check the folder.", path=folder) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Conflict(
            "Another desk already holds this cache; the screens and commands of this machine share it.", code="desk_runs"
        ) from error
    return descriptor


async def wait_for_lock(paths: Paths) -> int:
    """The lock, at once or as soon as a desk that is ending (its socket is gone already) has let go. Raises Conflict."""
    deadline = asyncio.get_running_loop().time() + _ENDING_SECONDS
    while True:
        try:
            return take_lock(paths.cache)
        except Conflict:
            if socket_path(paths).exists() or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.02)
