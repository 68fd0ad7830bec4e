"""The first paint: the same screen as the app's, without the app's imports."""

import subprocess
import sys

import msgspec
import pyte
import pytest
from rich.color import Color, ColorSystem

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import Seat, seated
from wabiz_tui.model.desk import QueuePage
from wabiz_tui.tui.colours import load_palette
from wabiz_tui.tui.first_paint import colour_depth, eight_bit, paint, paint_unlock

# What pyte draws as we count it; the rest is the terminal's affair (tested in test_align).
PLAIN = [row for row in still.conversations() if row.name.isascii() or row.id == still.identity(2)]


def drawn(output: str, columns: int, rows: int) -> pyte.Screen:
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(output)
    return screen


def cells(seat: Seat) -> list[list[tuple[str, str, str]]]:
    """Every cell of the app's screen: character, ink, ground."""
    found: list[list[tuple[str, str, str]]] = []
    for strip in seat.app.screen._compositor.render_strips():
        row: list[tuple[str, str, str]] = []
        for segment in strip:
            style = segment.style
            ink, ground = (style.color, style.bgcolor) if style is not None else (None, None)
            colours = [each.triplet.hex[1:] if each is not None and each.triplet else "default" for each in (ink, ground)]
            row += [(character, colours[0], colours[1]) for character in segment.text]
        found.append(row)
    return found


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
@pytest.mark.parametrize("state", [{}, {"link": "offline", "outbox": 1}, {"is_syncing": True, "cursor": 500}])
async def test_first_paint_is_the_apps_first_screen(columns: int, rows: int, state: dict[str, object]) -> None:
    """Character by character and colour by colour, the first paint is what the app draws, so nothing jumps."""
    status = still.status(**state)
    desk = StillDesk(PLAIN, status=status)
    page, counts = await desk.queue("open", limit=rows), await desk.counts()
    first = drawn(
        paint(page, status, columns=columns, rows=rows, now=still.NOW, zone=still.NOW.tzinfo, counts=counts, depth=24), columns, rows
    )

    async with seated(desk, size=(columns, rows)) as seat:
        app = cells(seat)

    for y in range(rows):
        painted = [(first.buffer[y][x].data, first.buffer[y][x].fg, first.buffer[y][x].bg) for x in range(columns)]
        shown = [cell if cell[0] != " " else (" ", painted[x][1], cell[2]) for x, cell in enumerate(app[y])]
        assert shown == painted


async def test_cold_start_paints_the_unlock_screen() -> None:
    """For a locked desk the frame of the unlock screen is painted, by either function."""
    status = still.status(locked=True)
    output = paint_unlock(status, columns=80, rows=24, depth=8)

    assert output == paint(QueuePage([], 0, 0), status, columns=80, rows=24, now=still.NOW, depth=8)
    assert "wabiz  the compliant WhatsApp inbox" in "\n".join(drawn(output, 80, 24).display)


def test_empty_queue_says_so() -> None:
    """An empty queue is told as such."""
    output = paint(QueuePage([], 0, 0), still.status(), columns=80, rows=24, now=still.NOW, depth=8)

    assert "The queue is clear." in "\n".join(drawn(output, 80, 24).display)


def test_hostile_names_are_harmless() -> None:
    """No sequence from a name or a preview reaches the terminal: only our own moves and colours are in the output."""
    row = msgspec.structs.replace(still.conversations()[10], name="\x1b]0;x\x07\x9b31m\u202e", preview="\x1b[2J\u2066")
    output = paint(QueuePage([row], 1, 0), still.status(), columns=80, rows=24, now=still.NOW, depth=8)

    assert "\x1b]" not in output
    assert "\x1b[2J" not in output
    assert not {"\x07", "\x9b", "\u202e", "\u2066"} & set(output)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_256_colours_are_those_rich_picks(theme: str) -> None:
    """With 256 colours the first paint uses the very colours that Rich will use a moment later."""
    for code in load_palette(theme).colours.values():
        rich = Color.parse(code).downgrade(ColorSystem.EIGHT_BIT)
        assert eight_bit(*(int(code[at : at + 2], 16) for at in (1, 3, 5))) == rich.number


@pytest.mark.parametrize(
    ("environment", "depth"),
    [
        ({"TERM": "xterm-256color"}, 8),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, 24),
        ({"TERM": "xterm"}, 4),
        ({"TERM": "dumb"}, 0),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 0),
    ],
)
def test_colour_depth(environment: dict[str, str], depth: int) -> None:
    """The terminal's colours are read from the same signs as Rich reads."""
    assert colour_depth(environment) == depth


def test_no_framework_is_imported() -> None:
    """Painting an inbox of Latin names brings neither textual nor rich, httpx or wcwidth."""
    code = (
        "import sys\nfrom tests.support import tui_data as still\nfrom wabiz_tui.model.desk import QueuePage\n"
        "from wabiz_tui.tui.first_paint import paint\n"
        "rows = [row for row in still.conversations() if row.name.isascii() and row.preview.isascii()]\n"
        "paint(QueuePage(rows, len(rows), 0), still.status(), columns=80, rows=24, now=still.NOW)\n"
        "print([name for name in ('textual', 'rich', 'httpx', 'wcwidth') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
