"""A locked inbox goes on in a new memory: the process starts its own program anew and hands itself what it needs to go on."""

import os
import sys
from typing import Any

import msgspec

from wabiz_tui.model.codec import decode, encode

Attributes = list[Any]
"""A terminal's settings as termios gives them: six numbers and the list of control characters."""
_MOST = 60_000


class Resumed(msgspec.Struct, frozen=True):
    """Where the agent stood (as tui/place has it) and how the terminal was set before the inbox. `text` never leaves the process:
    a locked desk has saved it."""

    conversation: str = ""
    text: str = ""
    reply_to: str | None = None
    locked: str = ""
    numbers: tuple[int, ...] = ()
    characters: tuple[bytes, ...] = ()

    @property
    def terminal(self) -> Attributes | None:
        return [*self.numbers, list(self.characters)] if self.numbers else None


def resume(resumed: Resumed, terminal: Attributes) -> None:
    """Start the inbox anew in this process, with the terminal as it is. Returns only where that cannot be done."""
    characters = tuple(each if isinstance(each, bytes) else bytes([each]) for each in terminal[6])
    raw = encode(msgspec.structs.replace(resumed, text="", numbers=tuple(terminal[:6]), characters=characters))
    if len(raw) > _MOST:
        return
    reading, writing = os.pipe()
    os.write(writing, raw)
    os.close(writing)
    os.set_inheritable(reading, True)
    command = [sys.executable, "-m", "wabiz_tui.cli.main", "inbox", "--resumed-fd", str(reading)]
    try:
        os.execv(sys.executable, command)  # noqa: S606 our own program, by its full path; a shell has no part in it
    except OSError:
        # The program on the disk is gone or cannot be read: the old memory goes on, locked.
        os.close(reading)


def take_up(descriptor: int) -> Resumed:
    """What the process handed itself. Raises BadInput, UsageError."""
    from wabiz_tui.model.errors import UsageError

    try:
        with os.fdopen(descriptor, "rb") as stream:
            return decode(stream.read(_MOST), Resumed)
    except OSError as error:
        raise UsageError("The inbox resumes by itself alone; run `wabiz`.") from error
