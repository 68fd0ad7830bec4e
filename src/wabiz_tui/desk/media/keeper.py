"""What happens to files unasked: cleared at the start, timed by a new policy, swept after a purge, fetched ahead by policy."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from wabiz_tui.desk.cache import media as rows
from wabiz_tui.desk.cache.times import to_ms
from wabiz_tui.desk.media.store import MediaStore, Of
from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import Locked, Unreachable, WabizError

LARGEST_AHEAD: Final = 8 * 1024 * 1024
"""What is larger waits until somebody wants it."""
_MOST_WAITING = 1000


class MediaKeeper:
    """One task that does it all in turn, so that nothing of it competes with what the agent asks for."""

    def __init__(self, store: MediaStore, of: Of, *, me: str, is_online: Callable[[], bool], retimed: Callable[[], None]) -> None:
        """`retimed` is told when a new policy has moved the ends of files: some may be due now."""
        self._store, self._of, self._me, self._is_online, self._retimed = store, of, me, is_online, retimed
        self._wake = asyncio.Event()
        self._is_policy_new = self._is_purged = False
        # In the order in which they moved; the one that moved last is looked at first.
        self._waiting: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="media-keeper")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._store.close()

    def moved(self, conversations: frozenset[str]) -> None:
        """Something came in these."""
        if self._of.policy().cache.media_ahead == "none":
            return
        for conversation in conversations:
            self._waiting.pop(conversation, None)
            self._waiting[conversation] = None
        while len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._wake.set()

    def policy_changed(self) -> None:
        self._is_policy_new = True
        self._wake.set()

    def purged(self) -> None:
        self._is_purged = True
        self._wake.set()

    def arrived(self) -> None:
        """The hub answers again."""
        self._wake.set()

    async def _run(self) -> None:
        await _quietly(self._store.clear())
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._keep()
            await self._fetch_ahead()

    async def _keep(self) -> None:
        if self._is_policy_new:
            self._is_policy_new = False
            await _quietly(self._store.retime())
            self._retimed()
        if self._is_purged:
            self._is_purged = False
            await _quietly(self._store.sweep())

    async def _fetch_ahead(self) -> None:
        while self._waiting and self._is_online():
            conversation = next(reversed(self._waiting))
            try:
                await self._fetch_of(conversation)
            except Unreachable:
                # It stays in the queue until the hub answers again.
                return
            except Locked:
                # A purge exchanged the cache in between: it is looked at again.
                await asyncio.sleep(0)
                continue
            self._waiting.pop(conversation, None)
            await self._keep()

    async def _fetch_of(self, conversation: str) -> None:
        policy, now = self._of.policy().cache, self._of.now()
        if policy.media_ahead == "none" or policy.media <= timedelta():
            return
        wanted = await self._of.cache().database.read(
            lambda connection: rows.wanted_ahead(
                connection,
                conversation,
                me=self._me,
                everybody=policy.media_ahead == "all",
                since=to_ms(now - policy.media),
                now=to_ms(now),
            )
        )
        for message in wanted:
            if isinstance(message.content, Media) and message.content.size <= LARGEST_AHEAD:
                try:
                    await self._store.fetch(message.id)
                except (Unreachable, Locked):
                    raise
                except WabizError:
                    # What cannot be had ahead is tried again when somebody asks, who then is told why.
                    continue


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    """What could not be done now (a purge in between, a full disk) is done after the next purge or at the next start."""
    with suppress(WabizError):
        await work
