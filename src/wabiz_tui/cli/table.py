"""A table in the width of a terminal: an id stays whole, the rest is wrapped, what matters least is left out for want of room."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from wabiz_tui.model.identifiers import is_id
from wabiz_tui.tui.wording.spans import cell_width, wrap

GAP: Final = 2
_COMFORT: Final = 40
"""A column wider than this is wrapped before another one is left out."""
_RIGID: Final = 16
"""A column up to the width of a time is not wrapped while the others keep `_LEAST` each."""
_LEAST: Final = 8

Row = Sequence[str]


class Layout:
    """Which columns of a table are shown, and how wide each is. Cells are safe text of one line each."""

    def __init__(self, columns: Row, rows: Sequence[Row], width: int, *, minor: Sequence[str] = ()) -> None:
        """`minor` names the columns that may be left out, the first to go first."""
        natural = [max(map(cell_width, cells)) for cells in zip(columns, *rows, strict=True)]
        named = next((index for index in range(len(columns)) if any(is_id(row[index]) for row in rows)), None)
        shown = list(range(len(columns)))
        left_out: list[str] = []
        for name in minor:
            comfortable = sum(natural[index] if index == named else min(natural[index], _COMFORT) for index in shown)
            if comfortable + GAP * (len(shown) - 1) <= width:
                break
            shown.remove(columns.index(name))
            left_out.append(name)
        whole = {} if named is None or named not in shown else {named: natural[named]}
        others = {index: natural[index] for index in shown if index not in whole}
        widths = whole | _shared(others, width - sum(whole.values()) - GAP * (len(shown) - 1))
        self.left_out: tuple[str, ...] = tuple(left_out)
        self._columns = tuple((index, widths[index]) for index in shown)

    @property
    def width(self) -> int:
        return sum(width for _, width in self._columns) + GAP * (len(self._columns) - 1)

    def lines(self, row: Row) -> Iterator[str]:
        """The lines of one row, as many as its longest cell needs."""
        for pieces in zip_longest(*(_wrapped(row[index], width) for index, width in self._columns), fillvalue=""):
            padded = (piece + " " * (width - cell_width(piece)) for piece, (_, width) in zip(pieces, self._columns, strict=True))
            yield (" " * GAP).join(padded).rstrip(" ")


def _wrapped(cell: str, width: int) -> list[str]:
    return [cell] if cell_width(cell) <= width else wrap(cell, width)


def _shared(natural: dict[int, int], room: int) -> dict[int, int]:
    """The widths of columns that share `room`: the widest give way first, short ones only where it must be."""
    if sum(natural.values()) <= room:
        return natural
    rigid = {index: width for index, width in natural.items() if width <= _RIGID}
    wide = {index: width for index, width in natural.items() if width > _RIGID}
    rest = room - sum(rigid.values())
    if wide and rest >= _LEAST * len(wide):
        return rigid | _levelled(wide, rest)
    return _levelled(natural, room)


def _levelled(natural: dict[int, int], room: int) -> dict[int, int]:
    """Each its own width, or the same as the other wide ones."""
    widths: dict[int, int] = {}
    for index in sorted(natural, key=lambda column: natural[column]):
        # A character may take two cells.
        widths[index] = min(natural[index], max(2, room // (len(natural) - len(widths))))
        room -= widths[index]
    return widths
