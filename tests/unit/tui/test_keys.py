"""What each key does at the desk and on the screen."""

import msgspec
import pytest

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import seated
from wabiz_tui.model.config import Config, Screen
from wabiz_tui.model.errors import Denied, Unreachable, UsageError
from wabiz_tui.model.values import DeliveryState
from wabiz_tui.tui.actions import ACTIONS, BY_ID, Keymap, matching
from wabiz_tui.tui.dialogs.choose import Choose
from wabiz_tui.tui.dialogs.finder import Finder
from wabiz_tui.tui.dialogs.help import Help
from wabiz_tui.tui.screens.lock import Ended, Locked
from wabiz_tui.tui.screens.unlock import Unlock

FIRST, SECOND = still.identity(1), still.identity(2)


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("j",), 1), (("down", "down"), 2), (("j", "j", "k"), 1), (("up",), 0), (("G",), 11), (("G", "g", "g"), 0), (("end", "home"), 0),
        (("pagedown",), 11), (("ctrl+d",), 11), (("G", "ctrl+u"), 0),
    ],
)  # fmt: skip
async def test_moving_in_the_queue(keys: tuple[str, ...], row: int) -> None:
    """The keys of motion put the cursor where they say."""
    async with seated() as seat:
        await seat.press(*keys)

        assert seat.inbox.queue.cursor == row


async def test_a_letter_is_half_a_page_where_the_queue_is_long() -> None:
    """Ctrl+D goes half a page down a long queue, and rows beyond the first page are fetched when they come into sight."""
    async with seated(StillDesk(still.many_conversations(1000))) as seat:
        await seat.press("ctrl+d")
        half = seat.inbox.queue.cursor
        await seat.press("G")

        assert half == seat.inbox.queue.room // 2
        assert seat.inbox.queue.cursor == 999
        assert "Customer 00999" in seat.text()


@pytest.mark.parametrize("key", ["enter", "l", "right"])
async def test_opening_marks_read(key: str) -> None:
    """Opening a conversation shows it at its first unread message and marks it read up to the newest one."""
    async with seated() as seat:
        await seat.press(key)

        assert seat.inbox.conversation == FIRST
        assert "It said Tuesday" in seat.text()
        assert "Unread" in seat.text()
        assert seat.desk.named("mark_read") == [("mark_read", FIRST, seat.desk.threads[FIRST][-1].id)]


@pytest.mark.parametrize("key", ["h", "left", "escape", "q"])
async def test_back_to_the_queue(key: str) -> None:
    """h, left, Esc and q lead back, and the talk is gone from the screen."""
    async with seated(size=(80, 24)) as seat:
        await seat.press("enter", key)

        assert seat.inbox.conversation is None
        assert "It said Tuesday and nobody rang. See" not in seat.text()


async def test_reading_on_without_going_back() -> None:
    """J and K walk the conversations from inside one."""
    async with seated() as seat:
        await seat.press("enter", "J")
        after = seat.inbox.conversation
        await seat.press("K")

        assert (after, seat.inbox.conversation) == (SECOND, FIRST)


async def test_needs_me_skips_what_is_not_mine() -> None:
    """n goes to unread conversations that are mine or nobody's, and round the end."""
    async with seated() as seat:
        await seat.press("n")
        first = seat.inbox.queue.current
        await seat.press("n")
        second = seat.inbox.queue.current
        await seat.press("N", "N")

        assert first is not None
        assert second is not None
        assert (first.id, second.id) == (still.identity(3), still.identity(5))
        assert seat.inbox.queue.cursor == 0


@pytest.mark.parametrize(
    ("keys", "view"),
    [
        (("1",), "mine"), (("2",), "unassigned"), (("4",), "snoozed"), (("5",), "resolved"), (("6",), "pending"), (("7",), "unread"),
        (("8",), "all"), (("g", "i"), "mine"), (("g", "u"), "unassigned"), (("g", "a"), "all"), (("g", "s"), "snoozed"),
        (("g", "d"), "resolved"),
    ],
)  # fmt: skip
async def test_views(keys: tuple[str, ...], view: str) -> None:
    """Digits and the leader g show the views."""
    async with seated() as seat:
        await seat.press(*keys)

        assert seat.inbox.shown_view == view
        assert seat.inbox.queue.total == len(seat.desk._view(view))


async def test_leader_shows_what_may_follow() -> None:
    """After a while of waiting the leader shows its keys; a wrong key says so and does nothing."""
    async with seated() as seat:
        await seat.press("g")
        seat.app.leader._show()
        await seat.settle()
        shown = "Go to unassigned" in seat.text()
        await seat.press("x")

        assert shown
        assert "No action stands at g x." in seat.text()
        assert seat.inbox.shown_view == "open"


async def test_resolve_advances_and_undoes() -> None:
    """e resolves, goes on to the next and z takes it back."""
    async with seated() as seat:
        await seat.press("e")
        current = seat.inbox.queue.current
        await seat.press("z")

        assert current is not None
        assert current.id == SECOND
        assert [call[1:3] for call in seat.desk.named("set_status")] == [(FIRST, "resolved"), (FIRST, "open")]
        assert seat.desk.rows[FIRST].status == "open"


async def test_two_resolves_in_a_row_take_two_conversations() -> None:
    """The second e acts on the next conversation even before the desk has answered the first."""
    async with seated() as seat:
        await seat.press("e", "e")

        assert {call[1] for call in seat.desk.named("set_status")} == {FIRST, SECOND}


async def test_resolve_inside_opens_the_next() -> None:
    """Resolving from inside a conversation opens the next one."""
    async with seated() as seat:
        await seat.press("enter", "e")

        assert seat.inbox.conversation == SECOND


async def test_refused_triage_is_told() -> None:
    """When the hub cannot be reached the sentence stands on the screen and nothing has changed."""
    async with seated() as seat:
        seat.desk.fail_next = Unreachable("The hub does not answer; triage is not queued.")
        await seat.press("e")

        assert "triage is not queued" in seat.text()
        assert seat.desk.rows[FIRST].status == "open"


async def test_status_menu() -> None:
    """s opens a menu whose letters set the status."""
    async with seated() as seat:
        await seat.press("s")
        is_menu = isinstance(seat.app.screen, Choose)
        await seat.press("p")

        assert is_menu
        assert seat.desk.named("set_status")[0][1:3] == (FIRST, "pending")


@pytest.mark.parametrize(("choice", "hours"), [("1", 1.0), ("2", 17.5), ("3", None)])
async def test_snooze(choice: str, hours: float | None) -> None:
    """b snoozes for an hour, until tomorrow at eight, or until they write."""
    async with seated() as seat:
        await seat.press("b", choice)

        call = seat.desk.named("set_status")[0]
        until = call[3]
        assert call[1:3] == (FIRST, "snoozed")
        assert (until is None) if hours is None else (until - still.NOW).total_seconds() == hours * 3600


async def test_take_and_unread() -> None:
    """A takes a conversation, u marks it unread, z takes both back in turn."""
    async with seated() as seat:
        await seat.press("j", "j", "A", "u")
        calls = seat.desk.named("assign") + seat.desk.named("mark_unread")
        await seat.press("z", "z")

        third = still.identity(3)
        assert calls == [("assign", third, "me"), ("mark_unread", third)]
        assert seat.desk.named("mark_read") == [("mark_read", third, None)]
        assert seat.desk.rows[third].assignee is None


async def test_writing_and_sending() -> None:
    """i writes, Ctrl+J breaks the line, Enter sends; letters are text there and no commands."""
    async with seated() as seat:
        await seat.press("enter", "i", *"jeq", "ctrl+j", *"b", "enter")

        assert seat.desk.named("send_text") == [("send_text", FIRST, "jeq\nb", None, True)]
        assert seat.desk.named("set_status") == []
        assert seat.inbox.composer.buffer.text == ""
        assert "jeq" in seat.text()


async def test_sending_with_ctrl_x() -> None:
    """With `send_key = "ctrl+x"` Enter breaks the line and Ctrl+X sends."""
    async with seated(config=Config(screen=Screen(send_key="ctrl+x"))) as seat:
        await seat.press("enter", "i", "a", "enter", "b", "ctrl+x")

        assert [call[2] for call in seat.desk.named("send_text")] == ["a\nb"]


async def test_reply_quotes_the_message() -> None:
    """r answers the message under the cursor, and the quote can be dropped."""
    async with seated() as seat:
        await seat.press("enter", "r", *"ok", "enter")
        wamid = seat.desk.threads[FIRST][-3].wamid
        await seat.press("escape", "r", "ctrl+g", *"no", "enter")

        assert [call[3] for call in seat.desk.named("send_text")] == [wamid, None]


async def test_recall_brings_the_text_back() -> None:
    """z recalls what was just sent and the text stands in the composer again."""
    async with seated() as seat:
        await seat.press("enter", "i", *"oops", "enter", "escape", "z")

        assert len(seat.desk.named("recall")) == 1
        assert seat.inbox.composer.buffer.text == "oops"
        assert seat.desk.drafts[FIRST].text == "oops"


async def test_refused_send_keeps_the_text() -> None:
    """A send that policy forbids leaves the text in the composer and says why."""
    async with seated() as seat:
        await seat.press("enter", "i", *"hello")
        await seat.settle()
        seat.desk.fail_next = Denied("Outside working hours nothing is sent.")
        await seat.press("enter")

        assert seat.inbox.composer.buffer.text == "hello"
        assert "Outside working hours" in seat.text()


async def test_draft_is_saved_by_resting_leaving_and_closing() -> None:
    """A draft reaches the desk when the agent rests or leaves, and stands there again on the next opening."""
    async with seated() as seat:
        await seat.press("enter", "i", *"draft")
        await seat.press("escape", "h")
        saved = seat.desk.drafts[FIRST].text
        await seat.press("enter")

        assert saved == "draft"
        assert seat.inbox.composer.buffer.text == "draft"


async def test_shut_window_says_why() -> None:
    """Where the window is shut the composer says so and takes no text."""
    async with seated() as seat:
        await seat.press("G", "enter", "i", "x")

        assert seat.inbox.composer.buffer.text == ""
        assert "only a template" in seat.text()


async def test_retry_a_failed_message() -> None:
    """Ctrl+R on a failed message sends it again; on a delivered one it explains itself."""
    async with seated() as seat:
        await seat.press("j", "enter")
        seat.inbox.timeline.cursor = next(
            each.id for each in seat.desk.threads[SECOND] if each.delivery is not None and each.delivery.state is DeliveryState.FAILED
        )
        await seat.press("ctrl+r")
        await seat.press("g", "g", "ctrl+r")

        assert len(seat.desk.named("retry")) == 1
        assert "put the cursor on one first" in seat.text()


@pytest.mark.parametrize(("allowed", "copied"), [("masked", ["call me on"]), ("on", ["call me on", "900123"]), ("off", [])])
async def test_the_policy_says_what_is_copied(allowed: str, copied: list[str]) -> None:
    """y copies the message with phone numbers masked, whole, or not at all, as the policy's clipboard says."""
    desk = StillDesk(status=msgspec.structs.replace(still.status(), clipboard=allowed))
    desk._thread(FIRST)
    desk.arrive(FIRST, "call me on +44 7700 900123 please")
    async with seated(desk) as seat:
        await seat.press("enter", "G", "y")

        assert [words for words in ("call me on", "900123") if words in seat.app.clipboard] == copied
        assert ("lets nothing be copied" in seat.text()) == (allowed == "off")


@pytest.mark.parametrize("key", ["d", "D", "number_sign"])
async def test_no_key_deletes(key: str) -> None:
    """The keys that delete elsewhere only say that records are kept."""
    async with seated() as seat:
        before = list(seat.desk.calls)
        await seat.press(key)

        assert "only by policy" in seat.text()
        assert [call for call in seat.desk.calls if call not in before and call[0] != "activity"] == []


@pytest.mark.parametrize("key", ["ctrl+p", "ctrl+k", "colon"])
async def test_palette(key: str) -> None:
    """The palette finds an action by its words and does it."""
    async with seated() as seat:
        await seat.press(key)
        assert isinstance(seat.app.screen, Finder)
        await seat.press(*"take it", "enter")

        assert seat.desk.named("assign") == [("assign", FIRST, "me")]


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_shows_live_keys(key: str) -> None:
    """Help shows the keys as config.toml made them."""
    async with seated(config=Config(keymap={"conversation.resolve": "x,g x"})) as seat:
        await seat.press(key)
        assert isinstance(seat.app.screen, Help)
        assert any("x  g x" in row and "Resolve" in row for row in seat.rows())
        await seat.press("escape")


async def test_rebinding() -> None:
    """A key from [keymap] works, as single key and as sequence, and the old one no longer does."""
    async with seated(config=Config(keymap={"conversation.resolve": "x,g x"})) as seat:
        await seat.press("e")
        unbound = list(seat.desk.named("set_status"))
        await seat.press("x", "g", "x")

        assert unbound == []
        assert [call[1] for call in seat.desk.named("set_status")] == [FIRST, SECOND]


def test_unknown_action_is_refused_with_the_nearest() -> None:
    """An id that no action has is refused by name, with the nearest one."""
    with pytest.raises(UsageError, match=r"conversation\.resolv.*Did you mean conversation\.resolve"):
        Keymap({"conversation.resolv": "x"})


def test_every_action_is_found_and_no_key_means_two_things() -> None:
    """Each id is unique and in the palette, and within one place no key stands for two actions."""
    assert len(BY_ID) == len(ACTIONS)
    assert {action.id for action in matching("")} == {action.id for action in ACTIONS if action.where != "composer"}
    taken: dict[str, str] = {}
    for action in ACTIONS:
        for key in Keymap().keys[action.id] if action.where != "composer" else ():
            assert taken.setdefault(key, action.id) == action.id


async def test_find_messages_opens_the_conversation() -> None:
    """/ finds words in messages and Enter opens where they were written."""
    async with seated() as seat:
        await seat.press("slash", *"unboxing")
        await seat.settle()
        await seat.press("enter")

        assert seat.inbox.conversation == SECOND


async def test_find_conversation_by_name() -> None:
    """f finds a conversation by part of its name."""
    async with seated() as seat:
        await seat.press("f", *"weiß")
        await seat.settle()
        await seat.press("enter")

        assert seat.inbox.conversation == still.identity(6)


async def test_info_pane() -> None:
    """I hides and shows the contact pane."""
    async with seated() as seat:
        await seat.press("enter")
        shown = "United Kingdom" in seat.text()
        await seat.press("I")

        assert shown
        assert "United Kingdom" not in seat.text()


async def test_lock_blanks_the_screen() -> None:
    """Ctrl+L locks the desk, even while writing: nothing of the inbox stands on the screen, the draft is saved."""
    async with seated() as seat:
        await seat.press("enter", "i", *"dra", "ctrl+l")

        assert seat.desk.named("lock") == [("lock", "asked")]
        assert isinstance(seat.app.screen, Locked)
        assert "Priya" not in seat.text()
        assert "parcel" not in seat.text()
        assert seat.desk.drafts[FIRST].text == "dra"


async def test_unlock_with_passphrase() -> None:
    """A wrong passphrase is told in one sentence, the right one opens the inbox; the field shows dots only."""
    desk = StillDesk(status=still.status(locked=True, needs_passphrase=True), needs="pa ss")
    async with seated(desk) as seat:
        assert isinstance(seat.app.screen, Unlock)
        await seat.press(*"wrong")
        assert "wrong" not in seat.text()
        await seat.press("enter")
        assert "does not open the key store" in seat.text()
        await seat.press(*"pa", "space", *"ss", "enter")

        assert "Priya Raman" in seat.text()


async def test_locked_elsewhere() -> None:
    """When the desk locks by itself the screen follows and says why; Enter unlocks."""
    async with seated() as seat:
        await seat.desk.lock("idle")
        await seat.settle()
        assert isinstance(seat.app.screen, Locked)
        assert "Nobody pressed a key" in seat.text()
        await seat.press("enter")

        assert "Priya Raman" in seat.text()


async def test_desk_ended_offers_to_reopen() -> None:
    """When the desk's process ends the screen says so, and Enter asks the caller to open it anew."""
    async with seated() as seat:
        seat.desk.end()
        await seat.settle()
        assert isinstance(seat.app.screen, Ended)
        assert "Priya" not in seat.text()
        await seat.press("enter")

        assert seat.app.return_code == 75


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving(key: str) -> None:
    """q at the queue and Ctrl+Q leave with 0."""
    async with seated() as seat:
        await seat.press(key)

        assert seat.app.return_code == 0


async def test_activity_is_reported_now_and_then() -> None:
    """Keys reset the idle lock, once in ten seconds at most."""
    async with seated() as seat:
        await seat.press("j", "j", "j")
        once = len(seat.desk.named("activity"))
        seat.clock.move(seconds=11)
        await seat.press("j")

        assert (once, len(seat.desk.named("activity"))) == (1, 2)


async def test_news_keep_the_cursor_on_its_conversation() -> None:
    """When a customer writes the queue reorders, and the cursor stays with the conversation it was on."""
    async with seated() as seat:
        await seat.press("j", "j")
        seat.desk.arrive(still.identity(9), "It broke again")
        seat.desk.replace(still.identity(9), last_at=still.NOW)
        await seat.settle()

        current = seat.inbox.queue.current
        assert current is not None
        assert current.id == still.identity(3)
        assert "It broke again" in seat.rows()[1]


async def test_ticks_follow_the_message() -> None:
    """The ladder of a sent message moves as its delivery does."""
    async with seated() as seat:
        await seat.press("enter", "i", *"hi", "enter")
        message = seat.desk.threads[FIRST][-1]
        seen = []
        for state in ("accepted", "sent", "delivered"):
            seat.desk.deliver(message, state)
            await seat.settle()
            seen.append(next(row.split("14:30")[1].split()[0] for row in seat.rows() if "hi  14:30" in row))

        assert seen == ["·", "✓", "✓✓"]


async def test_earlier_pages_come_when_wanted() -> None:
    """Scrolling up a long talk loads what stands before, until its beginning."""
    desk = StillDesk()
    desk.threads[still.identity(9)] = still.long_thread(still.identity(9), 180)
    desk.rows = {still.identity(9): msgspec.structs.replace(desk.rows[still.identity(9)], unread=0)}
    async with seated(desk) as seat:
        await seat.press("enter")
        first = len(seat.inbox.timeline.messages)
        for _ in range(6):
            await seat.press("g", "g")

        assert first == 50
        assert len(seat.inbox.timeline.messages) == 180
        assert "Message 0:" in seat.text()


async def test_retry_finds_what_failed() -> None:
    """Ctrl+R with the cursor elsewhere sends the newest failed message again, and never one that may have arrived."""
    async with seated() as seat:
        await seat.press("j", "enter", "g", "g", "ctrl+r")

        retried = [call[1] for call in seat.desk.named("retry")]
        failed = [each.id for each in seat.desk.threads[SECOND] if each.id in retried]
        assert len(retried) == len(failed) == 1


async def test_revoked_device_asks_for_no_passphrase() -> None:
    """What a revoked device held is gone: its lock screen says why and how to begin again, and takes no passphrase."""
    status = msgspec.structs.replace(still.status(), locked=True, link="revoked", needs_passphrase=True, notice="This device was revoked.")
    async with seated(StillDesk(status=status, needs="x")) as seat:
        assert "wabiz enroll HUB_URL CODE" in seat.text()
        assert "Type your passphrase" not in seat.text()
