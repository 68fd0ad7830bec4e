"""Colleagues at the same conversation: what the screen says of its agent, and what it shows of others."""

from datetime import UTC, datetime

import pytest

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import Seat, seated
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.work import Doing, Presence
from wabiz_tui.tui.wording.company import company_spans
from wabiz_tui.tui.wording.spans import spans_width

FIRST, SECOND = still.identity(1), still.identity(2)


def other(name: str, doing: Doing = "viewing", *, at: str = FIRST) -> Presence:
    return Presence(at, f"person of {name}", name, doing, datetime(2026, 5, 4, tzinfo=UTC))


def words(*others: Presence, width: int = 76) -> str:
    return "".join(span.text for span in company_spans(others, width))


def test_the_words() -> None:
    """One and two by name, more by number; who types comes before who looks."""
    sam, kim, lee = other("Sam"), other("Kim"), other("Lee")
    assert words() == ""
    assert words(sam) == "Sam is looking at this too"
    assert words(kim, sam) == "Kim and Sam are looking at this too"
    assert words(kim, lee, sam) == "Kim and 2 others are looking at this too"
    assert words(kim, other("Sam", "typing")) == "Sam is typing…  Kim is looking too"
    assert words(other("Kim", "typing"), other("Sam", "typing")) == "Kim and Sam are typing…"


@pytest.mark.parametrize("width", [10, 34, 76])
def test_the_words_fit(width: int) -> None:
    """However long the names and however many there are, the line is no wider than its place, and nothing in a name acts."""
    crowd = [other(f"{number}\x1b[31m" + "long " * 20, "typing" if number % 2 else "viewing") for number in range(4)]

    assert spans_width(company_spans(crowd, width)) <= width
    assert "\x1b" not in words(*crowd)
    assert words(other("")) == "Somebody is looking at this too"


def row_above_composer(seat: Seat) -> str:
    return seat.rows()[seat.inbox.composer.region.y]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
async def test_a_colleague_at_the_open_talk_is_shown_in_place(size: tuple[int, int]) -> None:
    """The line stands right above what is written, moves nothing, and goes with the colleague; another talk's does not come."""
    async with seated(size=size) as seat:
        await seat.press("enter", "i")
        before = seat.rows()
        place = seat.inbox.composer.region
        seat.desk.meet(SECOND, other("Lee", "typing", at=SECOND))
        await seat.settle()
        unmoved = seat.rows()
        seat.desk.meet(FIRST, other("Sam", "typing"))
        await seat.settle()
        shown, above = seat.rows(), row_above_composer(seat)
        seat.desk.meet(FIRST)
        await seat.settle()

        assert unmoved == before
        assert "Sam is typing…" in above
        assert seat.inbox.composer.region == place
        assert [y for y in range(size[1]) if shown[y] != before[y]] == [place.y]
        assert seat.rows() == before


async def test_who_is_there_already_is_asked_at_the_opening_and_with_every_tick() -> None:
    """Opening a conversation shows who is there; what an event did not bring, the next tick does."""
    desk = StillDesk()
    desk.others[FIRST] = [other("Sam")]
    async with seated(desk) as seat:
        await seat.press("enter")
        opened = row_above_composer(seat)
        desk.others[FIRST] = [other("Sam"), other("Kim")]
        seat.inbox.upkeep.tick()
        await seat.settle()

        assert "Sam is looking at this too" in opened
        assert "Sam and Kim are looking at this too" in row_above_composer(seat)


async def test_what_the_agent_does_is_said() -> None:
    """Opening says viewing, a key in the composer typing (not every key), sending viewing; going on and going back say left."""
    async with seated() as seat:
        await seat.press("enter")
        await seat.press("i", *"one two")
        typed = list(seat.desk.watched)
        seat.clock.move(seconds=3)
        await seat.press("x")
        await seat.press("enter")
        await seat.press("escape", "J")
        await seat.press("h")

        assert typed == [(FIRST, "viewing"), (FIRST, "typing")]
        assert seat.desk.watched[2:4] == [(FIRST, "typing"), (FIRST, "viewing")]
        assert seat.desk.watched[-3][1] == "left"
        assert (seat.desk.watched[-3][0], seat.desk.watched[-1]) == (FIRST, (seat.desk.watched[-2][0], "left"))
        assert seat.desk.watched[-2][0] != FIRST


async def test_the_line_goes_with_the_talk() -> None:
    """Who was at one conversation is not shown at the next."""
    desk = StillDesk()
    desk.others[FIRST] = [other("Sam", "typing")]
    async with seated(desk) as seat:
        await seat.press("enter")
        shown = seat.text()
        await seat.press("J")

        assert "Sam is typing" in shown
        assert "Sam is typing" not in seat.text()


async def test_a_colleague_who_types_keeps_nobody_from_sending() -> None:
    """The line stands there before Enter, and Enter sends."""
    async with seated() as seat:
        await seat.press("enter", "i", *"Hello")
        seat.desk.meet(FIRST, other("Sam", "typing"))
        await seat.settle()
        warned = row_above_composer(seat)
        await seat.press("enter")

        assert "Sam is typing…" in warned
        assert [call[:3] for call in seat.desk.named("send_text")] == [("send_text", FIRST, "Hello")]


async def test_a_desk_that_fails_at_presence_is_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sentence, no lock, nothing lost: presence is a courtesy."""
    desk = StillDesk()

    async def refuse(conversation: str, doing: Doing) -> list[Presence]:
        raise Unreachable(f"No {doing} at {conversation}.")

    monkeypatch.setattr(desk, "watch", refuse)
    async with seated(desk) as seat:
        await seat.press("enter", "i", *"Hi", "enter")

        assert "No viewing" not in seat.text()
        assert desk.named("send_text")
