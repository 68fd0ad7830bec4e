"""A local secret kept by a key of the ssh-agent: a real agent in each state that agents are found in."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import key_hosts
from tests.support.desk_samples import counting_bytes
from tests.support.key_hosts import openssh, ssh_add, ssh_key, wait_for
from wabiz_tui.desk.keys.agent_file import NAME, AgentFile
from wabiz_tui.desk.keys.bundle import make_bundle, pack
from wabiz_tui.desk.keys.patience import Patience
from wabiz_tui.desk.keys.ssh_agent import Agent
from wabiz_tui.desk.keys.stores import find_store, load_bundle, open_store, save_bundle
from wabiz_tui.model.config import Config, Keys
from wabiz_tui.model.errors import NoKeyStore, WrongKey
from wabiz_tui.model.secret import Secret

DEVICE = "d" * 32
ASKED = Config(keys=Keys(store="ssh-agent"))
pytestmark = pytest.mark.skipif(
    bool(key_hosts.missing("ssh-agent", "ssh-add", "ssh-keygen")), reason="OpenSSH's agent is not on this machine"
)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A running agent without keys, which this process uses."""
    with key_hosts.ssh_agent(tmp_path) as environment:
        monkeypatch.setenv("SSH_AUTH_SOCK", environment["SSH_AUTH_SOCK"])
        yield environment


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_bundle_is_kept_by_a_key_of_the_agent(agent: dict[str, str], tmp_path: Path, kind: str) -> None:
    """Kept, found again, and nothing of it is on the disk, nor without the key to be had."""
    ssh_add(agent, str(ssh_key(tmp_path / "key", kind)))
    bundle = make_bundle(counting_bytes())
    found = find_store(ASKED, tmp_path, None)

    save_bundle(found.store, DEVICE, bundle)

    assert found.store.name == "ssh-agent"
    assert load_bundle(open_store("ssh-agent", Config(), tmp_path, None), DEVICE) == bundle
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert key_hosts.where_written(tmp_path, bundle.local.reveal(), bundle.seed.reveal(), pack(bundle).reveal()) == []
    with pytest.raises(WrongKey, match="another device"):
        found.store.load("e" * 32)
    ssh_add(agent, "-D")
    with pytest.raises(NoKeyStore, match="shows no key"):
        found.store.load(DEVICE)


def test_what_is_signed_is_what_openssh_signs(agent: dict[str, str], tmp_path: Path) -> None:
    """`ssh-keygen -Y sign` with our namespace makes the same signature, so no login ever signs these bytes."""
    key = ssh_key(tmp_path / "key")
    ssh_add(agent, str(key))
    speaking = Agent(Patience())
    mine = speaking.sign(speaking.keys()[0], b"a message").reveal()
    speaking.close()

    theirs = openssh("ssh-keygen", "-Y", "sign", "-n", "local-secret@wabiz", "-f", str(key), given=b"a message")

    assert base64.b64decode(b"".join(theirs.splitlines()[1:-1])).endswith(mine)


def test_the_key_named_is_the_key_used(agent: dict[str, str], tmp_path: Path) -> None:
    """With several that would do, the fingerprint decides; without one wabiz asks for it rather than guess."""
    for name in ("one", "two"):
        ssh_add(agent, str(ssh_key(tmp_path / name)))
    fingerprint = openssh("ssh-keygen", "-lf", str(tmp_path / "two")).decode().split()[1]
    with pytest.raises(NoKeyStore, match="ssh_key"):
        find_store(ASKED, tmp_path, None)

    store = find_store(Config(keys=Keys(store="ssh-agent", ssh_key=fingerprint)), tmp_path, None).store
    store.save(DEVICE, Secret("packed"))

    # The file names its key: the configuration is not needed to find it again.
    assert AgentFile(tmp_path).load(DEVICE) == Secret("packed")
    assert AgentFile(tmp_path).fingerprint() == fingerprint
    ssh_add(agent, "-d", str(tmp_path / "two"))
    with pytest.raises(NoKeyStore, match=f"does not have the key {re.escape(fingerprint)}"):
        AgentFile(tmp_path).load(DEVICE)


def test_a_locked_agent_is_told_as_such(agent: dict[str, str], tmp_path: Path) -> None:
    """Locked (ssh-add -x) it shows nothing; unlocked the same bundle is there."""
    ssh_add(agent, str(ssh_key(tmp_path / "key")))
    store = AgentFile(tmp_path)
    store.save(DEVICE, Secret("packed"))

    ssh_add(agent, "-x", answer="words")
    with pytest.raises(NoKeyStore, match=r"locked \(ssh-add -X\)"):
        store.load(DEVICE)

    ssh_add(agent, "-X", answer="words")
    assert store.load(DEVICE) == Secret("packed")


def test_a_lifetime_that_is_over_is_over(agent: dict[str, str], tmp_path: Path) -> None:
    """A key that the agent forgets after a second (ssh-add -t) gives what it kept for no longer."""
    key = ssh_key(tmp_path / "key")
    ssh_add(agent, str(key))
    store = AgentFile(tmp_path)
    store.save(DEVICE, Secret("packed"))
    ssh_add(agent, "-t", "1", str(key))

    def is_over() -> bool:
        try:
            store.load(DEVICE)
        except NoKeyStore as error:
            return "shows no key" in error.sentence
        return False

    wait_for(is_over)


def test_a_key_that_asks_for_confirmation_does_not_hang(agent: dict[str, str], tmp_path: Path) -> None:
    """Nobody is there to confirm (ssh-add -c): the sentence says why, in time."""
    ssh_add(agent, "-c", str(ssh_key(tmp_path / "key")))

    with pytest.raises(NoKeyStore, match=r"would not sign with SHA256:.*ssh-add -c"):
        find_store(ASKED, tmp_path, None)


def test_a_key_for_certain_hosts_is_refused(agent: dict[str, str], tmp_path: Path) -> None:
    """A key with destination limits (ssh-add -h) signs logins to these hosts and nothing else."""
    key, host = ssh_key(tmp_path / "key"), ssh_key(tmp_path / "host")
    known = tmp_path / "known"
    known.write_text("example.org " + host.with_suffix(".pub").read_text())
    ssh_add(agent, "-h", "example.org", "-H", str(known), str(key))

    with pytest.raises(NoKeyStore, match="certain hosts only"):
        find_store(ASKED, tmp_path, None)


def test_a_key_that_never_signs_the_same_is_refused(agent: dict[str, str], tmp_path: Path) -> None:
    """ECDSA signatures are random; the sentence names what will do."""
    ssh_add(agent, str(ssh_key(tmp_path / "key", "ecdsa")))

    with pytest.raises(NoKeyStore, match=r"signs the same twice \(ecdsa-sha2-nistp256\): only Ed25519 and RSA"):
        find_store(ASKED, tmp_path, None)


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _message(kind: int, body: bytes) -> bytes:
    return _string(bytes((kind,)) + body)


ONE_KEY = _message(12, (1).to_bytes(4, "big") + _string(_string(b"ssh-ed25519") + _string(bytes(range(32)))) + _string(b""))
ONE_SECURITY_KEY = _message(
    12, (1).to_bytes(4, "big") + _string(_string(b"sk-ssh-ed25519@openssh.com") + _string(bytes(32))) + _string(b"")
)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ((ONE_SECURITY_KEY,), "on no security key"),
        ((ONE_KEY, _message(14, _string(_string(b"ssh-ed25519") + _string(bytes(64))))), "that is not the key's"),
        ((ONE_KEY, _message(14, _string(_string(b"ssh-rsa") + _string(bytes(64))))), "that is not the key's"),
        ((ONE_KEY, _message(14, b"\x00\x00\xff")), "does not speak as an ssh-agent does"),
        ((b"\xff\xff\xff\xff",), "does not speak as an ssh-agent does"),
        ((_message(12, b"\x00\x00\x00\x09"),), "does not speak as an ssh-agent does"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "does not speak as an ssh-agent does"),
        ((b"\x00\x00",), "went away before it answered"),
    ],
)
def test_whatever_listens_there_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: tuple[bytes, ...], sentence: str
) -> None:
    """Sizes are bounded, forms checked, signatures proved: nothing is kept with what nobody can make again."""
    # Two connections: the first finds the key, the second signs.
    with key_hosts.answering_socket(tmp_path / "odd", *answers) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))

        with pytest.raises(NoKeyStore, match=sentence):
            find_store(ASKED, tmp_path, None)

    assert not (tmp_path / NAME).exists()


def test_an_agent_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts and is silent: the patience handed in ends it."""
    with key_hosts.silent_socket(tmp_path / "mute") as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))

        with pytest.raises(NoKeyStore, match=r"did not answer within 0\.1 seconds"):
            find_store(ASKED, tmp_path, None, seconds=0.1)


@pytest.mark.parametrize(("path", "sentence"), [("", "SSH_AUTH_SOCK is not set"), ("/nonexistent/agent", "No ssh-agent answers")])
def test_no_agent_is_told_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str) -> None:
    """None was forwarded, or the login that forwarded it is over; a passphrase is taken only where the order allows it."""
    monkeypatch.setenv("SSH_AUTH_SOCK", path)

    with pytest.raises(NoKeyStore, match=sentence):
        find_store(ASKED, tmp_path, Secret("words"))

    found = find_store(Config(keys=Keys(order=("ssh-agent", "passphrase"))), tmp_path, Secret("words"))
    assert found.store.name == "passphrase file"
    assert sentence in found.refusals[0].reason
