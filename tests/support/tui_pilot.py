"""Drives the app over the still desk, and reads what stands on its screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

from textual import events
from textual.pilot import Pilot

from tests.support.tui_desk import StillClock, StillDesk
from wabiz_tui.model.config import Config
from wabiz_tui.tui.app import WabizApp
from wabiz_tui.tui.inbox.screen import InboxScreen

NAMES = {"/": "slash", ":": "colon", "?": "question_mark", " ": "space", "'": "apostrophe", ".": "full_stop"}


class Seat:
    """An agent at the screen: the desk, the app and what is seen."""

    def __init__(self, desk: StillDesk, app: WabizApp, pilot: Pilot[Any], clock: StillClock) -> None:
        self.desk, self.app, self.pilot, self.clock = desk, app, pilot, clock

    @property
    def inbox(self) -> InboxScreen:
        assert isinstance(self.app.base, InboxScreen)
        return self.app.base

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until everything they began has ended."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(50):
            await self.pilot.pause()
            busy = [worker for worker in self.app.workers if worker.group not in ("listen", "refresh", "keys") and not worker.is_finished]
            inbox = self.app.base
            dirty = isinstance(inbox, InboxScreen) and inbox.upkeep.is_due
            if not busy and not dirty and self.app.typeahead.is_idle:
                break
        await self.pilot.pause()

    def rows(self) -> list[str]:
        """The screen as text, row by row."""
        return ["".join(segment.text for segment in strip) for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(self.rows())


@asynccontextmanager
async def seated(
    desk: StillDesk | None = None, *, size: tuple[int, int] = (120, 36), config: Config | None = None, **options: Any
) -> AsyncIterator[Seat]:
    """The app at work over `desk`, its first screen drawn."""
    desk = desk or StillDesk()
    clock = StillClock()
    app = WabizApp(desk, clock=clock, zone=UTC, config=config, **options)
    async with app.run_test(size=size) as pilot:
        seat = Seat(desk, app, pilot, clock)
        await seat.settle()
        yield seat


async def burst(seat: Seat, *keys: str) -> None:
    """Type `keys` at once, as a pasted or very fast hand does: all of them have arrived before the first is obeyed."""
    driver = seat.app._driver
    assert driver is not None
    for key in keys:
        name = NAMES.get(key, key)
        driver.send_message(events.Key(name, key if len(key) == 1 else " " if key == "space" else None))
    await asyncio.sleep(0)
    await seat.settle()
