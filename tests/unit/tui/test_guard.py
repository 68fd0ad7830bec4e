"""Two walls between a customer's text and the terminal: the cleaner before the widgets and the guard on the output, each enough alone."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.widgets import Static

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import Seat, seated
from wabiz_tui.model.content import Text
from wabiz_tui.model.values import Direction
from wabiz_tui.tui.guard import OBEYED, OutputGuard

OURS = re.compile(r"\x1b\[[0-9;]*[mHGX]|\x1b\[\?2026[hl]|[\r\n]")
"""What the app itself writes while it draws: styles, cursor moves, erased cells, synchronised updates."""
HOSTILE = st.text(
    st.one_of(st.characters(categories=["Cc", "Cf", "Mn", "Cs", "Zl", "Zp"]), st.sampled_from("[]/@abc \x1b]8;;:")), max_size=60
)


def written(seat: Seat) -> str:
    """What the driver would be given for a repaint of the whole screen."""
    update = seat.app.screen._compositor.render_full_update()
    return update.render_segments(seat.app.console)


@settings(max_examples=12, deadline=None)
@given(st.lists(HOSTILE, min_size=8, max_size=24))
async def test_no_sequence_of_a_customer_is_written(texts: list[str]) -> None:
    """Whatever stands in names, previews and messages, only our own sequences reach the driver, in queue and talk alike."""
    rows = [
        msgspec.structs.replace(row, name=text, preview=text, labels=(text[:10],), status="open")
        for row, text in zip(still.conversations(), texts, strict=False)
    ]
    desk = StillDesk(rows, status=still.status(business=texts[0], person_name=texts[1], policy_name=texts[2], notice=texts[3]))
    thread = still.Thread(rows[0].id, still.ago(hours=1))
    for text in texts:
        thread.say(Direction.INCOMING, Text(text))
    desk.threads[rows[0].id] = thread.messages
    async with seated(desk) as seat:
        queue = written(seat)
        await seat.press("enter")
        talk = written(seat)

    for output in (queue, talk):
        rest = OURS.sub("", output)
        found = OBEYED.search(rest)
        assert found is None, f"{found[0]!r} was written"


async def test_every_kind_and_the_hostile_thread_are_clean() -> None:
    """Every kind of content, and an attacker's thread, draw without a sequence of their own."""
    async with seated() as seat:
        for number in (2, 11):
            seat.inbox.start(seat.inbox.going.open_talk(still.identity(number)))
            await seat.settle()
            await seat.press("g", "g")
            while True:
                assert OBEYED.search(OURS.sub("", written(seat))) is None
                if seat.inbox.timeline.is_at_end:
                    break
                await seat.press("pagedown")


@pytest.mark.parametrize("text", ["a\x1b[31mb", "\x1b]52;c;eA==\x07", "\x9bm", "\u202eb", "a\x7f\x00"])
async def test_the_guard_alone_is_enough(text: str) -> None:
    """A widget that was given raw text still writes nothing that a terminal obeys."""
    async with seated() as seat:
        await seat.inbox.mount(Static(Content(text), id="raw"))
        await seat.settle()

        assert OBEYED.search(OURS.sub("", written(seat))) is None


def test_guard_drops_links_and_keeps_widths() -> None:
    """A style's link is taken away, the text and its other attributes stay; clean segments pass as they are."""
    linked = Segment("x\u202ey", Style(bold=True, link="https://evil.example"))
    clean = [Segment("abc", Style(bold=True))]
    guard = OutputGuard()

    (made,) = guard.apply([linked], Color(0, 0, 0))

    assert made.text == "xy"
    assert made.style is not None
    assert made.style.bold
    assert made.style.link is None
    assert guard.apply(clean, Color(0, 0, 0)) is clean


async def test_guard_is_the_last_filter() -> None:
    """Nothing comes after the guard, in whatever theme."""
    async with seated() as seat:
        assert isinstance(seat.app.get_line_filters()[-1], OutputGuard)
