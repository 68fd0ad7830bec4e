"""Tell many listeners what happened, none of whom can hold up the desk or another."""

import asyncio
from collections.abc import AsyncIterator

from wabiz_tui.model.desk import DeskEvent

_MOST_WAITING = 1000


class Listeners:
    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[DeskEvent | None]] = set()
        self._is_closed = False

    def tell(self, event: DeskEvent) -> None:
        """A listener that fell far behind gets one event in place of all it missed: everything may have changed."""
        for queue in self._queues:
            if queue.qsize() >= _MOST_WAITING:
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(DeskEvent("changed"))
            queue.put_nowait(event)

    async def listen(self) -> AsyncIterator[DeskEvent]:
        """From now on, until `close`."""
        if self._is_closed:
            return
        queue: asyncio.Queue[DeskEvent | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        self._is_closed = True
        for queue in self._queues:
            queue.put_nowait(None)
