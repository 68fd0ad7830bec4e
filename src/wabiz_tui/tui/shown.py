"""What stands on the terminal, row by row, so that nothing crosses the line that is there already.

Textual draws a new screen three times over while it learns its size, a dialog twice, and all of it again whenever something changes its
place; what changed is often a row.
"""

import re
from typing import Final

from wabiz_tui.tui.align import aligned
from wabiz_tui.tui.rendition import condensed
from wabiz_tui.tui.wording.spans import cell_width

_PLACE: Final = re.compile(r"(?:\r?\n)?\x1b\[(\d+);(\d+)H")
_ROW: Final = re.compile(r"\x1b\[(\d+)H")
_STYLE: Final = re.compile(r"\x1b\[[0-9;:]*m")
_END: Final = "\x1b[?"
_UNSEEN: Final = re.compile(r"(?:\x1b\[[?<>=][0-9;]*[$a-z]*[A-Za-z]|\x1b\][0-9;]*[A-Za-z]*\x07|\x1b\[\d+;\d+H)*")
"""Modes, the shape of the pointer, a move of the cursor: they change no cell."""


class Shown:
    """Rows as Textual wrote them last; a row is known only while nothing else was written over it. `painted` is the first paint, which
    stands there before the app: each of its rows begins and ends in the plain style."""

    def __init__(self, painted: str = "") -> None:
        self._rows: dict[int, str] = {}
        _, *parts = _ROW.split(painted)
        self._painted = {int(row): text.partition(_END)[0] for row, text in zip(parts[::2], parts[1::2], strict=True)}

    def forget(self) -> None:
        """Somebody else wrote, or the terminal has another size."""
        self._rows, self._painted = {}, {}

    def resized(self, height: int) -> bool:
        """Nothing is known any more, unless it is the size of the first paint and nothing was written since; whether a picture was."""
        was_drawn = bool(self._rows)
        if was_drawn or height != len(self._painted):
            self.forget()
        return was_drawn

    def lacks(self, output: str, *, columns: int) -> str:
        """What of `output` does not stand there yet, to be written to a terminal of so many columns.

        Each piece of a picture must have its place and end in the plain style, as Textual's do; anything else is passed on whole, and
        nothing is known after it. Where the cursor is left is not said: what is written next names its place."""
        before, *rest = _PLACE.split(output)
        pieces = [(int(rest[at]), int(rest[at + 1]), rest[at + 2]) for at in range(0, len(rest), 3)]
        if not any(text for _, _, text in pieces) or before:
            if _UNSEEN.fullmatch(output) is None:
                self.forget()
            return output
        return "".join(f"\x1b[{row};{column}H{text}" for row, column, text in pieces if text and not self._take(row, column, text, columns))

    def _take(self, row: int, column: int, text: str, columns: int) -> bool:
        """Whether it stood there before."""
        known = self._rows.get(row, "")
        if column == 1 and text == known:
            return True
        shown = _STYLE.sub("", text)
        if "\x1b" in shown:
            self.forget()
            return False
        painted = self._painted.pop(row, None)
        if column == 1 and cell_width(shown) >= columns:
            self._rows[row] = text
            return painted is not None and painted == sent_row(row, text)
        if known and _is_part(known, column, text):
            return True
        self._rows.pop(row, None)
        return False


def sent_row(row: int, text: str) -> str:
    """How a whole row goes out: by itself, in as few bytes as its look takes."""
    place = f"\x1b[{row};1H"
    return condensed(aligned(place + text)).removeprefix(place)


def _is_part(row: str, column: int, text: str) -> bool:
    """Whether `text` is what stands from `column` on. Where it begins without a style of its own, the style before it has to have ended."""
    at = row.find(text)
    while at >= 0:
        before = row[:at]
        if (text[0] == "\x1b" or not before or before.endswith("\x1b[0m")) and cell_width(_STYLE.sub("", before)) == column - 1:
            return True
        at = row.find(text, at + 1)
    return False
