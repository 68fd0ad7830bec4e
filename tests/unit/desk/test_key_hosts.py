"""The hosts that agents work on: on each the local secret is kept by something that encrypts, or not at all, and nothing hangs."""

import gc
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from tests.support import key_hosts
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import counting_bytes
from tests.support.key_hosts import SECRET_SERVICE, secret_service, session_bus, silent_socket, where_written
from wabiz_tui.cli.main import main
from wabiz_tui.desk.keys import kernel
from wabiz_tui.desk.keys.bundle import make_bundle, pack
from wabiz_tui.desk.keys.stores import Found, find_store, load_bundle, open_store, save_bundle
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

DEVICE = "d" * 32
LINUX = Config(keys=Keys(allow=(SECRET_SERVICE, "keyring.backends.libsecret.Keyring", "keyring.backends.kwallet.DBusKeyring")))
NO_BUS = key_hosts.missing("dbus-daemon", "dbus-send")
NO_SERVICE = key_hosts.missing("dbus-daemon", "dbus-send", "gnome-keyring-daemon")
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
needs_bus = pytest.mark.skipif(bool(NO_BUS), reason=f"not on this machine: {NO_BUS}")
needs_service = pytest.mark.skipif(bool(NO_SERVICE), reason=f"not on this machine: {NO_SERVICE} (Debian: dbus, gnome-keyring)")


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """The keyring's libraries leave connections to be collected, which is no fault of a test that comes later."""
    yield
    for thread in threading.enumerate():
        if thread.name == "key-store":
            thread.join(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare server: no bus, no desktop, no agent; its only folder is the test's."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK", "PYTHON_KEYRING_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    _take_over(key_hosts.clean_environment(tmp_path), monkeypatch)
    monkeypatch.setenv("WABIZ_HOME", str(tmp_path / "wabiz"))
    return tmp_path


def _take_over(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def keep(host: Path, config: Config = LINUX, *, seconds: float = 3.0, passphrase: Secret | None = None) -> Found:
    """Find a store and keep a bundle in it; nothing of it may be readable anywhere on the host, whether or not one was found."""
    bundle = make_bundle(counting_bytes())
    started = monotonic()
    try:
        found = find_store(config, host, passphrase, seconds=seconds)
        save_bundle(found.store, DEVICE, bundle)
        assert load_bundle(open_store(found.store.name, config, host, passphrase), DEVICE) == bundle
        return found
    finally:
        # Twice: the store was asked to keep, and then to give.
        assert monotonic() - started < 2 * seconds + 4
        assert where_written(host, bundle.local.reveal(), bundle.seed.reveal(), pack(bundle).reveal()) == []


@pytest.fixture
def bus(host: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    with session_bus(host) as environment:
        _take_over(environment, monkeypatch)
        yield environment


def test_a_bare_server_takes_a_passphrase_or_nothing(host: Path) -> None:
    """No D-Bus: every desktop store is refused at once; with a passphrase the file is, without one the sentence names the ways out."""
    with pytest.raises(NoKeyStore, match="--passphrase-fd N, unlock the desktop keyring, or ask for your ssh-agent"):
        keep(host)

    found = keep(host, passphrase=Secret("words"))

    assert found.store.name == "passphrase file"
    assert [refusal.store for refusal in found.refusals] == list(LINUX.keys.allow)


def test_without_a_store_a_code_is_not_spent(host: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`wabiz enroll` with neither store nor terminal nor passphrase: exit 3, one sentence, nothing on the disk, the code still good."""
    (host / "wabiz").mkdir()
    (host / "wabiz" / "config.toml").write_text(f'[keys]\nallow = ["{SECRET_SERVICE}"]\n')
    with FakeHub().serve() as hub:
        code = hub.code()

        assert main(["enroll", hub.url, code]) == 3

        assert hub.codes == {code}
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert '"code":"no_key_store"' in told
    assert "--passphrase-fd" in told
    assert [path.name for path in (host / "wabiz").rglob("*") if path.is_file()] == ["config.toml"]


@needs_bus
@pytest.mark.usefixtures("bus")
def test_a_bus_without_a_secret_service(host: Path) -> None:
    """A session bus on which nobody keeps secrets."""
    with pytest.raises(NoKeyStore):
        keep(host)
    assert keep(host, passphrase=Secret("words")).refusals[0].store == SECRET_SERVICE


@needs_service
def test_an_unlocked_secret_service_keeps_it(host: Path, bus: dict[str, str]) -> None:
    """gnome-keyring, unlocked: kept, found by another process' connection, and only ciphertext is on the disk."""
    with secret_service(host, bus, "login password"):
        found = keep(host)

        assert found.store.name == SECRET_SERVICE
        found.store.delete(DEVICE)
        assert found.store.load(DEVICE) is None
        found.store.delete(DEVICE)


@needs_service
@pytest.mark.parametrize("password", [None, "wrong"], ids=["locked", "wrong password"])
def test_a_locked_secret_service_is_refused(host: Path, bus: dict[str, str], password: str | None) -> None:
    """Nobody unlocks it, or somebody gave another password: refused in time, told by name, and the passphrase is what is left."""
    with secret_service(host, bus, "login password"):
        store = find_store(LINUX, host, None).store
        store.save(DEVICE, Secret("from before"))

    with secret_service(host, bus, password):
        with pytest.raises(NoKeyStore):
            keep(host)
        with pytest.raises(NoKeyStore, match=SECRET_SERVICE):
            open_store(SECRET_SERVICE, LINUX, host, None).load(DEVICE)
        assert keep(host, passphrase=Secret("words")).store.name == "passphrase file"

    with secret_service(host, bus, "login password"):
        assert open_store(SECRET_SERVICE, LINUX, host, None).load(DEVICE) == Secret("from before")


def test_a_bus_that_never_answers_is_given_up(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All stores together have the one patience, not each its own."""
    with silent_socket(host / "mute") as path:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")
        started = monotonic()

        with pytest.raises(NoKeyStore):
            find_store(LINUX, host, None, seconds=0.3)
        refusals = find_store(LINUX, host, Secret("words"), seconds=0.3).refusals

        assert monotonic() - started < 3
        assert "did not answer within 0.3 seconds" in refusals[0].reason


PLAIN = """
import base64, os
from keyring.backend import KeyringBackend
class PlaintextKeyring(KeyringBackend):
    priority = 9.0
    def _file(self, service, name): return os.path.join(os.environ["HOME"], f"{service}-{name}.cfg")
    def set_password(self, service, name, value): open(self._file(service, name), "w").write(base64.b64encode(value.encode()).decode())
    def get_password(self, service, name):
        try: return base64.b64decode(open(self._file(service, name)).read()).decode()
        except OSError: return None
    def delete_password(self, service, name): os.unlink(self._file(service, name))
"""


@pytest.fixture
def plain_text(host: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host where somebody installed keyrings.alt, which the keyring library would choose by itself."""
    packages = host / "packages"
    (packages / "keyrings" / "alt").mkdir(parents=True)
    (packages / "keyrings" / "alt" / "file.py").write_text(PLAIN)
    (packages / "keyrings.alt-5.0.dist-info").mkdir()
    (packages / "keyrings.alt-5.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: keyrings.alt\nVersion: 5.0\n")
    (packages / "keyrings.alt-5.0.dist-info" / "entry_points.txt").write_text("[keyring.backends]\nfile = keyrings.alt.file\n")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    return packages


ASKED = """
import sys
from pathlib import Path
import keyring
from wabiz_tui.desk.keys.stores import find_store, save_bundle
from wabiz_tui.desk.keys.bundle import make_bundle
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.errors import NoKeyStore
chosen = keyring.get_keyring()
print(type(chosen).__module__)
for allow in (Keys().allow, ("keyrings.alt.file.PlaintextKeyring",)):
    try:
        print(find_store(Config(keys=Keys(allow=allow)), Path(sys.argv[1]), None).store.name)
    except NoKeyStore as error:
        print(error.code)
"""


@pytest.mark.parametrize("forced", ["", "environment", "keyringrc.cfg"])
@pytest.mark.usefixtures("plain_text")
def test_a_plain_store_is_never_used(host: Path, monkeypatch: pytest.MonkeyPatch, forced: str) -> None:
    """Installed, forced by PYTHON_KEYRING_BACKEND or by keyringrc.cfg, even allowed by name: the library takes it, wabiz does not."""
    if forced == "environment":
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    if forced == "keyringrc.cfg":
        settings = host / "config" / "python_keyring" / "keyringrc.cfg"
        settings.parent.mkdir(parents=True)
        settings.write_text("[backend]\ndefault-keyring=keyrings.alt.file.PlaintextKeyring\n")

    told = subprocess.run([sys.executable, "-c", ASKED, str(host)], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["keyrings.alt.file", "no_key_store", "no_key_store"]
    assert list(host.glob("*.cfg")) == []


def test_a_store_behind_gpg_without_a_terminal_is_refused(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pass and gpg ask on a terminal that is not there: their refusal is told, and nothing waits for it."""
    if key_hosts.missing("gpg"):
        pytest.skip("gpg is not on this machine")
    (host / "gpg").mkdir(mode=0o700)
    (host / "behind_gpg.py").write_text(
        "import subprocess\n"
        "class Keyring:\n"
        "    priority = 1\n"
        "    def set_password(self, service, name, value):\n"
        f"        subprocess.run(['gpg', '--homedir', {str(host / 'gpg')!r}, '--no-autostart', '--quiet', '--symmetric'],\n"
        "                       input=value.encode(), check=True, capture_output=True, start_new_session=True)\n"
    )
    monkeypatch.setattr(sys, "path", [str(host), *sys.path])

    found = keep(host, Config(keys=Keys(allow=("behind_gpg.Keyring",))), passphrase=Secret("words"))

    assert found.store.name == "passphrase file"
    assert "gpg" in found.refusals[0].reason


@pytest.mark.skipif(kernel.refusal() is not None, reason=f"no kernel keyring here: {kernel.refusal()}")
def test_the_kernel_keyring_without_the_links_of_a_login(host: Path) -> None:
    """cron, containers and `su` have a session of their own without the user's keyring in it: what was kept is found all the same."""
    name = f"wabiz:test:{uuid4().hex}"
    kernel.put(name, Secret("kept"), seconds=60)
    code = (
        "import sys; from wabiz_tui.desk.keys import kernel\n"
        # KEYCTL_JOIN_SESSION_KEYRING: a new one, empty.
        "kernel._keyctl(1, None)\n"
        "print(kernel.refusal(), kernel.get(sys.argv[1]).text())"
    )
    try:
        told = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    finally:
        kernel.take(name)

    assert told.stdout.split() == ["None", "kept"]
