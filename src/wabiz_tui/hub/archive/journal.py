"""The webhook journal: raw bodies made durable before the 200, sealed by a key per day.

One thread owns the writing: requests that arrive while a commit is under way share the next one, without a time window
(limits.md decision 5).
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from wabiz_tui.hub.archive.engine.places import JournalRows
from wabiz_tui.hub.archive.keystore import KeyStore
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import StoreError, WabizError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MOST_IN_A_COMMIT = 512
_KEPT_DAYS = 7  # as long as Meta redelivers: what folding got wrong can be folded again


class JournalEntry(NamedTuple):
    number: int
    raw: bytes
    at_ms: int


class _Waiting(NamedTuple):
    raw: bytes
    future: "asyncio.Future[int]"


class _Round(NamedTuple):
    """What one round of a loop handed in. It goes to the writing thread as one: each word to another thread costs both of them time."""

    loop: asyncio.AbstractEventLoop
    waiting: list[_Waiting]


class Journal:
    """`append` is for the event loop, `read_after` and `purge` for any thread. `stop` makes durable what was handed in."""

    def __init__(self, rows: JournalRows, keys: KeyStore, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._rows, self._keys, self._clock, self._random = rows, keys, clock, random_bytes
        self._queue: SimpleQueue[_Round | None] = SimpleQueue()
        self._round: _Round | None = None
        self.handed_in = 0
        """How many bodies this process was given to keep."""
        self.newest = 0
        """The number of the last that this process has kept; 0 before the first."""
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def append(self, raw: bytes) -> int:
        """Keep `raw`; its number, once it is on disk. Raises StoreFull and its kin: then nothing was acknowledged."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self.handed_in += 1
        if self._round is None:
            self._round = _Round(loop, [])
            loop.call_soon(self._hand_on)
        self._round.waiting.append(_Waiting(raw, future))
        return await future

    def _hand_on(self) -> None:
        if self._round is not None:
            self._queue.put(self._round)
            self._round = None

    def read_after(self, number: int, *, limit: int = 200, most_bytes: int = 16 * 1024 * 1024) -> list[JournalEntry]:
        """The next entries in order, opened; fewer when they are large. Entries whose day key is gone are skipped."""
        entries: list[JournalEntry] = []
        size = 0
        ciphers: dict[str, AESGCM | None] = {}
        for entry in self._rows.after(number, limit):
            if entry.day not in ciphers:
                ciphers[entry.day] = self._cipher(entry.day)
            cipher = ciphers[entry.day]
            if cipher is not None:
                raw = cipher.decrypt(entry.sealed[:12], entry.sealed[12:], entry.day.encode())
                entries.append(JournalEntry(entry.number, raw, entry.at_ms))
                size += len(raw)
            if size >= most_bytes:
                break
        return entries

    def last(self) -> int:
        """The number of the newest entry; 0 when there never was one."""
        return self._rows.last()

    def check(self) -> None:
        """Raises StoreFull and its kin where no webhook could be kept. Costs a commit."""
        self._rows.check()

    def purge(self, *, folded: int) -> int:
        """Delete the days before the last seven, as far as they are folded, and destroy their keys; how many entries went."""
        before = (self._clock.now() - timedelta(days=_KEPT_DAYS)).date().isoformat()
        deleted, left = self._rows.purge(before, folded)
        due = [name for name in self._keys.names("journal/") if (day := name.removeprefix("journal/")) < before and day not in left]
        if due:
            self._keys.destroy(due)
        return deleted

    def stop(self) -> None:
        self._hand_on()
        self._queue.put(None)
        self._thread.join()
        self._rows.close()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            rounds, is_last = [first], False
            count = len(first.waiting)
            while count < _MOST_IN_A_COMMIT:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    is_last = True
                    break
                rounds.append(following)
                count += len(following.waiting)
            self._keep(rounds)
            if is_last:
                return

    def _keep(self, rounds: list[_Round]) -> None:
        batch = [waiting for one in rounds for waiting in one.waiting]
        outcome: list[int] | WabizError
        try:
            outcome = self._commit([waiting.raw for waiting in batch])
        except WabizError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 the thread must outlive any failure; each waiting request is told of it
            outcome = StoreError(f"The journal could not be written ({type(error).__name__}).")
        rounds[0].loop.call_soon_threadsafe(_tell, batch, outcome)

    def _commit(self, bodies: list[bytes]) -> list[int]:
        now = self._clock.now()
        day, at_ms = now.date().isoformat(), to_ms(now)
        numbers = self._rows.add(day, at_ms, self._sealed(day, bodies))
        self.newest = numbers[-1]
        return numbers

    def _sealed(self, day: str, bodies: list[bytes]) -> list[bytes]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher, about, chance = AESGCM(self._keys.make_now(f"journal/{day}")), day.encode(), self._random(12 * len(bodies))
        nonces = (chance[start : start + 12] for start in range(0, len(chance), 12))
        return [nonce + cipher.encrypt(nonce, raw, about) for nonce, raw in zip(nonces, bodies, strict=True)]

    def _cipher(self, day: str) -> "AESGCM | None":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._keys.find(f"journal/{day}")
        return None if key is None else AESGCM(key)


def _tell(batch: list[_Waiting], outcome: list[int] | WabizError) -> None:
    for index, waiting in enumerate(batch):
        if waiting.future.done():  # its request went away; the body is kept all the same
            continue
        if isinstance(outcome, WabizError):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome[index])
