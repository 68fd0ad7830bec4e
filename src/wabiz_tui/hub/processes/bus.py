"""What the processes over one archive tell each other: a topic and a short text. Nothing of it is kept.

`Writing.tell` tells with a transaction: after its commit, or not at all. `Bus.tell_now` tells without one. This process hears
itself in the thread that told; the others hear within milliseconds, on PostgreSQL. An archive in a file has one process.

A text is no place for content or names: a server keeps it in plain files until everybody has read it. Ids only.
"""

import asyncio
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

import structlog

from wabiz_tui.hub.archive.engine.places import Signals
from wabiz_tui.model.errors import StoreError

CHANGES = "changes"
"""Something was committed: the head of the feed."""
FOLDED = "folded"
"""The journal is in the archive up to this entry."""
JOURNAL = "journal"
"""A process that does not fold wrote to the journal."""
POLICY = "policy"
"""Another version may be in force."""
DEVICE_REVOKED = "device_revoked"
"""The id of a device."""

MOST_BYTES = 7000
"""The longest text: PostgreSQL takes less than 8000 bytes with what stands around it."""

Handler = Callable[[str], object]
log = structlog.get_logger("hub.bus")


class Told(NamedTuple):
    topic: str
    text: str = ""


class Bus:
    """`on` and `tell_now` are for any thread. Handlers are quick and raise nothing; one with a `loop` is called in it, soon."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._handlers: dict[str, list[Handler]] = {}
        self._gaps: list[Callable[[], object]] = []
        self._outbox: SimpleQueue[Told | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._lock = Lock()

    @property
    def is_shared(self) -> bool:
        """Whether there may be other processes at all."""
        return self._signals.is_shared

    def on(self, topic: str, handler: Handler, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Call the handler with each text of this topic, from this process and the others."""
        with self._lock:
            self._handlers.setdefault(topic, []).append(handler if loop is None else lambda text: _soon(loop, handler, text))

    def on_gap(self, handler: Callable[[], object], *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Call the handler when the others may have told what was not heard: at the start, and after the line was broken."""
        with self._lock:
            self._gaps.append(handler if loop is None else lambda: _soon(loop, handler))

    def tell_now(self, topic: str, text: str = "") -> None:
        """Tell at once, without a transaction; returns before the others hear. While the line is broken they never do.

        Raises ValueError for a text beyond MOST_BYTES."""
        told = checked(Told(topic, text))
        self.hear(told)
        if self._signals.is_shared and self._threads:
            self._outbox.put(told)

    def hear(self, told: Told) -> None:
        """Call this process's handlers, in this thread."""
        with self._lock:
            handlers = tuple(self._handlers.get(told.topic, ()))
        for handler in handlers:
            try:
                handler(told.text)
            except Exception as error:  # noqa: BLE001 what was told is done already: one handler's failure is neither the teller's nor the next one's
                log.error("handler_failed", topic=told.topic, error=type(error).__name__)  # noqa: TRY400 its words may hold what a customer wrote

    def start(self) -> None:
        """Listen to the others from now on, and tell them."""
        if self._threads or not self._signals.is_shared:
            return
        listening = Thread(target=lambda: self._signals.listen(self.hear_told, self._missed), name="bus-listener", daemon=True)
        telling = Thread(target=self._tell, name="bus-teller", daemon=True)
        self._threads = [listening, telling]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """What was told before is still sent."""
        self._outbox.put(None)
        for thread in self._threads[1:]:
            thread.join()
        self._signals.stop()
        for thread in self._threads:
            thread.join()
        self._signals.close()

    def hear_told(self, topic: str, text: str) -> None:
        self.hear(Told(topic, text))

    def _missed(self) -> None:
        with self._lock:
            gaps = tuple(self._gaps)
        for handler in gaps:
            try:
                handler()
            except Exception as error:  # noqa: BLE001 as above: the next one must hear of it all the same
                log.error("handler_failed", topic="gap", error=type(error).__name__)  # noqa: TRY400 likewise

    def _tell(self) -> None:
        while True:
            told = self._outbox.get()
            batch = [] if told is None else [told]
            while not self._outbox.empty():
                more = self._outbox.get()
                told = told if more is not None else None
                batch += [more] if more is not None else []
            try:
                if batch:
                    self._signals.send(list(dict.fromkeys(batch)))
            except StoreError as error:
                log.warning("not_told", code=error.code, count=len(batch))
            if told is None:
                return


def checked(told: Told) -> Told:
    """Raises ValueError for what is too long to be told."""
    if len(told.text.encode()) > MOST_BYTES or len(told.topic) > 64:
        raise ValueError(f"What one process tells the others is at most {MOST_BYTES} bytes.")
    return told


def in_one(told: Sequence[Told]) -> list[Told]:
    """Each once, in the order of the last time it was told."""
    return list(dict.fromkeys(reversed(told)))[::-1]


def _soon(loop: asyncio.AbstractEventLoop, handler: Callable[..., object], *given: str) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(handler, *given)
