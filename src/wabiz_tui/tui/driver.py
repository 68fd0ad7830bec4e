"""The way out to the terminal: columns kept straight, and no picture sent twice in a row."""

import sys
from typing import Any, Final

from textual.driver import Driver

from wabiz_tui.tui.align import aligned

WORTH_COMPARING: Final = 400
"""Characters from which a write is a picture; Textual writes moves and modes by themselves, in shorter pieces."""


def thrifty_driver(base: type[Driver]) -> type[Driver]:
    """The platform's driver with these two habits. Textual draws its first screen three times over while it learns the size;
    as pictures have absolute positions, one that follows itself changes nothing and need not cross the line."""

    class ThriftyDriver(base):
        last_picture = ""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            if getattr(self, "_file", None) is sys.__stderr__:
                # Textual draws on standard error; ours is for sentences, and whoever sends it to a file still wants the screen.
                self._file = sys.__stdout__

        def write(self, data: str) -> None:
            if len(data) < WORTH_COMPARING:
                super().write(data)
            elif data != self.last_picture:
                self.last_picture = data
                super().write(aligned(data))

    return ThriftyDriver
