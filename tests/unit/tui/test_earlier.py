"""Where the machine's copy of a talk ends the screen says so, and asks the hub again when the reader goes up."""

import msgspec

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import seated
from wabiz_tui.model.desk import Earlier, TimelinePage
from wabiz_tui.tui.conversation.timeline import Timeline
from wabiz_tui.tui.wording.spans import Span

AT_THE_HUB = "Anything said before is at the hub"
NO_ANSWER = f"{AT_THE_HUB}, which does not answer. PgUp asks it again."
TALK = still.identity(3)


class PartialDesk(StillDesk):
    """Holds the last four messages of each talk; the rest is at a hub that answers while `answers` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = False

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        if before is None:
            page = await super().timeline(conversation, limit=4)
            earlier: Earlier = "hub" if self.answers else "unreachable"
            return msgspec.structs.replace(page, has_earlier=self.answers, earlier=earlier)
        self.calls.append(("earlier", before))
        if not self.answers:
            page = await super().timeline(conversation, limit=limit)
            return msgspec.structs.replace(page, messages=[], has_earlier=False, earlier="unreachable")
        return await super().timeline(conversation, before=before, after=after, limit=limit)


def said_above(timeline: Timeline) -> str:
    """What stands above the oldest message, as one line."""
    begin, _ = timeline.laid.starts[timeline.messages[0].id]
    return " ".join("".join(span.text for shown in timeline.laid.lines[:begin] for span in (*shown.spans, Span(" "))).split())


async def test_a_talk_without_its_beginning_says_where_that_is() -> None:
    """Without the hub a line stands above the oldest message; at the top PgUp asks again, and an answer takes the line's place."""
    desk = PartialDesk()
    async with seated(desk, size=(80, 24)) as seat:
        await seat.inbox.going.open_talk(TALK)
        await seat.settle()
        timeline = seat.inbox.timeline
        timeline.to_end(is_top=True)
        await seat.settle()
        assert NO_ANSWER in said_above(timeline)
        assert AT_THE_HUB in seat.text()
        assert not desk.named("earlier")
        assert len(timeline.messages) == 4

        desk.answers = True
        await seat.press("pageup")

        assert len(timeline.messages) == len(await desk.messages(TALK))
        assert AT_THE_HUB not in said_above(timeline)


async def test_the_hub_is_asked_only_by_a_reader_who_goes_on_at_the_top() -> None:
    """Opening a talk, reading in it and news of it ask the hub for nothing, as each such reading is logged there; going up from the
    oldest message does, once."""
    desk = PartialDesk()
    desk.answers = True
    async with seated(desk) as seat:
        await seat.inbox.going.open_talk(TALK)
        await seat.settle()
        desk.replace(TALK, unread=0)
        await seat.press("k", "k", "k", "g", "g")
        read = len(desk.named("earlier"))
        assert f"{AT_THE_HUB}. PgUp reads it there." in said_above(seat.inbox.timeline)

        await seat.press("k")

        assert read == 0
        assert len(desk.named("earlier")) == 1
        assert AT_THE_HUB not in said_above(seat.inbox.timeline)


async def test_a_talk_of_which_nothing_is_held_promises_no_key() -> None:
    """Where policy took all messages the screen says where they are, and names no key that would find none to begin from."""
    desk = PartialDesk()
    desk.answers = True
    async with seated(desk, size=(80, 24)) as seat:
        desk.threads[TALK] = []
        await seat.inbox.going.open_talk(TALK)
        await seat.press("pageup")

        assert "What was said before is not on this machine; the record is at the hub." in seat.text()
        assert "PgUp" not in seat.text()
        assert not desk.named("earlier")
