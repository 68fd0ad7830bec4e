"""How long a key store may take: a desktop may wait for ever for a click that nobody makes."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from wabiz_tui.model.errors import NoKeyStore

T = TypeVar("T")
SECONDS = 3.0


class Patience:
    """One span of time, begun when it is made, for all that is done within it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)

    def within(self, work: Callable[[], T], name: str) -> T:
        """Run `work` on a thread of its own that is left behind when it hangs. Every failure becomes a NoKeyStore of one sentence."""
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except Exception as error:  # noqa: BLE001 a backend may raise anything; what it was is told below
                failed.append(error)

        left = self.left()
        if left > 0:
            thread = threading.Thread(target=run, daemon=True, name="key-store")
            thread.start()
            thread.join(left)
        if failed and isinstance(failed[0], NoKeyStore):
            raise failed[0]
        if failed:
            raise NoKeyStore(f"{name} does not work here ({told(failed[0])}).") from failed[0]
        if not done:
            raise NoKeyStore(f"{name} did not answer within {self.seconds:g} seconds.")
        return done[0]


def told(error: BaseException) -> str:
    """What another program or library said, on one short line."""
    words = " ".join(str(error).split())[:160].rstrip(".")
    return words or type(error).__name__
