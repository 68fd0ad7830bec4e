"""This hub process among those that serve the archive: one of them leads, and settles what the dead left.

A process holds a lock of the database's for as long as it lives, and the leader one more; both end with it. Whoever leads folds,
keeps house and fetches files. That two lead at once does no harm where it cannot be ruled out, for a process that lost its line
learns of it a moment late: folding compares the position in its transaction, everything else finds its work done.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from wabiz_tui.hub.archive.engine.places import Seated
from wabiz_tui.hub.archive.sends import owners_of_open_sends
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.model.errors import StoreError

_BETWEEN_LOOKS = 0.5
_LONGEST_LOOK = 3.0
_GRACE = 3.0
"""Seconds that a process may be without its lock before it counts as dead: one that lives takes it again in less."""

Work = Callable[[], Coroutine[Any, Any, None]]
Settle = Callable[[Writing, str], int]

log = structlog.get_logger("hub.process")


class HubProcess:
    """`settle` is told, in a transaction, the id of a process that died with sends under way; it gives how many are uncertain."""

    def __init__(self, archive: Archive, settle: Settle) -> None:
        self._archive, self._settle = archive, settle
        self._seat = archive.place.take_seat(archive.tenant)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seat")
        self._leads = False
        self._has_seat = True
        """Whether the last look found it; the log tells when that changes."""
        self._work: list[tuple[Work, asyncio.Task[None] | None]] = []
        self._wakes: list[Callable[[], object]] = []
        self._missing: dict[str, float] = {}

    @property
    def leads(self) -> bool:
        return self._leads

    def while_leading(self, work: Work) -> None:
        """Run this for as long as this process leads; it is cancelled when it does not any more, and begun again after it failed."""
        self._work.append((work, None))

    def on_lead(self, wake: Callable[[], object]) -> None:
        """Call this each time that this process comes to lead."""
        self._wakes.append(wake)

    async def join(self) -> None:
        """Take the seat, and settle what no living process can end. Raises StoreError and its kin."""
        self._lead(await self._look())
        if not self._archive.bus.is_shared:
            await self._settle_dead(grace=0)

    async def run(self) -> None:
        try:
            while True:
                await self._keep_working()
                await asyncio.sleep(_BETWEEN_LOOKS)
                if self._archive.bus.is_shared:
                    await self._look_again()
        finally:
            await self._stop_working()

    async def leave(self) -> None:
        """Give the lead and the seat to others, once nothing of this process is under way."""
        self._leads = False
        await asyncio.get_running_loop().run_in_executor(self._thread, self._seat.close)
        self._thread.shutdown()

    async def _look(self) -> Seated:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._seat.look)

    async def _look_again(self) -> None:
        looking = asyncio.ensure_future(self._look())
        try:
            seated = await asyncio.wait_for(asyncio.shield(looking), _LONGEST_LOOK)
            self._seated(seated)
            if seated.leads:
                await self._settle_dead(grace=_GRACE)
        except (TimeoutError, StoreError) as error:
            self._lead(Seated(leads=False, is_anew=True))
            if self._has_seat:
                log.warning("seat_lost", code=error.code if isinstance(error, StoreError) else "silent")
            self._has_seat = False
            await self._stop_working()
            await asyncio.wait([looking])
            looking.exception()

    def _seated(self, seated: Seated) -> None:
        if not self._has_seat:
            log.info("seat_taken")
        self._has_seat = True
        self._lead(seated)

    def _lead(self, seated: Seated) -> None:
        if seated.is_anew or not seated.leads:
            self._missing.clear()
        if seated.leads and not self._leads:
            log.info("leads", process=self._archive.place.process)
        has_begun, self._leads = seated.leads and not self._leads, seated.leads
        if has_begun:
            for wake in self._wakes:
                wake()

    async def _settle_dead(self, *, grace: float) -> None:
        """Whose lock is free for some time is dead, as far as its sends go: they are settled, once, by whoever leads."""
        owners = set(await self._archive.read(owners_of_open_sends)) - {self._archive.place.process}
        living = await asyncio.get_running_loop().run_in_executor(self._thread, self._seat.living, owners)
        now = asyncio.get_running_loop().time()
        self._missing = {owner: self._missing.get(owner, now) for owner in owners - living}
        for owner in [owner for owner, since in self._missing.items() if now - since >= grace]:
            await self._archive.write(lambda writing, owner=owner: self._settle_one(writing, owner))
            del self._missing[owner]

    def _settle_one(self, writing: Writing, owner: str) -> None:
        # Held until the commit: who comes back takes its lock after it, and finds its sends settled.
        if self._seat.claim(writing.connection, owner):
            count = self._settle(writing, owner)
            if count:
                writing.afterwards(lambda: log.warning("sends_uncertain", process=owner, count=count))

    async def _keep_working(self) -> None:
        if not self._leads:
            await self._stop_working()
            return
        for place, (work, task) in enumerate(self._work):
            if task is not None and task.done() and not task.cancelled() and (error := task.exception()) is not None:
                log.error("work_failed", error=type(error).__name__)
            if task is None or task.done():
                self._work[place] = (work, asyncio.ensure_future(work()))

    async def _stop_working(self) -> None:
        running = [task for _, task in self._work if task is not None]
        self._work = [(work, None) for work, _ in self._work]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
