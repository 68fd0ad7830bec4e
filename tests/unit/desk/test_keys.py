"""Key stores: only known ones, in their order, and nothing that is wrong opens anything."""

import json
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

from tests.support.desk_samples import NOON, counting_bytes
from wabiz_tui.desk.keys import kernel, warm
from wabiz_tui.desk.keys.bundle import make_bundle, pack, unpack
from wabiz_tui.desk.keys.os_store import OsStore, find_os_store
from wabiz_tui.desk.keys.passphrase_file import Cost, PassphraseFile
from wabiz_tui.desk.keys.stores import find_store, load_bundle, open_store, save_bundle
from wabiz_tui.desk.keys.warm import Warm
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.errors import BadInput, NewerSchema, NoKeyStore, WrongKey
from wabiz_tui.model.secret import Secret

DEVICE = "d" * 32
needs_kernel = pytest.mark.skipif(kernel.refusal() is not None, reason=f"no kernel keyring here: {kernel.refusal()}")


class PretendKeyring:
    """A backend that keeps entries in memory, loses them, or never answers."""

    priority = 5
    entries: dict[tuple[str, str], str] = {}  # noqa: RUF012 the backends of the library keep their entries outside the instance too
    is_forgetful = False
    is_stuck = False

    def set_password(self, service: str, name: str, value: str) -> None:
        if self.is_stuck:
            threading.Event().wait()
        if not self.is_forgetful:
            self.entries[service, name] = value

    def get_password(self, service: str, name: str) -> str | None:
        return self.entries.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.entries[service, name]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> type[PretendKeyring]:
    class Keyring(PretendKeyring):
        entries: dict[tuple[str, str], str] = {}  # noqa: RUF012 one set of entries a test

    Keyring.__qualname__ = "Keyring"
    Keyring.__module__ = "pretend"
    module = ModuleType("pretend")
    vars(module)["Keyring"] = Keyring
    monkeypatch.setitem(sys.modules, "pretend", module)
    return Keyring


def test_a_passphrase_costs_what_the_rfc_asks_for() -> None:
    """At least the second recommended option of RFC 9106: 64 MiB, three passes, four lanes."""
    assert all(ours >= asked for ours, asked in zip(Cost(), (64 * 1024, 3, 4), strict=True))


def test_a_bundle_survives_its_packing() -> None:
    """What is unpacked equals what was packed."""
    bundle = make_bundle(counting_bytes())

    assert unpack(pack(bundle)) == bundle


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"version":1,"local":"AA==","seed":"AA=="}', '{"version":2,"local":"","seed":""}', '{"version":1,"local":"%","seed":""}'],
)
def test_a_broken_bundle_is_refused_without_being_told(text: str) -> None:
    """Nothing of what the store held is in the error."""
    with pytest.raises(BadInput) as caught:
        unpack(Secret(text))

    assert "AA" not in str(caught.value)


def test_an_os_store_keeps_a_bundle_under_the_devices_id(backend: type[PretendKeyring]) -> None:
    """The entry is found by device id, in the form it was written in."""
    store, refusals = find_os_store(["no.such.Keyring", "pretend.Keyring"])
    assert store is not None

    save_bundle(store, DEVICE, make_bundle(counting_bytes()))

    assert list(backend.entries) == [("wabiz", DEVICE)]
    assert load_bundle(store, DEVICE) == make_bundle(counting_bytes())
    assert [refusal.store for refusal in refusals] == ["no.such.Keyring"]


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "keyring.backends.chainer.ChainerBackend",
        "keyrings.alt.file.PlaintextKeyring",
    ],
)
def test_plain_stores_are_refused_even_if_named(name: str) -> None:
    """Stores that do not encrypt are not opened, and the reason says so."""
    store, refusals = find_os_store([name])

    assert store is None
    assert "does not encrypt" in refusals[0].reason


def test_a_plain_store_under_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the class that counts, not the name it is imported by."""
    from keyring.backends import null

    module = ModuleType("innocent")
    vars(module)["Keyring"] = null.Keyring
    monkeypatch.setitem(sys.modules, "innocent", module)

    store, refusals = find_os_store(["innocent.Keyring"])

    assert store is None
    assert "does not encrypt" in refusals[0].reason


def test_the_environment_has_no_say(backend: type[PretendKeyring], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PYTHON_KEYRING_BACKEND neither adds a store nor replaces one."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "pretend.Keyring")

    with pytest.raises(NoKeyStore, match="--passphrase-fd"):
        find_store(Config(keys=Keys(allow=("keyring.backends.fail.Keyring",))), tmp_path, None)


def test_a_store_that_loses_what_it_is_given_is_not_used(backend: type[PretendKeyring], tmp_path: Path) -> None:
    """Written, read back, compared: the next store of the order is taken, and nothing is left behind."""
    backend.is_forgetful = True

    found = find_store(Config(keys=Keys(allow=("pretend.Keyring",))), tmp_path, Secret("words"))

    assert found.store.name == "passphrase file"
    assert "did not give back" in found.refusals[0].reason


def test_a_stuck_store_is_given_up(backend: type[PretendKeyring]) -> None:
    """A store that waits for a click that nobody makes does not hang wabiz."""
    backend.is_stuck = True

    with pytest.raises(NoKeyStore, match="did not answer"):
        OsStore("pretend.Keyring", backend(), seconds=0.05).save(DEVICE, Secret("x"))


def test_the_proof_of_a_store_leaves_nothing(backend: type[PretendKeyring]) -> None:
    """The throw-away entry is gone afterwards."""
    OsStore("pretend.Keyring", backend()).prove(counting_bytes())

    assert backend.entries == {}


def test_a_passphrase_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    """The right passphrase gives the bundle back, another one WrongKey, none NoKeyStore."""
    packed = pack(make_bundle(counting_bytes()))
    PassphraseFile(tmp_path, Secret("right")).save(DEVICE, packed)

    assert PassphraseFile(tmp_path, Secret("right")).load(DEVICE) == packed
    with pytest.raises(WrongKey):
        PassphraseFile(tmp_path, Secret("wrong")).load(DEVICE)
    with pytest.raises(WrongKey, match="another device"):
        PassphraseFile(tmp_path, Secret("right")).load("e" * 32)
    with pytest.raises(NoKeyStore, match="--passphrase-fd"):
        PassphraseFile(tmp_path, None).load(DEVICE)


def test_a_passphrase_file_is_private_and_tells_nothing(tmp_path: Path) -> None:
    """Mode 0600, and neither half of the bundle is in it."""
    bundle = make_bundle(counting_bytes())
    store = PassphraseFile(tmp_path, Secret("right"))
    store.save(DEVICE, pack(bundle))

    raw = store.path.read_bytes()
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert json.loads(raw)["header"] | {"salt": "", "nonce": ""} == {
        "device": DEVICE, "memory_kib": 64, "iterations": 1, "lanes": 1, "salt": "", "nonce": "",
        "version": 1, "kdf": "argon2id", "cipher": "aes-256-gcm",
    }  # fmt: skip
    assert bundle.local.reveal() not in raw
    assert list(tmp_path.iterdir()) == [store.path]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"memory_kib": 1 << 30}, BadInput), ({"iterations": 0}, BadInput), ({"lanes": 10_000}, BadInput),
        ({"version": 2}, NewerSchema), ({"cipher": "none"}, NewerSchema), ({"iterations": 2}, WrongKey),
        ({"salt": "AAAAAAAAAAAAAAAAAAAAAA=="}, WrongKey),
    ],
)  # fmt: skip
def test_a_changed_header_opens_nothing(tmp_path: Path, change: dict[str, object], error: type[Exception]) -> None:
    """Every field of the header is bounded or authenticated."""
    store = PassphraseFile(tmp_path, Secret("right"))
    store.save(DEVICE, pack(make_bundle(counting_bytes())))
    file = json.loads(store.path.read_bytes())
    file["header"] |= change
    store.path.write_text(json.dumps(file))

    with pytest.raises(error):
        store.load(DEVICE)


def test_an_enrolments_store_is_found_again_by_its_name(tmp_path: Path) -> None:
    """A bundle saved through the chosen store is loaded through its recorded name; a lost one is told with the way out."""
    config = Config(keys=Keys(order=("passphrase",)))
    found = find_store(config, tmp_path, Secret("words"))
    bundle = make_bundle(counting_bytes())
    save_bundle(found.store, DEVICE, bundle)

    again = open_store(found.store.name, config, tmp_path, Secret("words"))

    assert load_bundle(again, DEVICE) == bundle
    again.delete(DEVICE)
    with pytest.raises(NoKeyStore, match="wipe"):
        load_bundle(again, DEVICE)


@pytest.fixture
def name() -> Iterator[str]:
    unique = f"wabiz:test:{uuid4().hex}"
    yield unique
    kernel.take(unique)


@needs_kernel
def test_the_kernel_keeps_replaces_and_destroys(name: str) -> None:
    """The last value put is the one found, until it is taken."""
    kernel.put(name, Secret("one"), seconds=60)
    kernel.put(name, Secret("two"), seconds=60)
    assert kernel.get(name) == Secret("two")

    kernel.take(name)

    assert kernel.get(name) is None
    kernel.take(name)


@needs_kernel
def test_another_process_finds_what_the_kernel_keeps(name: str) -> None:
    """The entry outlives its maker: a new process of the same user reads it."""
    import subprocess

    kernel.put(name, Secret("kept"), seconds=60)

    code = "import sys; from wabiz_tui.desk.keys import kernel; print(kernel.get(sys.argv[1]).text())"
    told = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "kept"


@needs_kernel
def test_warm_keys_end_with_the_lease() -> None:
    """By the kernel's clock and by ours: a lease that is over by our time gives nothing and leaves nothing."""
    device = uuid4().hex
    bundle = make_bundle(counting_bytes())
    kept = Warm({3: Secret(b"3" * 32), 4: Secret(b"4" * 32)}, Secret(b"o" * 32), NOON + timedelta(hours=8), bundle)
    assert warm.keep(device, kept, now=NOON)

    assert warm.find(device, now=NOON + timedelta(hours=7)) == kept
    assert warm.find(device, now=NOON + timedelta(hours=8)) is None
    assert warm.find(device, now=NOON) is None


@needs_kernel
def test_no_lease_keeps_nothing_warm() -> None:
    """A lease of no time is refused by the kernel's door itself."""
    device = uuid4().hex

    assert not warm.keep(device, Warm({}, Secret(b"o" * 32), NOON, None), now=NOON)
    assert warm.find(device, now=NOON) is None
