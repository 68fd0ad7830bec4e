"""A disk without room, for as long as a test wants."""

import resource
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def full_above(size: int) -> Generator[None]:
    """No file of this process may grow beyond `size` bytes, as on a disk that is full (setrlimit(2), RLIMIT_FSIZE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    earlier = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, earlier)


def largest_in(folder: Path) -> int:
    """Bytes of the largest database or log below it."""
    return max(path.stat().st_size for path in folder.rglob("*.db*"))
