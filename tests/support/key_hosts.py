"""Hosts as agents find them: a session bus, a Secret Service and an ssh-agent as real processes, in folders of the test's own."""

import base64
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


def missing(*programs: str) -> str:
    """The programs of these that this machine does not have, for the reason of a skip; empty when all are here."""
    return ", ".join(program for program in programs if shutil.which(program) is None)


@contextmanager
def process(command: list[str], ready: Path, *, environment: dict[str, str], given: bytes | None = None) -> Generator[None]:
    """A process in the foreground, until the block ends; `ready` is what it makes when it is."""
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            assert running.stdin is not None
            running.stdin.write(given or b"")
            running.stdin.close()
            wait_for(ready.exists)
            yield
        finally:
            running.terminate()
            running.wait(10)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.01)


@contextmanager
def session_bus(folder: Path) -> Generator[dict[str, str]]:
    """A bus on which no service starts by itself; the environment of whoever is on it."""
    path, config = folder / "bus", folder / "bus.conf"
    path.unlink(missing_ok=True)
    config.write_text(_BUS.format(path=path))
    environment = clean_environment(folder) | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"}
    with process(["dbus-daemon", "--nofork", "--nosyslog", f"--config-file={config}"], path, environment=environment):
        yield environment


@contextmanager
def secret_service(folder: Path, environment: dict[str, str], password: str | None) -> Generator[None]:
    """gnome-keyring on that bus, its login keyring unlocked by `password`, or left locked."""
    control = folder / "control" / "control"
    shutil.rmtree(control.parent, ignore_errors=True)
    control.parent.mkdir(mode=0o700)
    command = ["gnome-keyring-daemon", "--foreground", "--components=secrets", f"--control-directory={control.parent}"]
    if password is not None:
        command.append("--unlock")
    given = None if password is None else password.encode()
    with process(command, control, environment=environment, given=given):
        wait_for(lambda: _has_owner(environment))
        yield


def _has_owner(environment: dict[str, str]) -> bool:
    command = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner"]
    told = subprocess.run([*command, "string:org.freedesktop.secrets"], env=environment, capture_output=True, check=False)
    return b"true" in told.stdout


@contextmanager
def silent_socket(path: Path) -> Generator[Path]:
    """Something that accepts every connection and never says a word."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        yield path


@contextmanager
def answering_socket(path: Path, *answers: bytes) -> Generator[Path]:
    """Something that answers each message of a connection with the next of these, whatever it says."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    for answer in answers:
                        if not connection.recv(65_536):
                            break
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def ssh_agent(folder: Path) -> Generator[dict[str, str]]:
    """An ssh-agent of this test's own; the environment of whoever may use it."""
    path = folder / "agent"
    path.unlink(missing_ok=True)
    environment = clean_environment(folder) | {"SSH_AUTH_SOCK": str(path)}
    with process(["ssh-agent", "-D", "-a", str(path)], path, environment=environment):
        yield environment


def ssh_key(path: Path, kind: str = "ed25519") -> Path:
    openssh("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path))
    return path


def ssh_add(environment: dict[str, str], *arguments: str, answer: str = "") -> None:
    """`ssh-add`; what it asks for is answered without a terminal."""
    script = Path(environment["HOME"]) / "askpass"
    script.write_text(f"#!/bin/sh\necho '{answer}'\n")
    script.chmod(0o700)
    asking = {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    openssh("ssh-add", *arguments, environment=environment | asking)


def openssh(*command: str, environment: dict[str, str] | None = None, given: bytes = b"") -> bytes:
    """What one of OpenSSH's programs prints."""
    return subprocess.run(command, env=environment, input=given, check=True, capture_output=True).stdout


def clean_environment(folder: Path) -> dict[str, str]:
    """Nothing of the desktop or the login that the tests run in."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "LC_ALL": "C.UTF-8"}
    return kept | {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}


def where_written(folder: Path, *secrets: bytes) -> list[Path]:
    """The files under `folder` that hold any of these, as they are or in a form that a plain store gives them."""
    forms = [
        form for secret in secrets for form in (secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret))
    ]
    # A store that packs the whole bundle in base64 once more.
    forms += [base64.b64encode(pad + form)[4:-4] for form in forms for pad in (b"", b"x", b"xx")]
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if any(form in path.read_bytes() for form in forms)]
