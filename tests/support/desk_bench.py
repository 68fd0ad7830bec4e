"""A whole desk over a real socket to the pretend hub, for the desk's tests: enrolled, unlocked, with its files at hand."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.desk_hub import FakeHub
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import enroll, find_enrolment, get_enrolment
from wabiz_tui.desk.session.opening import Setting
from wabiz_tui.model.clock import Clock, SystemClock
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.paths import Paths
from wabiz_tui.model.secret import Secret

PASSPHRASE = Secret("correct horse")
CONFIG = Config(keys=Keys(order=("passphrase",)))
COLD = Config(keys=Keys(order=("passphrase",), kernel_keyring=False))


async def enrol(hub: FakeHub, paths: Paths, *, config: Config = CONFIG) -> None:
    await enroll(hub.url, hub.code(), paths=paths, config=config, passphrase=PASSPHRASE, clock=SystemClock())


def make_desk(paths: Paths, *, config: Config = CONFIG, clock: Clock | None = None) -> LocalDesk:
    return LocalDesk(Setting(get_enrolment(paths), config, paths, DeskClock(clock or SystemClock())))


@asynccontextmanager
async def opened(
    hub: FakeHub, paths: Paths, *, config: Config = CONFIG, clock: Clock | None = None, synced: bool = True
) -> AsyncIterator[LocalDesk]:
    """An unlocked desk, enrolled if it was not, that has caught up with the hub."""
    if find_enrolment(paths) is None:
        await enrol(hub, paths, config=config)
    desk = make_desk(paths, config=config, clock=clock)
    await desk.begin()
    try:
        await desk.unlock(Secret(PASSPHRASE.reveal()))
        if synced:
            await desk.sync()
        yield desk
    finally:
        await desk.close()


def database_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if ".db" in path.name or ".part" in path.name)


def ahead_of(clock: SystemClock, **amount: float) -> Callable[[], None]:
    """Move a running desk's clock forward."""
    from datetime import timedelta

    def move() -> None:
        clock.ahead += timedelta(**amount)

    return move
