"""A copy of the whole home folder, taken while the desk was open, with the key store and the passphrase: what a thief can open."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys import cache_key, kernel
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile
from wabiz_tui.desk.keys.stores import load_bundle
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.purge.remains import opens
from wabiz_tui.model.errors import Revoked, Unreachable
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof import derivation

SECRET = "the engagement ring"
COMMANDS = (("conversations",), ("search", "engagement"), ("status",))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        now = datetime.now(UTC)
        served.put(conversation(1, last_at=now, window_until=now + timedelta(hours=20)), message(1, 1, SECRET, sent_at=now))
        yield served


@pytest.fixture
async def desk(hub: FakeHub, tmp_path: Path) -> AsyncIterator[DeskClient]:
    """The owner's desk: a process, open, caught up, with a draft."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('[keys]\norder = ["passphrase"]\n')
    paths = paths_under(home)
    await enrol(hub, paths)
    environment = os.environ | {"WABIZ_HOME": str(home)}
    running = await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=environment)
    await running.sync()
    await running.save_draft(ident(1), SECRET)
    yield running
    await running.end()
    await running.close()
    kernel.take(f"wabiz:{get_device(hub)}")


def get_device(hub: FakeHub) -> str:
    return next(iter(hub.devices))


def stolen(tmp_path: Path, name: str) -> Paths:
    """The owner's home as it is now, elsewhere. No socket is copied: none leads to a process of the thief's."""
    shutil.copytree(tmp_path / "home", tmp_path / name, ignore=shutil.ignore_patterns("run"))
    return paths_under(tmp_path / name)


def wabiz(home: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with the passphrase, under that home."""
    given, out = os.pipe()
    os.write(out, PASSPHRASE.reveal() + b"\n")
    os.close(out)
    try:
        return subprocess.run(
            [sys.executable, "-m", "wabiz_tui.cli.main", *command, "--json", "--passphrase-fd", str(given)],
            env=os.environ | {"WABIZ_HOME": str(home)} | environment,
            pass_fds=(given,),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(given)


def guesses(paths: Paths) -> list[Secret]:
    """Whatever can be made of what is in the copy: the local secret, the seed, and keys with a share of nothing or of these."""
    enrolment = get_enrolment(paths)
    bundle = load_bundle(PassphraseFile(paths.data, Secret(PASSPHRASE.reveal())), enrolment.device)
    who = {"cache_id": enrolment.cache_id, "agent": enrolment.person, "device": enrolment.device}
    shares = (Secret(bytes(32)), bundle.local, bundle.seed)
    keys = [derivation.cache_key(bundle.local, share, **who, epoch=epoch) for share in shares for epoch in (0, 1, 2)]
    return [bundle.local, bundle.seed, *keys, *(derivation.outbox_key(bundle.local, share, **who) for share in shares)]


def holds_nothing_readable(paths: Paths) -> bool:
    return not any(SECRET.encode() in path.read_bytes() for path in paths.config.rglob("*") if path.is_file())


async def is_locked(desk: DeskClient) -> bool:
    return (await desk.status()).locked


@pytest.mark.timeout(240)
async def test_after_a_revocation_the_copy_opens_nothing(hub: FakeHub, desk: DeskClient, tmp_path: Path) -> None:
    """Before it the copy opens, for it is the device; after it no command, no key and no guess does, and the owner's screen has the
    sentence."""
    copies = [stolen(tmp_path, f"copy {number}") for number in range(3)]
    control = wabiz(copies[0].config, "search", "engagement")
    assert (control.returncode, SECRET in control.stdout) == (0, True)
    assert holds_nothing_readable(copies[1])

    hub.revoke(get_device(hub))
    await until(lambda: is_locked(desk))
    # The process has a new memory, and still says why.
    await until(lambda: "--renewed-fd" in Path(f"/proc/{desk.hello.pid}/cmdline").read_text())

    status = await desk.status()
    assert (status.link, "revoked" in status.notice) == ("revoked", True)
    for command in COMMANDS:
        told = wabiz(copies[1].config, *command)
        assert SECRET not in told.stdout + told.stderr
        assert (told.returncode, '"code":"revoked"' in told.stderr) == (3, True), command
    with pytest.raises(Revoked):
        cache_key(copies[2].config, PASSPHRASE)
    keys = guesses(copies[2])
    files = [*copies[2].cache.glob("*.db"), *copies[2].data.glob("*.db")]
    assert len(files) == 2
    assert not any(opens(path, keys) for path in files)
    assert holds_nothing_readable(copies[2])


@pytest.mark.timeout(240)
@pytest.mark.skipif(kernel.refusal() is not None, reason=f"no kernel keyring here: {kernel.refusal()}")
async def test_after_the_lease_the_copy_opens_nothing(hub: FakeHub, desk: DeskClient, tmp_path: Path) -> None:
    """Without the hub: nine hours later the copy opens nothing, though the kernel still had the keys; nor in a session whose kernel
    has none."""
    for share in hub.devices.values():
        share.shares.clear()
    copies = [stolen(tmp_path, f"copy {number}") for number in range(2)]
    (copies[1].config / "config.toml").write_text('[keys]\norder = ["passphrase"]\nkernel_keyring = false\n')
    hub_address = get_enrolment(copies[0]).hub_url
    for paths in copies:
        enrolment = paths.data / "enrolment.json"
        # A port on which nothing listens: the thief has no line to the hub.
        enrolment.write_text(enrolment.read_text().replace(hub_address, "http://127.0.0.1:1"))

    for paths, environment in ((copies[0], {"WABIZ_CLOCK_AHEAD": "9h"}), (copies[1], {})):
        told = wabiz(paths.config, "search", "engagement", **environment)
        assert (told.returncode, told.stdout) == (4, "")
        assert "within its lease" in told.stderr

    with pytest.raises(Unreachable):
        cache_key(copies[1].config, PASSPHRASE)
    assert not any(opens(path, guesses(copies[1])) for path in copies[1].cache.glob("*.db"))
    assert not await is_locked(desk)
