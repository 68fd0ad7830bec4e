"""Fewer bytes, the same screen."""

from typing import Any

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wabiz_tui.tui.rendition import condensed

ROWS, COLUMNS = 4, 24
_COLOURS = ["38;2;227;230;232", "38;2;95;215;167", "38;5;79", "31", "97", "39"]
_GROUNDS = ["48;2;27;30;33", "48;2;18;20;22", "48;5;236", "44", "103", "49"]
_ATTRIBUTES = ["1", "3", "4", "7", "9", "22", "23", "24", "27", "29", "0"]

styles = st.lists(st.sampled_from([*_COLOURS, *_GROUNDS, *_ATTRIBUTES]), max_size=4).map(";".join)
words = st.sampled_from(["word", " ", "      ", "a b ", "✓✓", "你好", "", "\x1b[3X", "\x1b[2K", "\r\n", "\x1b[?2026h"])
places = st.tuples(st.integers(1, ROWS), st.integers(1, COLUMNS)).map(lambda at: f"\x1b[{at[0]};{at[1]}H") | st.just("\x1b[5G")
pieces = st.tuples(styles, words | places, st.booleans()).map(lambda one: f"\x1b[{one[0]}m{one[1]}" + ("\x1b[0m" if one[2] else ""))
outputs = st.lists(pieces | places, max_size=14).map(lambda parts: "".join(parts) + "\x1b[0m")


def shown(output: str) -> list[list[tuple[Any, ...]]]:
    """Every cell as it looks: of a blank only what is seen of it."""
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.Stream(screen).feed(output)
    return [[_look(screen.buffer[row][column]) for column in range(COLUMNS)] for row in range(ROWS)]


def _look(cell: Any) -> tuple[Any, ...]:
    around = (cell.bg, cell.underscore, cell.strikethrough, cell.reverse)
    if cell.data == " " and not (cell.underscore or cell.strikethrough or cell.reverse):
        return (" ", *around)
    return (cell.data, *around, cell.fg, cell.bold, cell.italics)


@given(outputs)
@example("\x1b[1;38;5;79mbold\x1b[0m\x1b[38;5;79mnot\x1b[0m")
@example("\x1b[7m  \x1b[0m  \x1b[7;31m  \x1b[0m")
@example("\x1b[4;31mx\x1b[0m\x1b[31m \x1b[0m\x1b[4m \x1b[0m")
def test_the_screen_looks_the_same(output: str) -> None:
    """Cell by cell, whatever changes of style and moves there are, and the terminal is left in its plain style."""
    short = condensed(output)

    assert shown(short) == shown(output)
    assert shown(short + "after") == shown(output + "after")
    assert condensed(short) == short or shown(condensed(short)) == shown(output)


def test_a_word_in_the_colours_before_it_costs_nothing() -> None:
    """What Textual sends for three words of one row, and what goes out."""
    ground = "48;2;22;25;27"
    output = "".join(f"\x1b[38;2;{red};0;0;{ground}m{word}\x1b[0m" for red, word in ((1, "one"), (1, " "), (2, "two"), (2, "   ")))

    assert condensed(output) == f"\x1b[38;2;1;0;0;{ground}mone \x1b[38;2;2;0;0mtwo   \x1b[m"


@pytest.mark.parametrize(
    "output", ["plain", "\x1b[4:3mwave\x1b[0m", "\x1b[38;2;1mcut\x1b[0m", "\x1b[38;7;1mx\x1b[m", "\x1b[21mtwice\x1b[0m"]
)
def test_what_is_not_known_is_left_as_it_is(output: str) -> None:
    """A style of another kind goes out as it came, with all that is around it."""
    assert condensed(output) == output
