"""A real desk at a real hub over a shift's end: it locks, says when work resumes, keeps what is to be sent, and comes back."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from starlette.requests import Request

from tests.support.desk_bench import CONFIG, PASSPHRASE, enrol, make_desk, opened
from tests.support.desk_hub import FakeHub, Refused
from tests.support.desk_samples import StillClock, contact, conversation, ident, message, until
from tests.support.hub_served import served_hub
from wabiz_tui.desk.enrolment import enroll
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.session.shift import ShiftEnd
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import Denied, Locked, Unreachable, WabizError
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.wire import EnrolmentCode, ShareReply
from wabiz_tui.policy.checks import DAYS
from wabiz_tui.policy.document import parse_policy

HOURS = '[hours]\ntimezone = "UTC"\nholidays = ""\noff_shift = "closed"\n' + "".join(f'{day} = ["09:00-17:00"]\n' for day in DAYS)


async def test_at_the_shift_end_the_desk_locks_and_the_next_shift_brings_what_was_missed(tmp_path: Path) -> None:
    """The status says how the shift stands; at its end the desk locks by itself and unlocking is refused with the time at which work
    resumes; then it opens and holds what came meanwhile."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    async with served_hub(tmp_path / "hub", at=noon) as served:
        await served.incoming("before")
        admin = await served.admin()
        applied = await admin.post("/v1/policy", {"text": HOURS})
        code = decode((await admin.post("/v1/people", {"name": "Ada", "role": "agent"})).content, EnrolmentCode).code
        paths = paths_under(tmp_path / "desk")
        await enroll(str(served.http.base_url).rstrip("/"), code, paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())
        desk = make_desk(paths)
        await desk.begin()
        try:
            working = await desk.unlock(Secret(PASSPHRASE.reveal()))
            await desk.sync()
            held = len(await desk.conversations())
            served.clock.move(timedelta(hours=5))
            served.hub.shift_keeper.wake()

            async def is_locked() -> bool:
                return (await desk.status()).locked

            await until(is_locked)
            off = await desk.status()
            await served.incoming("after", wamid="wamid.AFTER", sender="447700900999")
            with pytest.raises(Locked):
                await desk.conversations()
            with pytest.raises(Denied) as refused:
                await desk.unlock(Secret(PASSPHRASE.reveal()))
            served.clock.move(timedelta(hours=16))
            served.hub.shift_keeper.wake()
            await desk.unlock(Secret(PASSPHRASE.reveal()))
            await desk.sync()
            again = await desk.status()
            later = len(await desk.conversations())
        finally:
            await desk.close()

        assert applied.status_code == 200, applied.text
        assert (working.shift, held) == ("working", 1)
        assert (off.shift, refused.value.code) == ("off", "off_shift")
        assert off.notice == refused.value.sentence
        assert off.notice.endswith("at 09:00.")
        assert (again.shift, later) == ("working", 2)


class ClosingHub(FakeHub):
    """A hub that gives an epoch as to a device whose shift has just ended: without the outbox's share and without a lease."""

    async def epochs(self, request: Request) -> object:
        reply = await super().epochs(request)
        assert isinstance(reply, ShareReply)
        return replace(reply, outbox_share="", lease=0)


async def test_a_desk_that_purges_as_its_shift_ends_keeps_its_letters(tmp_path: Path) -> None:
    """The outbox, whose share does not come with the epoch that a purge needs then, stays open, and opens again later."""
    paths = paths_under(tmp_path / "a home")
    with ClosingHub().serve() as hub:
        hub.put(conversation(1), contact(1), message(1, 1))
        async with opened(hub, paths) as desk:
            await desk.sync()
            await desk.save_draft(ident(1), "half a thought")
            await desk.purge()
            epoch, kept = (await desk.status()).epoch, await desk.draft(ident(1))
            await desk.lock()
            await desk.unlock(Secret(PASSPHRASE.reveal()))
            later = await desk.draft(ident(1))

    assert epoch == 2
    assert [None if draft is None else draft.text for draft in (kept, later)] == ["half a thought"] * 2


class ClosedHub(FakeHub):
    """A hub that gives nobody a share, since the shift ended."""

    async def share(self, request: Request) -> object:
        raise Refused(403, "off_shift", "Work resumes on Monday.")


async def test_a_desk_that_cannot_start_off_shift_is_a_denial(tmp_path: Path) -> None:
    """What the hub refused a desk that is being started reaches the command as it was said: denied, exit 3, by its own code."""
    paths = paths_under(tmp_path / "a home")
    with ClosedHub().serve() as hub:
        await enrol(hub, paths)
        with pytest.raises(Denied) as refused:
            await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})

    assert (refused.value.code, refused.value.exit_status, refused.value.sentence) == ("off_shift", 3, "Work resumes on Monday.")


async def test_without_the_hub_the_desk_locks_at_the_end_it_knows(tmp_path: Path) -> None:
    """The line is gone before the shift ends: by the policy's hours the desk locks itself, says when work resumes, and has dropped its
    keys, so that only the hub opens it again."""
    clock = SystemClock()
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    clock.ahead = noon - datetime.now(UTC)
    hub, paths = FakeHub(), paths_under(tmp_path / "home")
    hub.ahead = clock.ahead
    hub.set_policy('name = "Shifts"\n[cache]\nlease = "8h"\n' + HOURS)
    with hub.serve():
        await enrol(hub, paths)
        desk = make_desk(paths, clock=clock)
        await desk.begin()
        await desk.unlock(Secret(PASSPHRASE.reveal()))
        await desk.sync()
        open_before = not (await desk.status()).locked
    try:
        clock.ahead += timedelta(hours=5, minutes=1)

        async def is_locked() -> bool:
            return (await desk.status()).locked

        await until(is_locked)
        off = await desk.status()
        with pytest.raises(Locked):
            await desk.conversations()
        with pytest.raises(Unreachable):
            await desk.unlock(Secret(PASSPHRASE.reveal()))
    finally:
        await desk.close()

    assert open_before
    assert off.shift == "off"
    assert off.notice.endswith("at 09:00.")


def shift_end(clock: StillClock, *, online: bool = False) -> tuple[ShiftEnd, list[WabizError]]:
    ended: list[WabizError] = []
    policy = parse_policy('name = "Shifts"\n' + HOURS, file="p")
    return ShiftEnd("agent", policy=lambda: policy, now=clock.now, is_online=lambda: online, ended=ended.append), ended


def test_an_override_that_the_hub_told_outlasts_the_hours_and_no_longer() -> None:
    """Its word is believed until the end it named, also in another run; then the hours are, and a clock set back changes nothing more."""
    clock = StillClock(datetime(2026, 5, 4, 20, 0, tzinfo=UTC))
    shift, _ = shift_end(clock)
    refused = shift.refusal()
    shift.hear_earlier(ShiftStanding("working", until=clock.now() + timedelta(hours=1)))
    granted = shift.refusal()
    clock.pass_(hours=2)

    assert refused is not None
    assert refused.code == "off_shift"
    assert granted is None
    assert shift.refusal() is not None


def test_an_unlocking_that_the_hub_allowed_is_not_undone_before_its_word_comes() -> None:
    """The hub gives the share to nobody who is closed out: for two minutes that stands for its word."""
    clock = StillClock(datetime(2026, 5, 4, 20, 0, tzinfo=UTC))
    shift, _ = shift_end(clock)
    shift.admit()
    at_once = shift.refusal()
    clock.pass_(minutes=3)

    assert at_once is None
    assert shift.refusal() is not None
