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
        assert len(timeline.messages) == 4

        desk.answers = True
        await seat.press("pageup")

        assert len(timeline.messages) == len(await desk.messages(TALK))
        assert AT_THE_HUB not in said_above(timeline)


async def test_a_hub_that_comes_back_is_asked_without_a_key() -> None:
    """When the link stands again the line is gone as soon as the reader moves near the top; nothing is asked twice at once."""
    desk = PartialDesk()
    async with seated(desk) as seat:
        await seat.inbox.going.open_talk(TALK)
        await seat.settle()
        assert NO_ANSWER in said_above(seat.inbox.timeline)
        desk.answers = True
        desk.replace(TALK, unread=0)
        await seat.settle()
        asked = len(desk.named("earlier"))

        await seat.press("k")

        assert len(desk.named("earlier")) == asked + 1
        assert AT_THE_HUB not in said_above(seat.inbox.timeline)
