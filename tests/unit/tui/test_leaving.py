"""A terminal that goes away while the inbox comes up: the program ends with the code of a hang-up, and nothing of it comes back."""

import asyncio
import contextlib
import signal

import pytest

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import seated
from wabiz_tui.tui import leaving
from wabiz_tui.tui.screens.unlock import Unlock


class SlowLock(StillDesk):
    """A desk that tells of its lock at once, and answers whoever asked for it when `answers` is set."""

    def __init__(self) -> None:
        super().__init__(needs="open sesame")
        self.answers = asyncio.Event()

    async def lock(self, reason: str = "asked") -> None:
        await super().lock(reason)
        await self.answers.wait()


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(leaving, "_LOOK_SECONDS", 0.01)
    # The last resort of a hang-up ends the process, which here is that of the tests.
    monkeypatch.setattr(leaving, "HANG_UP_SECONDS", 1e6)


@pytest.mark.usefixtures("short_waits")
async def test_a_hang_up_is_not_overtaken_by_a_new_memory() -> None:
    """The lock that a hang-up asks for shows the locked screen; that one is not started again, and the code is the hang-up's."""
    async with seated(SlowLock()) as seat:
        looking = asyncio.create_task(seat.app.leaving._renew_when_quiet())
        seat.app.leaving.hung_up()
        await seat.settle()
        assert isinstance(seat.app.base, Unlock)
        await asyncio.sleep(0.3)
        assert seat.app.return_code is None
        seat.desk.answers.set()
        await seat.settle()

        assert seat.app.return_code == 128 + signal.SIGHUP
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


@pytest.mark.usefixtures("short_waits")
async def test_a_locked_screen_waits_before_it_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time counts from the lock, also where the first look finds it locked already."""
    async with seated(StillDesk(needs="open sesame")) as seat:
        await seat.press("ctrl+l")
        monkeypatch.setattr(leaving, "QUIET_SECONDS", asyncio.get_running_loop().time() / 2)
        seat.app.leaving._pressed_at = -1e9
        looking = asyncio.create_task(seat.app.leaving._renew_when_quiet())
        await asyncio.sleep(0.1)
        assert seat.app.return_code is None
        monkeypatch.setattr(leaving, "QUIET_SECONDS", 0.01)
        await asyncio.wait_for(looking, 30)

        assert seat.app.return_code == leaving.RENEW


async def test_what_the_field_holds_may_be_asked_before_it_stands() -> None:
    """The look whether the screen is quiet comes at any moment, also between the making of the screen and its first drawing."""
    async with seated(StillDesk(status=still.status(locked=True, needs_passphrase=True), needs="open sesame")) as seat:
        screen = Unlock(seat.desk, still.status(locked=True, needs_passphrase=True))

        assert screen.is_untouched
        assert not screen.takes_keys
