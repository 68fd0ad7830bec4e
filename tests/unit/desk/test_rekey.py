"""`wabiz rekey`: every key is new, nothing is lost, and a kill at any instant leaves what opens."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from tests.support import key_hosts
from tests.support.desk_bench import COLD, PASSPHRASE, enrol, make_desk, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.desk.cache import rekeying
from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys.passphrase_file import NAME, PassphraseFile
from wabiz_tui.desk.keys.stores import load_bundle
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.purge.remains import opens
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.desk import Desk
from wabiz_tui.model.errors import NoKeyStore, Unreachable, WabizError, WrongKey
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

NEW = "battery staple"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        now = datetime.now(UTC)
        served.put(*(conversation(number, last_at=now, window_until=now + timedelta(hours=20)) for number in (1, 2)))
        served.put(*(message(number, 1 + number % 2, f"kept {number}", sent_at=now) for number in range(20)))
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    config = tmp_path / "a home" / "config.toml"
    config.parent.mkdir()
    config.write_text('[keys]\norder = ["passphrase"]\nkernel_keyring = false\n')
    return paths_under(config.parent)


def local_of(paths: Paths, passphrase: str) -> bytes:
    enrolment = get_enrolment(paths)
    return load_bundle(PassphraseFile(paths.data, Secret(passphrase)), enrolment.device).local.reveal()


async def held(desk: Desk) -> int:
    return sum([len(await desk.messages(ident(number))) for number in (1, 2)])


async def test_every_key_is_new(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """Another local secret under another passphrase; neither file opens with the keys of before, and the device is the same."""
    async with opened(hub, paths, config=COLD) as desk:
        await desk.save_draft(ident(1), "half a thought")
        await desk.save_draft(ident(2), "another")
        session: Any = vars(desk)["_session"]
        old_keys = [Secret(key.reveal()) for key in (*session.vault.keys.values(), session.vault.outbox)]
        before, seed = local_of(paths, PASSPHRASE.text()), session.vault.bundle.seed.reveal()

        status = await desk.rekey(Secret(PASSPHRASE.reveal()), Secret(NEW))

        session = vars(desk)["_session"]
        assert (status.locked, status.epoch, await held(desk)) == (False, 2, 20)
        assert (session.vault.bundle.previous, session.vault.bundle.seed.reveal()) == (None, seed)
        assert local_of(paths, NEW) != before
        assert len(await desk.receipts()) == 1
    files = [*paths.cache.glob("*.db"), *paths.data.glob("*.db")]
    assert sorted(path.name for path in files) == ["cache-2.db", "outbox.db"]
    assert not any(opens(path, old_keys) for path in files)
    with pytest.raises(WrongKey):
        local_of(paths, PASSPHRASE.text())
    again = make_desk(paths, config=COLD)
    await again.unlock(Secret(NEW))
    assert (await again.draft(ident(1))) is not None
    await again.close()


async def test_whoever_looks_on_is_locked_for_a_moment_and_told_why(hub: FakeHub, paths: Paths) -> None:
    """The screens hear of a lock with its sentence, then of the opening."""
    async with opened(hub, paths, config=COLD) as desk:
        heard: list[tuple[str, str]] = []

        async def listen() -> None:
            async for event in desk.listen():
                if event.kind == "locked":
                    heard.append((event.reason, (await desk.status()).notice))
                elif event.kind == "unlocked":
                    heard.append(("unlocked", ""))
                    return

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await desk.rekey(Secret(PASSPHRASE.reveal()))
        await asyncio.wait_for(listening, 30)

        assert heard == [("rekey", "The keys are being changed; the desk opens again by itself."), ("unlocked", "")]


@pytest.mark.parametrize("step", ["link", "replace"])
def test_a_kill_at_either_side_of_the_switch_leaves_the_outbox(tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right after the old file got its second name, and right after the copy took its place: the next try finds what was there."""
    path, old, new = tmp_path / "outbox.db", Secret(b"o" * 32), Secret(b"n" * 32)
    Letters(path, old).close()
    with closing(open_connection(path, old)) as connection:
        connection.execute("INSERT INTO meta (name, value) VALUES ('mark', 'half a thought')")
        connection.commit()
    killed = {"link": (Path, "replace"), "replace": (rekeying, "sync_folder")}[step]
    with monkeypatch.context() as patched:
        patched.setattr(*killed, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rekeying.rekey_outbox(path, old, new)

    rekeying.rekey_outbox(path, old, new)

    with closing(open_connection(path, new)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'mark'").fetchone()[0] == "half a thought"
    assert [file.name for file in tmp_path.iterdir()] == ["outbox.db"]


async def test_a_key_given_to_send_is_remembered(hub: FakeHub, paths: Paths) -> None:
    """What was sent before is answered after: the same key with the same words is the same message, with others a conflict."""
    async with opened(hub, paths, config=COLD) as desk:
        first = await desk.send_text(ident(1), "once", key="k")
        for _ in range(2):
            await desk.rekey(Secret(PASSPHRASE.reveal()), None)

        again = await desk.send_text(ident(1), "once", key="k")

        assert first.key == again.key == "k"
        with pytest.raises(WabizError, match="another message"):
            await desk.send_text(ident(1), "twice", key="k")
        await until(lambda: len(hub.sent) == 1)


async def test_nothing_is_begun_that_could_not_be_finished(hub: FakeHub, paths: Paths) -> None:
    """Without the right passphrase, a store or the hub the desk stays open under its old keys."""
    async with opened(hub, paths, config=COLD) as desk:
        before = (paths.data / NAME).read_bytes()
        with pytest.raises(NoKeyStore, match="--passphrase-fd"):
            await desk.rekey()
        with pytest.raises(WrongKey):
            await desk.rekey(Secret("wrong"), Secret(NEW))
        paths.config_file.write_text('[keys]\nstore = "systemd-creds"\n')
        with pytest.raises(NoKeyStore, match="systemd-creds"):
            await desk.rekey(Secret(PASSPHRASE.reveal()))

        assert (paths.data / NAME).read_bytes() == before
        assert await held(desk) == 20


async def test_without_the_hub_nothing_is_changed(paths: Paths) -> None:
    """The next key's share is the hub's to give: the sentence says so, and the desk stays open."""
    async with AsyncExitStack() as desks:
        with FakeHub().serve() as served:
            desk = await desks.enter_async_context(opened(served, paths, config=COLD))
        before = (paths.data / NAME).read_bytes()

        with pytest.raises(Unreachable):
            await desk.rekey(Secret(PASSPHRASE.reveal()), Secret(NEW))

        assert (paths.data / NAME).read_bytes() == before
        assert not (await desk.status()).locked


async def test_a_desk_that_does_not_open_again_has_spent_its_memory(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locked by a change of keys that did not come to its end, it held keys and words: its process takes a new memory."""
    async with opened(hub, paths, config=COLD) as desk:
        monkeypatch.setattr("wabiz_tui.desk.calls.rekeying.open_session", AsyncMock(side_effect=Unreachable("The hub went away.")))

        with pytest.raises(Unreachable):
            await desk.rekey(Secret(PASSPHRASE.reveal()))

        assert (await desk.status()).locked
        assert desk.spent.is_set()


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An ssh-agent with one key that will do."""
    if key_hosts.missing("ssh-agent", "ssh-add", "ssh-keygen"):
        pytest.skip("OpenSSH's agent is not on this machine")
    with key_hosts.ssh_agent(tmp_path) as environment:
        key_hosts.ssh_add(environment, str(key_hosts.ssh_key(tmp_path / "key")))
        monkeypatch.setenv("SSH_AUTH_SOCK", environment["SSH_AUTH_SOCK"])
        yield


@pytest.mark.usefixtures("agent")
async def test_the_secret_moves_to_the_store_that_is_asked_for(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """From the passphrase to the ssh-agent and back, as config.toml says now; the store that was left keeps nothing, and a kill at
    any change of a file on the way leaves what opens."""
    there, back = (Snapshots(hub, paths, tmp_path / way) for way in ("there", "back"))
    async with opened(hub, paths, config=COLD) as desk:
        await desk.save_draft(ident(1), "half a thought")
        paths.config_file.write_text('[keys]\nstore = "ssh-agent"\nkernel_keyring = false\n')
        there.is_on = True
        moved = await desk.rekey(Secret(PASSPHRASE.reveal()))
        there.is_on = False
        assert (moved.key_store, moved.needs_passphrase) == ("ssh-agent", False)
        assert _stores(paths) == ["local-secret-agent.json"]
        paths.config_file.write_text('[keys]\nstore = "passphrase"\nkernel_keyring = false\n')
        with pytest.raises(NoKeyStore):
            await desk.rekey()
        back.is_on = True
        moved = await desk.rekey(None, Secret(NEW))
        back.is_on = False

    assert (moved.key_store, get_enrolment(paths).other_store) == ("passphrase file", "")
    assert _stores(paths) == [NAME]
    for snapshots in (there, back):
        # Every third: each costs an opening.
        for number in range(0, len(snapshots.taken), 3):
            await _opens_whole(snapshots.restore(number), number)
            assert len(_stores(snapshots.restore(number))) == 1


def _stores(paths: Paths) -> list[str]:
    return sorted(path.name for path in paths.data.glob("local-secret*"))


class Snapshots:
    """A copy of the home at every change of a file in it, with the hub as it was then: what a kill at that instant leaves."""

    def __init__(self, hub: FakeHub, paths: Paths, folder: Path) -> None:
        self._hub, self._paths, self._folder = hub, paths, folder
        self.taken: list[tuple[Path, str, tuple[int, dict[int, bytes], list[Any]]]] = []
        self.is_on = False
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on or event not in {"os.rename", "os.remove", "os.link", "open", "sqlite3.connect"}:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        if not str(arguments[0]).startswith(str(self._paths.config)):
            return
        self.is_on = False
        try:
            self._take(f"{event} {Path(str(arguments[0])).name}")
        finally:
            self.is_on = True

    def _take(self, event: str) -> None:
        device = next(iter(self._hub.devices.values()))
        place = self._folder / str(len(self.taken))
        with suppress(shutil.Error):
            # SQLite's own files may go while they are copied; what a kill leaves then is what is left.
            shutil.copytree(self._paths.config, place)
        self.taken.append((place, event, (device.epoch, dict(device.shares), list(device.receipts))))

    def restore(self, number: int) -> Paths:
        place, _, (epoch, shares, receipts) = self.taken[number]
        device = next(iter(self._hub.devices.values()))
        device.epoch, device.shares, device.receipts = epoch, dict(shares), list(receipts)
        return paths_under(place)


async def test_a_kill_at_any_change_of_a_file_leaves_what_opens(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """From the first change to the last: one of the two passphrases opens everything, the outbox is whole, and what was begun is
    finished."""
    snapshots = Snapshots(hub, paths, tmp_path / "killed")
    async with opened(hub, paths, config=COLD) as desk:
        await desk.save_draft(ident(1), "half a thought")
        hub.refuse_send = lambda _: ConnectionError()
        snapshots.is_on = True
        await desk.rekey(Secret(PASSPHRASE.reveal()), Secret(NEW))
        snapshots.is_on = False

    steps = [step for _, step, _ in snapshots.taken]
    assert {"os.rename outbox-rekeyed.db", "os.rename cache-2.part", "os.remove outbox-former.db", "os.remove cache-1.db"} <= set(steps)
    assert sum(step.startswith(f"os.rename .{NAME}") for step in steps) == 2
    for number in range(len(snapshots.taken)):
        await _opens_whole(snapshots.restore(number), number)


async def _opens_whole(killed: Paths, number: int) -> None:
    desk = make_desk(killed, config=Config(keys=Keys(kernel_keyring=False)))
    try:
        await _unlock_with_either(desk)
        await desk.sync()
        draft = await desk.draft(ident(1))
        assert draft is not None, number
        assert draft.text == "half a thought"
        assert await held(desk) == 20, number
        assert not (await desk.status()).notice, number
        session: Any = vars(desk)["_session"]
        if session.rotating is not None:
            await asyncio.wait_for(session.rotating, 30)
        assert session.vault.bundle.previous is None
        assert not session.vault.is_under_former(session.cache.epoch)
    finally:
        await desk.close()
    assert [path.name for path in killed.data.glob("outbox*")] == ["outbox.db"]


async def _unlock_with_either(desk: LocalDesk) -> None:
    try:
        await desk.unlock(Secret(NEW))
    except WrongKey:
        await desk.unlock(Secret(PASSPHRASE.reveal()))


@pytest.mark.timeout(120)
async def test_the_command_changes_the_passphrase(hub: FakeHub, paths: Paths) -> None:
    """`wabiz rekey` with both passphrases from descriptors: said in one line, the new one opens, the old one is refused with 3."""
    await enrol(hub, paths, config=COLD)

    told = await asyncio.to_thread(_wabiz, paths, PASSPHRASE.text(), NEW)
    refused = await asyncio.to_thread(_wabiz, paths, PASSPHRASE.text(), "another")

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.count("\n") == 1
    assert '"key_store":"passphrase file"' in told.stdout
    assert (refused.returncode, '"code":"wrong_key"' in refused.stderr) == (3, True)
    assert local_of(paths, NEW)


def _wabiz(paths: Paths, passphrase: str, new: str) -> subprocess.CompletedProcess[str]:
    pipes = [os.pipe() for _ in range(2)]
    for (_, out), text in zip(pipes, (passphrase, new), strict=True):
        os.write(out, text.encode() + b"\n")
        os.close(out)
    given = [pipe[0] for pipe in pipes]
    try:
        return subprocess.run(
            [sys.executable, "-m", "wabiz_tui.cli.main", "rekey", "--json"]
            + ["--passphrase-fd", str(given[0]), "--new-passphrase-fd", str(given[1])],
            env=os.environ | {"WABIZ_HOME": str(paths.config)},
            pass_fds=given,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for descriptor in given:
            os.close(descriptor)


@pytest.mark.timeout(240)
async def test_a_desk_killed_while_it_changes_its_keys(hub: FakeHub, paths: Paths) -> None:
    """A real process, killed again and again at any instant of a rekey: the next one opens with one of the two passphrases, and
    every draft is there."""
    chance, passphrases = Random(11), [PASSPHRASE.text(), NEW]
    await enrol(hub, paths, config=COLD)
    for round_ in range(KILLS):
        desk, passphrases = await _start(paths, passphrases)
        await desk.save_draft(ident(1), f"draft {round_}")
        new = f"{NEW} {round_}"
        rekeying = asyncio.create_task(desk.rekey(Secret(passphrases[0]), Secret(new)))
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        os.kill(desk.hello.pid, signal.SIGKILL)
        with suppress(WabizError):
            await rekeying
        await desk.close()
        passphrases = [new, passphrases[0]]

    desk, _ = await _start(paths, passphrases)
    draft = await desk.draft(ident(1))
    assert draft is not None
    assert draft.text == f"draft {KILLS - 1}"
    await desk.sync()
    assert await held(desk) == 20
    await desk.end()
    await desk.close()


KILLS = 4


async def _start(paths: Paths, passphrases: list[str]) -> tuple[DeskClient, list[str]]:
    """The desk that opens with one of these, which comes first then, once it has finished what was cut off."""
    for passphrase in passphrases:
        with suppress(WrongKey):
            desk = await connect(paths, passphrase=Secret(passphrase), environment=os.environ | {"WABIZ_HOME": str(paths.config)})
            await desk.sync()
            return desk, [passphrase]
    raise AssertionError("Neither passphrase opens what a kill left.")
