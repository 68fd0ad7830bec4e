"""One hub an archive: the lock that its process holds while it serves."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from wabiz_tui.hub.archive.store import beside
from wabiz_tui.model.errors import Conflict, StoreError


@contextmanager
def held_alone(archive: Path) -> Generator[None]:
    """Hold the archive for this process. The kernel lets go when the process ends, however it ends. Raises Conflict, StoreError.

    Two hubs would number and fold one journal twice, and send to Meta what the other takes for interrupted."""
    path = beside(archive, ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); check its folder.", path=path) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"Another hub already serves {archive}; end it first.", code="hub_runs") from error
        yield
    finally:
        os.close(descriptor)
