"""The same screen without a terminal: for the demo that plays by itself, and for whoever scripts a look at it."""

import asyncio
import io
from contextlib import AsyncExitStack
from typing import Any, Self

from rich.console import Console

from wabiz_tui.model.clock import Clock
from wabiz_tui.model.config import Config
from wabiz_tui.model.desk import Desk
from wabiz_tui.tui.app import WabizApp

_KEY_NAMES = {" ": "space", "?": "question_mark", "/": "slash", "+": "plus", "-": "minus", "!": "exclamation_mark"}
_SETTLE_SECONDS = 0.05


class HeadlessScreen:
    """The app on a screen of `size` columns and rows that only exists in memory; an async context manager."""

    def __init__(self, desk: Desk, *, config: Config | None, clock: Clock, size: tuple[int, int]) -> None:
        self.app = WabizApp(desk, config=config, clock=clock)
        self._size = size
        self._stack = AsyncExitStack()
        self._pilot: Any = None

    async def __aenter__(self) -> Self:
        self._pilot = await self._stack.enter_async_context(self.app.run_test(size=self._size))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def press(self, *keys: str) -> None:
        """Press keys by Textual's names, one after the other."""
        await self._pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type `text`, a key a character."""
        await self._pilot.press(*(_KEY_NAMES.get(character, character) for character in text))
        await self.settle()

    async def settle(self) -> None:
        """Let the app work off what it has to do."""
        await self._pilot.pause(_SETTLE_SECONDS)
        while not self.app.typeahead.is_idle and self.app.is_running:  # noqa: ASYNC110 nothing but this waits for it
            await asyncio.sleep(_SETTLE_SECONDS)

    async def text(self) -> str:
        """What a person would read on the screen now, line by line."""
        await self.settle()
        width, height = self.app.size
        drawn = io.StringIO()
        console = Console(width=width, height=height, file=drawn, force_terminal=True, color_system=None, legacy_windows=False)
        # Textual's own screenshot takes the same way; there is no public call that gives plain text.
        console.print(self.app.screen._compositor)  # pyright: ignore[reportPrivateUsage] see above
        return drawn.getvalue()
