"""A real desk at a real hub over a shift's end: it locks, says when work resumes, keeps what is to be sent, and comes back."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from tests.support.desk_bench import CONFIG, PASSPHRASE, enrol, make_desk
from tests.support.desk_hub import FakeHub, Refused
from tests.support.desk_samples import until
from tests.support.hub_served import served_hub
from wabiz_tui.desk.enrolment import enroll
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import Denied, Locked
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrolmentCode
from wabiz_tui.policy.checks import DAYS

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
