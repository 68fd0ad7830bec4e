"""A local secret kept by systemd's credentials: a program that does as it should, and those that do not."""

import sys
from pathlib import Path

import pytest

from tests.support.desk_samples import counting_bytes
from wabiz_tui.desk.keys.systemd_creds import NAME, PROGRAMS, SystemdCreds
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

DEVICE = "d" * 32
_PROGRAM = """#!{python} -IS
import sys, os, time
if "--version" in sys.argv:
    print("systemd {version} ({version}.1)")
    sys.exit()
open({told!r}, "a").write(repr((sys.argv[1:], sorted(os.environ))) + "\\n")
read = sys.stdin.buffer.read()
if "encrypt" in sys.argv:
    {encrypt}
else:
    {decrypt}
"""
_TURNED = "sys.stdout.buffer.write(bytes(byte ^ 77 for byte in read))"


def program(folder: Path, *, version: int = 256, encrypt: str = _TURNED, decrypt: str = _TURNED) -> Path:
    path = folder / "systemd-creds"
    told = str(folder / "told")
    path.write_text(_PROGRAM.format(python=sys.executable, version=version, told=told, encrypt=encrypt, decrypt=decrypt))
    path.chmod(0o700)
    return path


def test_what_it_encrypts_is_found_again(tmp_path: Path) -> None:
    """In the user's scope, under the device's name, in a file of mode 0600; the secret goes through pipes alone."""
    store = SystemdCreds(tmp_path, programs=(tmp_path / "absent", program(tmp_path)), seconds=30)

    store.prove(counting_bytes())
    assert not store.path.exists()
    store.save(DEVICE, Secret("the bundle"))

    assert store.load(DEVICE) == Secret("the bundle")
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert b"the bundle" not in store.path.read_bytes()
    told = (tmp_path / "told").read_text()
    assert f"['--user', '--name=wabiz-{DEVICE}', 'encrypt', '-', '-']" in told
    assert "the bundle" not in told
    assert "SSH_AUTH_SOCK" not in told
    store.delete(DEVICE)
    assert store.load(DEVICE) is None


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"version": 252}, "of systemd 252; a user's own credentials need 256 or later"),
        ({"encrypt": "sys.stderr.write('Permission denied\\n'); sys.exit(1)"}, r"refused \(Permission denied\): an administrator"),
        ({"encrypt": "sys.stdout.buffer.write(read)"}, "did not encrypt"),
        ({"encrypt": "pass"}, "did not encrypt"),
        ({"decrypt": "sys.stdout.buffer.write(b'something else')"}, "did not give back"),
        ({"decrypt": "sys.exit(3)"}, "refused"),
    ],
)
def test_one_that_does_not_keep_it_is_refused(tmp_path: Path, parts: dict[str, object], sentence: str) -> None:
    """Too old, denied, a program that does not encrypt or gives something else back: nothing is written."""
    store = SystemdCreds(tmp_path, programs=(program(tmp_path, **parts),), seconds=30)  # pyright: ignore[reportArgumentType] as the cases above

    with pytest.raises(NoKeyStore, match=sentence):
        store.save(DEVICE, Secret("the bundle"))

    assert not (tmp_path / NAME).exists()


def test_one_that_waits_is_given_up(tmp_path: Path) -> None:
    """The patience handed in ends it, and the process."""
    store = SystemdCreds(tmp_path, programs=(program(tmp_path, encrypt="time.sleep(60)"),), seconds=0.5)

    with pytest.raises(NoKeyStore, match=r"did not answer within 0\.5 seconds|timed out"):
        store.save(DEVICE, Secret("the bundle"))


def test_none_is_told_as_such(tmp_path: Path) -> None:
    """Where the program is absent the sentence says what else to do."""
    with pytest.raises(NoKeyStore, match="not on this machine; choose another"):
        SystemdCreds(tmp_path, programs=(tmp_path / "absent",)).save(DEVICE, Secret("the bundle"))


@pytest.mark.skipif(not any(path.is_file() for path in PROGRAMS), reason="systemd-creds is not on this machine")
def test_the_real_one_keeps_it_or_says_why_not(tmp_path: Path) -> None:
    """Whatever this machine's systemd can: the secret comes back, or one sentence names systemd-creds and no file is left."""
    store = SystemdCreds(tmp_path)
    refused = ""
    try:
        store.save(DEVICE, Secret("the bundle"))
    except NoKeyStore as error:
        refused = error.sentence

    if refused:
        assert refused.startswith("systemd-creds")
        assert not store.path.exists()
    else:
        assert store.load(DEVICE) == Secret("the bundle")
        assert b"the bundle" not in store.path.read_bytes()
