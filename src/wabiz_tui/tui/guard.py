"""The last filter before the terminal: whatever a widget was given, no control, bidi or link sequence of its own goes out."""

import re
from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

OBEYED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
"""C0, DEL, C1, line separators and bidi controls. All are of no width, so dropping them moves nothing."""


class OutputGuard(LineFilter):
    """Drops what a terminal would obey, and every link in a style: wabiz makes none. The marks come from model/text.py."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_is_unsafe(segment) for segment in segments):
            return segments
        return [_made_safe(segment) for segment in segments]


def _is_unsafe(segment: Segment) -> bool:
    return (
        OBEYED.search(segment.text) is not None or bool(segment.control) or (segment.style is not None and segment.style.link is not None)
    )


def _made_safe(segment: Segment) -> Segment:
    style = segment.style
    if style is not None and style.link is not None:
        style = style.update_link(None)
    return Segment(OBEYED.sub("", segment.text), style)


def guarded(filters: Sequence[LineFilter], guard: OutputGuard) -> list[LineFilter]:
    """`filters` with the guard as the last one."""
    return [*(each for each in filters if each is not guard), guard]
