"""The lease: how long the kernel's keys open a cache, whatever is done to the clocks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.desk_bench import CONFIG, PASSPHRASE, enrol, make_desk, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import NOON, conversation, counting_bytes, until
from tests.support.key_hosts import wait_for
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys import kernel, warm
from wabiz_tui.desk.keys.bundle import make_bundle
from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.desk.keys.warm import Warm
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.desk import Desk
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

needs_kernel = pytest.mark.skipif(kernel.refusal() is not None, reason=f"no kernel keyring here: {kernel.refusal()}")
HOURS = 3600.0


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


class SetClock:
    """A clock on the wall that anybody may set, beside seconds that nobody can."""

    def __init__(self) -> None:
        self.at, self.seconds = NOON, 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def since_boot(self) -> float:
        return self.seconds


def kept(hours: int = 8) -> Warm:
    return Warm({1: Secret(b"1" * 32)}, Secret(b"o" * 32), NOON + timedelta(hours=hours), make_bundle(counting_bytes()))


@needs_kernel
def test_the_kernel_ends_it_by_itself() -> None:
    """Nobody asks and nobody looks at a clock: after its seconds the kernel has nothing."""
    device = uuid4().hex
    assert warm.keep(device, kept(), now=NOON + timedelta(hours=8, seconds=-1))

    wait_for(lambda: kernel.get(f"wabiz:{device}") is None)


@needs_kernel
def test_a_clock_set_back_extends_nothing() -> None:
    """Set back by a day, the lease is as long as the seconds that are left of it; when they have passed it is over."""
    device, clock = uuid4().hex, SetClock()
    assert warm.keep(device, kept(), now=clock.at, since_boot=clock.since_boot)

    clock.at -= timedelta(days=1)
    clock.seconds += 6 * HOURS
    found = warm.find(device, now=clock.at, since_boot=clock.since_boot)
    assert found is not None
    assert found.lease_until == clock.at + timedelta(hours=2)

    clock.seconds += 2 * HOURS
    assert warm.find(device, now=clock.at, since_boot=clock.since_boot) is None
    assert kernel.get(f"wabiz:{device}") is None


@needs_kernel
def test_a_clock_set_forward_ends_it() -> None:
    """Sooner than the seconds say: the sooner of the two counts."""
    device, clock = uuid4().hex, SetClock()
    assert warm.keep(device, kept(), now=clock.at, since_boot=clock.since_boot)

    assert warm.find(device, now=clock.at + timedelta(hours=8), since_boot=clock.since_boot) is None


async def test_an_open_desk_counts_the_seconds_too(hub: FakeHub, paths: Paths) -> None:
    """The clock is set back under a desk that is open and without its hub: the lease still ends after its eight hours."""
    await enrol(hub, paths)
    clock = SetClock()
    desk_clock = DeskClock(clock)
    vault = Vault(get_enrolment(paths), config=CONFIG, paths=paths, clock=desk_clock, keeps_warm=False, since_boot=clock.since_boot)
    vault.lease_until = NOON + timedelta(hours=8)

    clock.at -= timedelta(days=3)
    clock.seconds += 7 * HOURS
    left = vault.lease_until
    assert left is not None
    assert left - desk_clock.now() == timedelta(hours=1)

    clock.seconds += HOURS
    over = vault.lease_until
    assert over is not None
    assert over <= desk_clock.now()


async def is_online(desk: Desk) -> bool:
    return (await desk.status()).link == "online"


@needs_kernel
@pytest.mark.parametrize("hours", [5, -5], ids=["hub ahead", "hub behind"])
async def test_a_hub_of_another_time_gives_no_longer_lease(paths: Paths, hours: int) -> None:
    """Its clock is five hours ahead or behind: a desk without it goes on for eight hours from then on, not thirteen."""
    with FakeHub().serve() as hub:
        hub.ahead = timedelta(hours=hours)
        hub.put(conversation(1, last_at=hub.now()))
        async with opened(hub, paths) as desk:
            await until(lambda: is_online(desk))
    for started_after, is_locked in ((timedelta(hours=7), False), (timedelta(hours=9), True)):
        late = make_desk(paths, clock=SystemClock(started_after + max(hub.ahead, timedelta())))
        await late.begin()
        assert (await late.status()).locked is is_locked
        await late.close()


@needs_kernel
async def test_a_reboot_takes_the_kernels_keys(paths: Paths) -> None:
    """What the kernel held is gone as after a restart of the machine: without the hub nothing opens, with it the passphrase does."""
    hub = FakeHub()
    with hub.serve():
        async with opened(hub, paths):
            pass
    kernel.take(f"wabiz:{get_enrolment(paths).device}")
    desk = make_desk(paths)
    await desk.begin()
    assert (await desk.status()).locked

    with hub.serve(int(hub.url.rpartition(":")[2])):
        assert not (await desk.unlock(Secret(PASSPHRASE.reveal()))).locked
        await desk.close()
