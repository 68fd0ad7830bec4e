"""How far a long sync has come, told while it runs: a line that is rewritten on a terminal, JSON Lines for programs."""

import asyncio
import sys
from typing import Final, Protocol, TextIO

from wabiz_tui.cli.output import print_json
from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.errors import WabizError

_EVERY: Final = 0.25


class Syncing(Protocol):
    """What is needed of a desk."""

    async def sync(self) -> int: ...

    async def status(self) -> DeskStatus: ...


async def sync_and_tell(desk: Syncing, *, as_json: bool, terminal: TextIO | None = None, every: float = _EVERY) -> int:
    """The sequence that `desk.sync` reached. A sync of one page tells nothing, so what scripts read of a short one is one line;
    of a longer one the lines `{cursor, head}` stand before it. `terminal` is standard error unless given."""
    shown = _Line(terminal or sys.stderr)
    if not (as_json or shown.is_rewritable):
        return await desk.sync()
    syncing = asyncio.create_task(desk.sync(), name="sync")
    try:
        told = began = await _where(desk)
        while not (await asyncio.wait((syncing,), timeout=every))[0]:
            place = await _where(desk)
            if place is None or place == told or not (began or place)[0] < place[0] < place[1]:
                continue
            told = place
            if as_json:
                print_json([{"cursor": place[0], "head": place[1]}])
            else:
                shown.write(f"Catching up: {place[0]:,} of {place[1]:,} changes, {place[0] * 100 // place[1]} %")
        return await syncing
    finally:
        shown.clear()
        syncing.cancel()
        await asyncio.wait((syncing,))


async def _where(desk: Syncing) -> tuple[int, int] | None:
    """Cursor and head; None when nobody can say, which is no reason for the sync to fail."""
    try:
        status: DeskStatus = await desk.status()
    except WabizError:
        return None
    return status.cursor, status.head


class _Line:
    """One line that takes the place of the one before. Needs nothing of the terminal but that a carriage return goes back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._width = stream, 0
        self.is_rewritable = stream.isatty()

    def write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)

    def clear(self) -> None:
        if self._width:
            self.write("")
            self._stream.write("\r")
            self._stream.flush()
