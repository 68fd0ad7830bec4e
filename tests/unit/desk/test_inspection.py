"""Looking into a desk from outside: the key for those who must inspect a cache, the doctor, and the wiping of a machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_bench import COLD, CONFIG, PASSPHRASE, enrol, opened
from tests.support.desk_forensics import pages
from tests.support.desk_hub import FakeHub
from wabiz_tui.desk.doctor import examine
from wabiz_tui.desk.keys import cache_key
from wabiz_tui.desk.purge.wipe import wipe
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.errors import Denied, NoKeyStore, NotFound, Unreachable, WrongKey
from wabiz_tui.model.paths import Paths, paths_under


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


async def test_the_owner_gets_the_key_of_the_newest_file(hub: FakeHub, paths: Paths) -> None:
    """Passphrase and hub give 32 bytes that open every page; without a warm keyring no passphrase gives nothing."""
    async with opened(hub, paths, config=COLD) as desk:
        await desk.purge()

    key = cache_key(paths.config, PASSPHRASE.text())

    assert len(key) == 32
    assert len(list(pages(paths.cache / "cache-2.db", key))) > 1
    assert cache_key(str(paths.config), PASSPHRASE.reveal) == key
    with pytest.raises(NoKeyStore):
        cache_key(paths.config)
    with pytest.raises(WrongKey):
        cache_key(paths.config, b"wrong")


async def test_no_key_without_hub_device_or_cache(paths: Paths, tmp_path: Path) -> None:
    """Each missing part is told by name."""
    with pytest.raises(Denied, match="not enrolled"):
        cache_key(tmp_path / "nothing")
    with FakeHub().serve() as hub:
        await enrol(hub, paths)
        with pytest.raises(NotFound, match="no cache"):
            cache_key(paths.config, PASSPHRASE)
        async with opened(hub, paths, config=COLD):
            pass
    with pytest.raises(Unreachable):
        cache_key(paths.config, PASSPHRASE)


async def test_the_doctor_names_the_store_and_why_not_the_others(hub: FakeHub, paths: Paths) -> None:
    """The store in use, each refused one with its reason, and what root could do."""
    config = Config(keys=Keys(allow=("keyrings.alt.file.PlaintextKeyring",)))
    before = {finding.check: finding for finding in examine(paths, config)}
    await enrol(hub, paths)

    findings = {finding.check: finding for finding in examine(paths, config)}

    assert "not enrolled" in before["enrolment"].sentence
    assert hub.url in findings["enrolment"].sentence
    assert "passphrase" in findings["key in use"].sentence
    assert "does not encrypt" in findings["not used"].sentence
    assert findings["not used"].sentence.count("keyrings.alt.file.PlaintextKeyring") == 1
    assert "HMAC-SHA256" in findings["database"].sentence
    assert "root" in findings["root"].sentence
    assert "passphrase that is typed here can be watched by root" in findings["root"].sentence
    assert findings["data folder"].mark == "✓"
    paths.data.chmod(0o777)
    assert {finding.check: finding for finding in examine(paths, config)}["data folder"].mark == "!"


async def test_the_doctor_says_why_a_store_that_is_asked_for_cannot_be_used(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each store that [keys] names has its own reason; one that is forced open for tests is marked."""
    monkeypatch.setenv("SSH_AUTH_SOCK", "")
    asked = Config(keys=Keys(order=("ssh-agent", "passphrase"), unsafe_test=True))
    only = Config(keys=Keys(store="ssh-agent"))

    findings = {finding.check: finding for finding in examine(paths, asked)}
    without = [finding for finding in examine(paths, only) if finding.check == "key store"]

    assert "ssh-agent: No ssh-agent is here" in findings["not used"].sentence
    assert "A passphrase (Argon2id" in findings["key store"].sentence
    assert [finding.mark for finding in examine(paths, asked) if "unsafe_test" in finding.sentence] == ["!"]
    assert [finding.mark for finding in without] == ["!"]


async def test_a_wiped_machine_holds_nothing(hub: FakeHub, paths: Paths) -> None:
    """Keys, cache, outbox, receipts and enrolment are gone and named; a new code makes it a device again."""
    async with opened(hub, paths) as desk:
        await desk.purge()

    removed = await wipe(paths, config=CONFIG, clock=SystemClock())

    assert {"the key in passphrase file", "cache-2.db", "outbox.db", "receipts.jsonl", "enrolment.json"} <= set(removed)
    assert [path for path in paths.config.rglob("*") if path.is_file()] == []
    await enrol(hub, paths)
    assert await wipe(paths, config=CONFIG, clock=SystemClock())
    assert await wipe(paths, config=CONFIG, clock=SystemClock()) == []
