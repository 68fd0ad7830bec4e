"""An empty cache in the place of one that nobody can read any more, filled again from the hub while whoever reads waits."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.link.answers import SHARE_DESTROYED
from wabiz_tui.desk.purge.purge import Purger
from wabiz_tui.desk.sync.sync import Sync
from wabiz_tui.model.errors import DamagedStore, StoreError, Unreachable, WabizError

T = TypeVar("T")
DAMAGED = "The cache was damaged; it is filled again from the hub."
OVERDUE = "The hub has ended this cache's key because a receipt was overdue; the cache is filled again."
_LONGEST = 30.0


class Mending:
    """Stops the sync and the purge while the cache is replaced. `noticed` takes the sentence for the agent, `changed` is told
    when the new cache has caught up, `ended` when it cannot be made."""

    def __init__(
        self,
        sync: Sync,
        purger: Purger,
        *,
        noticed: Callable[[str], None],
        changed: Callable[[], None],
        ended: Callable[[WabizError], None],
    ) -> None:
        self._sync, self._purger = sync, purger
        self._noticed, self._changed, self._ended = noticed, changed, ended
        self.task: asyncio.Task[None] | None = None
        self._is_beyond = False

    @property
    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()

    def begin(self, notice: str) -> None:
        """In the background; once at a time."""
        if not self.is_running:
            self.task = asyncio.create_task(self._start_empty(notice), name="mending")

    def fill(self) -> None:
        """The cache is empty and running already: nobody reads it before it has caught up."""
        self.task = asyncio.create_task(self._fill(), name="mending")

    async def empty(self, notice: str) -> None:
        """Put an empty cache in place, with sync and purge at rest. Raises Unreachable: the next epoch's share is the hub's to give."""
        await self._purger.start_empty()
        self._noticed(notice)
        await self._sync.load()

    async def use(self, read: Callable[[Cache], Awaitable[T]]) -> T:
        """Read from the cache of the moment; once more when a purge replaced it in between, or when it was damaged and is filled
        again. Raises Unreachable when it is damaged and the hub does not answer."""
        cache = self._purger.cache
        try:
            return await self.mended(lambda: read(self._purger.cache))
        except StoreError as error:
            self.refused(error)
            raise
        except WabizError:
            if self._purger.cache is cache:
                raise
            return await read(self._purger.cache)

    async def mended(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`; if the cache shows damage meanwhile, again once an empty one took its place and has caught up with the hub."""
        try:
            await self._until_mended()
            return await work()
        except DamagedStore as error:
            if not is_of_cache(error):
                raise
            self.refused(error)
            await self._until_mended()
            if self._is_beyond:
                raise Unreachable("The cache was damaged and the hub does not answer: it is filled again when the hub does.") from error
        return await work()

    def refused(self, error: WabizError) -> None:
        """What cannot be mended ends the session."""
        if error.code == SHARE_DESTROYED:
            self.begin(OVERDUE)
            return
        if not isinstance(error, DamagedStore) or not is_of_cache(error):
            self._ended(error)
            return
        # Who read the file that was replaced meanwhile tells of damage that is mended already.
        if error.path is None or error.path == self._purger.cache.path:
            self.begin(DAMAGED)

    async def _until_mended(self) -> None:
        """Whoever reads meanwhile would take what is not there yet for what is not there."""
        if self.task is not None and self.is_running:
            await asyncio.wait((self.task,), timeout=_LONGEST)

    async def _start_empty(self, notice: str) -> None:
        await self._sync.stop()
        await self._purger.stop()
        try:
            await self.empty(notice)
        except WabizError as error:
            self._is_beyond = True
            self._ended(error)
            return
        self._sync.start()
        self._purger.start()
        await self._fill()
        self._changed()

    async def _fill(self) -> None:
        # What does not come now, the sync brings later.
        with suppress(WabizError):
            await self._sync.catch_up()


def is_of_cache(error: DamagedStore) -> bool:
    """Not of the outbox, which is the agent's own and is never begun anew under them."""
    return error.path is None or error.path.name.startswith("cache-")
