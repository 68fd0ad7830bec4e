"""Which key is this? The name that the inbox gives to what the terminal sends, by the same parser."""

import codecs
import os
import select
import termios
import tty
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from textual import events
from textual._xterm_parser import XTermParser

LEAVE: Final = "ctrl+c"
_SILENCE: Final = 0.15
"""Seconds without a byte after which an Escape stands for itself (longer than the parser's own patience)."""
_ASK, _UNASK = "\x1b[>1u", "\x1b[<u"
"""The keyboard protocol that the inbox asks the terminal for too: https://sw.kovidgoyal.net/kitty/keyboard-protocol/"""


def name_keys(portions: Iterable[bytes | None]) -> Iterator[str]:
    """The keys in what a terminal sent; None stands for a silence. Ends with Ctrl+C or a second q in a row."""
    parser, text, before = XTermParser(), codecs.getincrementaldecoder("utf-8")("replace"), ""
    for portion in portions:
        found = parser.tick() if portion is None else parser.feed(text.decode(portion)) if portion else ()
        for event in found:
            if not isinstance(event, events.Key):
                continue
            yield event.key
            if event.key == LEAVE or before == event.key == "q":
                return
            before = event.key


def probe(descriptor: int, tell: Callable[[str], object], write: Callable[[str], object]) -> None:
    """Read keys from the terminal at `descriptor` and `tell` the name of each until the person leaves; the terminal is as it was then."""
    kept = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        write(_ASK)
        for key in name_keys(_portions(descriptor)):
            tell(key)
    finally:
        write(_UNASK)
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, kept)


def _portions(descriptor: int) -> Iterator[bytes | None]:
    while True:
        if not select.select([descriptor], [], [], _SILENCE)[0]:
            yield None
            continue
        portion = os.read(descriptor, 1024)
        if not portion:
            return
        yield portion
