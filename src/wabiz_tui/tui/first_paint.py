"""The inbox as text for the terminal, drawn before Textual is imported: the same lines as the app draws, some half a second earlier."""

import colorsys
import os
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache
from typing import Final

from wabiz_tui.model.desk import DeskStatus, QueuePage, View
from wabiz_tui.tui.colours import Palette, load_palette, load_roles
from wabiz_tui.tui.shown import sent_row
from wabiz_tui.tui.wording.frame import INBOX_HINTS, banner, empty_state, hints, status_line, views_bar
from wabiz_tui.tui.wording.rows import row_line
from wabiz_tui.tui.wording.spans import Line, Span, line, spans_width
from wabiz_tui.tui.wording.times import SystemZone
from wabiz_tui.tui.wording.unlocking import lock_frame, unlock_frame

ALTERNATE: Final = "\x1b[?1049h\x1b[?25l\x1b[H"
"""Alternate screen, cursor hidden and at home: what Textual asks for too, so its start changes nothing."""
BEGIN_UPDATE, END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"
_ATTRIBUTES: Final = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7", "strike": "9"}


def colour_depth(environment: Mapping[str, str] = os.environ) -> int:
    """Bits of colour the terminal shows, by the same signs as Rich reads: 24, 8, 4, or 0 where NO_COLOR asks for none."""
    if environment.get("NO_COLOR"):
        return 0
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return 24
    term = environment.get("TERM", "").strip().lower()
    if term in ("dumb", "unknown"):
        return 0
    return 8 if term.rpartition("-")[2] in ("256color", "kitty") else 4


def paint(
    page: QueuePage,
    status: DeskStatus,
    *,
    columns: int,
    rows: int,
    now: datetime,
    zone: tzinfo | None = None,
    view: View = "open",
    counts: Mapping[str, int] | None = None,
    theme: str = "dark",
    depth: int | None = None,
) -> str:
    """The inbox (or, when the desk is locked, the unlock screen's frame) as one string for a terminal of that size.

    Times are shown in `zone`, the machine's own unless given. `page` needs no more rows than the terminal has. `theme` is
    `dark` or `light`, or the name of a theme that ends so.
    """
    if status.locked:
        return paint_unlock(status, columns=columns, rows=rows, theme=theme, depth=depth)
    here = now.astimezone(zone or SystemZone())
    lines = inbox_lines(page, status, columns=columns, rows=rows, now=here, view=view, counts=counts or {})
    return paint_lines(lines, columns, rows, theme=theme, depth=colour_depth() if depth is None else depth)


def paint_unlock(
    status: DeskStatus, *, columns: int, rows: int, theme: str = "dark", depth: int | None = None, hint: str = "", reason: str = ""
) -> str:
    """The frame of the unlock screen, for a cold start; with `reason`, of the screen that stands after a lock."""
    if reason and not status.needs_passphrase:
        lines = lock_frame(status, columns, rows, reason=reason)
    else:
        lines = unlock_frame(status, columns, rows, hint=hint, reason=reason)
    return paint_lines(lines, columns, rows, theme=theme, depth=colour_depth() if depth is None else depth)


def leave(rows: int) -> str:
    """What takes a first paint away again: where the alternate screen is switched off it would stay behind, so each row goes first."""
    return "".join(f"\x1b[{row}H\x1b[2K" for row in range(1, rows + 1)) + "\x1b[H\x1b[?25h\x1b[?1049l"


def inbox_lines(
    page: QueuePage, status: DeskStatus, *, columns: int, rows: int, now: datetime, view: View, counts: Mapping[str, int]
) -> list[Line]:
    above = [views_bar(view, counts, status, columns)]
    alarm = banner(status, columns, now)
    if alarm is not None:
        above.append(alarm)
    below = [hints(INBOX_HINTS, columns), status_line(status, columns, now)]
    room = max(0, rows - len(above) - len(below))
    if page.total:
        body = [row_line(row, columns, now, me=status.person, is_selected=at == 0) for at, row in enumerate(page.rows[:room])]
    else:
        body = empty_state(view, columns, room)
    return [*above, *body, *[line()] * (room - len(body)), *below]


def paint_lines(lines: list[Line], columns: int, rows: int, *, theme: str, depth: int) -> str:
    """Lines as escape sequences, row by row, each filled to the full width."""
    palette = load_palette(theme)
    parts = [ALTERNATE, BEGIN_UPDATE]
    for number, each in enumerate(lines[:rows]):
        missing = columns - spans_width(each.spans)
        spans = (*each.spans, Span(" " * missing)) if missing > 0 else each.spans
        row = [f"\x1b[{_sgr(palette, span.role, span.ground or each.ground, depth)}m{span.text}\x1b[m" for span in spans if span.text]
        parts.append(f"\x1b[{number + 1}H{sent_row(number + 1, ''.join(row))}")
    parts.append(END_UPDATE)
    return "".join(parts)


@cache
def _sgr_by_name(name: str, role: str, ground: str, depth: int) -> str:
    palette = load_palette(name)
    wear = load_roles()[role]
    codes = [_ATTRIBUTES[each] for each in sorted(wear.attributes)]
    if depth:
        codes.append(_colour(palette.colours[wear.colour], depth, 38))
        codes.append(_colour(palette.colours[wear.ground or ground], depth, 48))
    return ";".join(codes)


def _sgr(palette: Palette, role: str, ground: str, depth: int) -> str:
    return _sgr_by_name(palette.name, role, ground, depth)


def _colour(code: str, depth: int, plane: int) -> str:
    red, green, blue = (int(code[at : at + 2], 16) for at in (1, 3, 5))
    if depth == 24:
        return f"{plane};2;{red};{green};{blue}"
    # Sixteen colours differ from terminal to terminal: the first paint leaves them to the app and shows the text in plain.
    return f"{plane};5;{eight_bit(red, green, blue)}" if depth == 8 else str(plane + 1)


def eight_bit(red: int, green: int, blue: int) -> int:
    """The colour of the 256 that Rich picks for these three, so that nothing changes its shade when the app takes over."""
    _, light, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if saturation < 0.15:
        grey = round(light * 25.0)
        return 16 if grey == 0 else 231 if grey == 25 else 231 + grey
    six = [value / 95 if value < 95 else 1 + (value - 95) / 40 for value in (red, green, blue)]
    return 16 + 36 * round(six[0]) + 6 * round(six[1]) + round(six[2])
