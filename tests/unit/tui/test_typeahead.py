"""Keys typed faster than screens can open go where they were meant to go."""

import asyncio

import pytest

from tests.support import tui_data as still
from tests.support.tui_desk import PASSPHRASE, StillDesk
from tests.support.tui_pilot import burst, seated
from wabiz_tui.model.desk import DeskStatus, Draft, SearchHit, TimelinePage
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation
from wabiz_tui.tui import typeahead
from wabiz_tui.tui.dialogs.choose import Choose
from wabiz_tui.tui.dialogs.finder import Finder
from wabiz_tui.tui.dialogs.help import Help
from wabiz_tui.tui.screens.unlock import Unlock

FIRST, SECOND = still.identity(1), still.identity(2)
DELAY = 0.03


class SlowDesk(StillDesk):
    """Takes its time for every answer, as one behind a socket with work to do."""

    async def conversations(self) -> list[Conversation]:
        await asyncio.sleep(DELAY)
        return await super().conversations()

    async def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        await asyncio.sleep(DELAY)
        return await super().search(words, limit=limit)

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        await asyncio.sleep(DELAY)
        return await super().timeline(conversation, before=before, after=after, limit=limit)

    async def draft(self, conversation: str) -> Draft | None:
        await asyncio.sleep(DELAY)
        return await super().draft(conversation)

    async def save_draft(self, conversation: str, text: str, *, reply_to: str | None = None) -> None:
        await asyncio.sleep(DELAY)
        self._check_open()
        await super().save_draft(conversation, text, reply_to=reply_to)

    async def lock(self, reason: str = "asked") -> None:
        await asyncio.sleep(DELAY)
        await super().lock(reason)

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        await asyncio.sleep(DELAY)
        return await super().unlock(passphrase)


def name_of(conversation: str) -> str:
    return next(row.name for row in still.conversations() if row.id == conversation)


async def test_find_by_name_and_enter_in_one_go() -> None:
    """`f`, a name with an e in it and Enter, typed at once, open that conversation; nothing is resolved."""
    desk = SlowDesk()
    name = next(row.name for row in still.conversations() if row.id == still.identity(3))
    async with seated(desk) as seat:
        await burst(seat, "f", *name, "enter")

        assert seat.inbox.conversation == still.identity(3)
        assert desk.named("set_status") == []


async def test_find_write_and_send_in_one_go() -> None:
    """Finding, writing, sending, leaving and recalling in one go act in that order on that conversation."""
    desk = SlowDesk()
    async with seated(desk) as seat:
        await burst(seat, "f", *name_of(SECOND), "enter", "i", *"see you", "enter", *"next", "escape", "escape")

        assert [call[:3] for call in desk.named("send_text")] == [("send_text", SECOND, "see you")]
        assert desk.drafts[SECOND].text == "next"
        assert seat.inbox.conversation is None
        await burst(seat, "f", *name_of(SECOND), "enter", "z", "q", "q")
        assert len(desk.named("recall")) == 1
        assert seat.app.return_code == 0


async def test_messages_are_found_in_one_go() -> None:
    """`/`, words and Enter open the newest message with those words, not that of an earlier letter."""
    async with seated(SlowDesk()) as seat:
        await burst(seat, "/", *"tuesday", "enter")

        assert seat.inbox.conversation == FIRST


@pytest.mark.parametrize(
    ("keys", "screen"),
    [(("ctrl+p", *"unassigned"), Finder), ((":",), Finder), (("s",), Choose), (("b",), Choose), (("?", "j", "j"), Help)],
)
async def test_dialogs_take_what_follows(keys: tuple[str, ...], screen: type) -> None:
    """Keys after the one that opens a dialog reach it and change nothing below; Escape closes it in the same go."""
    desk = SlowDesk()
    async with seated(desk) as seat:
        await burst(seat, *keys)
        assert isinstance(seat.app.screen, screen)
        assert seat.inbox.queue.cursor == 0
        await burst(seat, "escape", "j")

        assert seat.app.screen is seat.inbox
        assert seat.inbox.queue.cursor == 1
        assert desk.named("set_status") == []


async def test_palette_and_menu_in_one_go() -> None:
    """An action chosen by words, then a status by its letter, both typed with what opens them."""
    desk = SlowDesk()
    async with seated(desk) as seat:
        await burst(seat, "ctrl+p", *"go to all", "enter", "j", "s", "p")

        assert seat.inbox.shown_view == "all"
        assert [call[2] for call in desk.named("set_status")] == ["pending"]


async def test_write_from_the_queue_in_one_go() -> None:
    """`i` at the queue opens the conversation; every letter after it stands in the draft."""
    desk = SlowDesk()
    async with seated(desk) as seat:
        await burst(seat, "i", *"hello there, resolve", "escape")

        assert seat.inbox.composer.buffer.text == "hello there, resolve"
        assert desk.drafts[FIRST].text == "hello there, resolve"
        assert desk.named("set_status") == []


async def test_leader_in_one_go() -> None:
    """A sequence and what follows it act in order."""
    async with seated(SlowDesk()) as seat:
        await burst(seat, "g", "a", "j", "j")

        assert (seat.inbox.shown_view, seat.inbox.queue.cursor) == ("all", 2)


async def test_lock_and_unlock_in_one_go() -> None:
    """Ctrl+L saves the draft and locks; the passphrase typed at once, with a q in it, goes into the field and opens the inbox: there the
    next key counts, in the conversation that stood open."""
    desk = SlowDesk(needs="quick, quiet e")
    async with seated(desk) as seat:
        await burst(seat, "i", *"dra", "ctrl+l", *"quick, quiet e", "enter")

        assert desk.drafts[FIRST].text == "dra"
        assert desk.named("unlock") == [("unlock", "quick, quiet e")]
        await burst(seat, "J")
        assert seat.inbox.conversation == SECOND
        assert seat.app.return_code is None


async def test_wrong_passphrase_then_right_one_in_one_go() -> None:
    """What follows a wrong passphrase goes into the field again."""
    desk = SlowDesk(status=still.status(locked=True, needs_passphrase=True), needs=PASSPHRASE)
    async with seated(desk) as seat:
        await burst(seat, *"wrong", "enter", *PASSPHRASE, "enter")
        await burst(seat, "j")

        assert seat.inbox.queue.cursor == 1


async def test_a_passphrase_typed_once_more_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed before the inbox stands, since nothing seems to happen, is dropped with a sentence, and so is what comes in one go with
    it: an i among its letters would open the composer, and Enter would send the rest to a customer. After a pause keys count again."""
    desk = SlowDesk(status=still.status(locked=True, needs_passphrase=True), needs=PASSPHRASE)
    monkeypatch.setattr(typeahead, "PAUSE", 60.0)
    async with seated(desk) as seat:
        await burst(seat, *PASSPHRASE, "enter", "i", *PASSPHRASE, "enter")
        await burst(seat, "enter", "i", *"more of it", "enter")

        assert seat.inbox.conversation is None
        assert not seat.inbox.composer.has_focus
        assert desk.named("send_text") == []
        assert "was dropped" in seat.text()

        monkeypatch.setattr(typeahead, "PAUSE", 0.0)
        await burst(seat, "x")
        await burst(seat, "j")
        assert seat.inbox.queue.cursor == 1


async def test_leaving_the_lock_screen() -> None:
    """A q is a letter of the passphrase; Esc and then q leave, and another key goes back to the field."""
    desk = StillDesk(status=still.status(locked=True, needs_passphrase=True), needs=PASSPHRASE)
    async with seated(desk) as seat:
        await burst(seat, "q", "escape", "a")
        assert isinstance(seat.app.screen, Unlock)
        assert seat.app.screen._field.value == "a"
        await burst(seat, "escape", "q")

        assert seat.app.return_code == 0


async def test_leaving_passes_a_desk_that_does_not_answer() -> None:
    """Ctrl+Q leaves although an earlier key still waits for the desk."""

    class StuckDesk(StillDesk):
        async def timeline(
            self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50
        ) -> TimelinePage:
            await asyncio.Event().wait()
            raise AssertionError

    async with seated(StuckDesk()) as seat:
        driver = seat.app._driver
        assert driver is not None
        for key in ("enter", "e"):
            await seat.pilot.press(key)
        while not seat.app.typeahead._is_stuck():  # noqa: ASYNC110 time goes on by itself
            await asyncio.sleep(0.02)
        await seat.pilot.press("ctrl+q")
        while seat.app.return_code is None:  # noqa: ASYNC110 there is no event for it
            await asyncio.sleep(0.02)

        assert seat.desk.named("set_status") == []


async def test_a_q_in_mid_word_does_not_leave_an_ended_desk() -> None:
    """When the desk ends while somebody writes, the letters that follow do not leave the program."""
    async with seated() as seat:
        await seat.press("i")
        seat.desk.end()
        await seat.settle()
        await burst(seat, *"quite")

        assert seat.app.return_code is None


async def test_text_for_a_shut_window_resolves_nothing() -> None:
    """Where nothing may be written the letters after `i` are swallowed; Esc leads back to the keys."""
    desk = SlowDesk()
    async with seated(desk) as seat:
        await burst(seat, "G", "enter", "i", *"please see here", "enter", "escape", "escape", "j")

        assert desk.named("set_status") == []
        assert desk.named("send_text") == []
        assert seat.inbox.conversation is None


async def test_text_after_a_refused_opening_is_dropped() -> None:
    """When a conversation cannot be opened, the letters typed for it do not act on the queue."""

    class Gone(SlowDesk):
        async def draft(self, conversation: str) -> Draft | None:
            await asyncio.sleep(DELAY)
            raise NotFound("That conversation is not here.")

    desk = Gone()
    async with seated(desk) as seat:
        await burst(seat, "i", *"please see here", "enter")

        assert desk.named("set_status") == []
        assert "not here" in seat.text()


async def test_what_was_typed_too_long_ago_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that waited for longer than anybody remembers do nothing: typed a second time, a passphrase would be sent to a customer."""
    monkeypatch.setattr("wabiz_tui.tui.typeahead.STALE_AFTER", 0.0)
    desk = SlowDesk()
    async with seated(desk) as seat:
        await burst(seat, "enter", "i", *"secret", "enter")

        assert not desk.named("send_text")
