"""The agent finds again what stood before the screen had to go, and keys that nobody can tell apart do no harm."""

from textual import events

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import seated
from wabiz_tui.tui.inbox.screen import InboxScreen


async def test_the_conversation_stands_again_after_a_lock() -> None:
    """Lock and unlock lead back into the conversation that stood open, with its draft."""
    async with seated(StillDesk(needs="open sesame")) as seat:
        await seat.press("enter", "i", *"half", "ctrl+l")
        assert not isinstance(seat.app.base, InboxScreen)
        await seat.press(*"open sesame", "enter")

        assert seat.inbox.conversation == still.identity(1)
        assert seat.inbox.composer.buffer.text == "half"


async def test_a_conversation_that_went_while_locked() -> None:
    """Where policy took the conversation meanwhile, the queue stands and a sentence says so."""
    async with seated(StillDesk(needs="open sesame")) as seat:
        await seat.press("enter", "ctrl+l")
        seat.desk.purge_conversation(still.identity(1))
        await seat.press(*"open sesame", "enter")

        assert seat.inbox.conversation is None
        assert "That conversation is not here." in seat.text()


async def test_esc_and_a_letter_that_came_as_one_key() -> None:
    """What a terminal passes on as Alt and a letter is neither text of the draft nor a command."""
    async with seated() as seat:
        await seat.press("enter", "i", *"yes")
        driver = seat.app._driver
        assert driver is not None
        for letter in "ezb":
            driver.send_message(events.Key(f"alt+{letter}", letter))
        await seat.settle()

        assert seat.inbox.composer.buffer.text == "yes"
        assert seat.inbox.is_writing
        assert not seat.desk.named("set_status")


async def test_a_narrow_status_line_keeps_its_fields() -> None:
    """At 64 columns the policy's name gives way, and lease and shift are still there."""
    async with seated(size=(64, 15)) as seat:
        assert "policy: 3  lease: 7h 12m  shift: until 17:30" in seat.rows()[-1]


async def test_a_refusal_is_read_whole_on_a_narrow_screen() -> None:
    """What is wrong with a passphrase is said to its end at 40 columns, above the field."""
    async with seated(StillDesk(status=still.status(locked=True, needs_passphrase=True), needs="open sesame"), size=(40, 12)) as seat:
        await seat.press(*"wrong", "enter")

        assert "That passphrase does not open the key store; try again." in " ".join(seat.text().split())


async def test_a_revoked_machine_names_its_way_out() -> None:
    """The screen of a revoked device says how to leave it, and that key does."""
    async with seated(StillDesk(status=still.status(locked=True, link="revoked"))) as seat:
        assert "q leave" in seat.text()
        await seat.press("q")

        assert seat.app.return_code == 0


async def test_a_long_sentence_is_read_whole() -> None:
    """What to do is said to its end at 80 columns, and the rows it took are given back."""
    said = "There is no program here to show it with: name one under [desk] viewer in config.toml. Over SSH it needs a display."
    async with seated(size=(80, 24)) as seat:
        await seat.press("enter")
        before = seat.rows()
        seat.inbox.say(said, "bad")
        await seat.settle()
        assert said in " ".join(seat.text().split())

        seat.inbox.surround._unsay()
        await seat.settle()
        assert seat.rows() == before
