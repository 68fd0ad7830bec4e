"""Wait for what any process over the archive may bring about."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from wabiz_tui.hub.archive.store import Archive, Reading

T = TypeVar("T")


async def until(archive: Archive, look: Callable[[Reading], T | None], *, within: float) -> T | None:
    """What `look` gives, which is asked again after each commit that changed something; None after `within` seconds without."""
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake(_head: int) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(woken.set)

    archive.listeners.append(wake)
    try:
        async with asyncio.timeout(within):
            while True:
                woken.clear()
                seen = await archive.read(look)
                if seen is not None:
                    return seen
                await woken.wait()
    except TimeoutError:
        return None
    finally:
        archive.listeners.remove(wake)
