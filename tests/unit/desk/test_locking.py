"""Locked means locked: with or without a desk that runs, and whatever passphrase somebody else gave."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import until
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys import kernel, warm
from wabiz_tui.desk.keys.passphrase_file import NAME
from wabiz_tui.desk.process import launch
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.exclusion import take_lock
from wabiz_tui.model.errors import Conflict, NoKeyStore, UsageError, WrongKey
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

needs_kernel = pytest.mark.skipif(kernel.refusal() is not None, reason=f"no kernel keyring here: {kernel.refusal()}")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


def environment(paths: Paths) -> dict[str, str]:
    return os.environ | {"WABIZ_HOME": str(paths.config)}


async def start(paths: Paths, passphrase: str | None = None) -> DeskClient:
    return await launch.connect(paths, passphrase=passphrase and Secret(passphrase), environment=environment(paths))


async def ended(paths: Paths, desk: DeskClient) -> None:
    """The desk is asked to end and has let go of its cache: the keys it may leave are with the kernel now."""
    await desk.end()
    await desk.close()
    await until(lambda: is_free(paths))


def is_free(paths: Paths) -> bool:
    try:
        os.close(take_lock(paths.cache))
    except Conflict:
        return False
    return True


@needs_kernel
async def test_a_lock_without_a_desk_destroys_the_keys_the_last_one_left(hub: FakeHub, paths: Paths) -> None:
    """The desk ended and its keys are warm; after a lock they are gone, and the next desk opens with the passphrase only."""
    await enrol(hub, paths)
    await ended(paths, await start(paths, PASSPHRASE.text()))
    device = get_enrolment(paths).device
    assert warm.find(device, now=datetime.now(UTC)) is not None

    await launch.lock(paths, environment=environment(paths))

    assert warm.find(device, now=datetime.now(UTC)) is None
    with pytest.raises(WrongKey):
        await start(paths, "not this one")
    desk = await start(paths)
    assert (await desk.status()).locked
    with pytest.raises(NoKeyStore):
        await desk.unlock()
    await ended(paths, desk)


async def test_a_lock_locks_the_desk_that_runs(hub: FakeHub, paths: Paths) -> None:
    """Locking reaches the desk of other screens and commands, and locking twice is no failure."""
    await enrol(hub, paths)
    desk = await start(paths, PASSPHRASE.text())

    await launch.lock(paths, environment=environment(paths))
    await launch.lock(paths, environment=environment(paths))

    assert (await desk.status()).locked
    await ended(paths, desk)


async def test_a_machine_that_is_not_enrolled_has_nothing_to_lock(paths: Paths) -> None:
    """The sentence says how to enrol, and no folder is made."""
    with pytest.raises(UsageError, match="wabiz enroll"):
        await launch.lock(paths, environment=environment(paths))
    assert not paths.cache.exists()


@needs_kernel
async def test_a_wrong_passphrase_is_refused_though_the_keys_are_warm(hub: FakeHub, paths: Paths) -> None:
    """Neither a desk that starts warm nor one that is open for others accepts it; an open desk knows the right one again."""
    await enrol(hub, paths)
    await ended(paths, await start(paths, PASSPHRASE.text()))

    with pytest.raises(WrongKey):
        await start(paths, "not this one")
    desk = await start(paths)
    assert not (await desk.status()).locked
    with pytest.raises(WrongKey):
        await start(paths, "not this one")
    assert not (await desk.status()).locked
    await (await start(paths, PASSPHRASE.text())).close()
    # The second time the key store is not even looked at.
    (paths.data / NAME).rename(paths.data / "away")
    await desk.unlock(Secret(PASSPHRASE.text()))
    with pytest.raises(NoKeyStore):
        await desk.unlock(Secret("not this one"))
    await ended(paths, desk)
