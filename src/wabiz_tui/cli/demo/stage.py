"""The stage of the demo: a temporary home with a simulator, a hub and enrolled devices, all real processes, all ended at the end."""

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from wabiz_tui.model.errors import Unreachable, WabizError
from wabiz_tui.model.paths import HOME, Paths, paths_under
from wabiz_tui.model.secret import Secret

WABA_ID = "102290129340398"
NUMBER_ID = "106540352242922"
PASSPHRASE = "demo"  # noqa: S105 of a machine that is pretended and gone afterwards
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class Server:
    """One of our servers as a child process that prints `{"listening": url}` when it listens."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wabiz_tui.cli.main", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl+C in the inbox is a key, not the end of the hub
                preexec_fn=_end_with_parent,  # noqa: PLW1509 no thread runs here yet; a killed demo must leave no server behind
            )
        self.url = self._listening()

    def _listening(self) -> str:
        assert self.process.stdout is not None  # noqa: S101 asked for above
        deadline = time.monotonic() + _START_SECONDS
        line = b""
        while time.monotonic() < deadline and self.process.poll() is None:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                line = self.process.stdout.readline()
                if line:
                    break
        try:
            return str(json.loads(line)["listening"])
        except (ValueError, KeyError) as error:
            raise Unreachable(f"The {self.name} did not start; its log is {self.log}.") from error

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Seat:
    """One person's machine: its own home, its own passphrase, its own desk."""

    def __init__(self, name: str, home: Path, passphrase: str = "") -> None:
        self.name, self.home = name, home
        home.mkdir(mode=0o700)
        self._passphrase = passphrase or secrets.token_urlsafe(18)

    @property
    def paths(self) -> Paths:
        return paths_under(self.home)

    def environment(self) -> dict[str, str]:
        return _environment(self.home)

    def passphrase(self) -> str:
        return self._passphrase

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One `wabiz` command on this machine, with the passphrase on an inherited descriptor."""
        finished = self._run(arguments)
        if check and finished.returncode != 0:
            raise WabizError(f"`wabiz {' '.join(arguments[:2])}` on {self.name}'s machine failed: {finished.stderr.strip()[-400:]}")
        return finished

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        reading, writing = os.pipe()
        try:
            os.write(writing, self._passphrase.encode() + b"\n")
            os.close(writing)
            return subprocess.run(
                [sys.executable, "-m", "wabiz_tui.cli.main", *arguments, "--passphrase-fd", str(reading)],
                env=self.environment(),
                pass_fds=[reading],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        finally:
            os.close(reading)

    def run_plain(self, *arguments: str) -> int:
        """The exit code of a command that opens no cache and needs no passphrase."""
        command = [sys.executable, "-m", "wabiz_tui.cli.main", *arguments]
        return subprocess.run(
            command, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        ).returncode

    def records(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON Lines a command printed."""
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines() if line.strip()]


class Stage:
    """Simulator, hub and seats; a context manager that leaves nothing behind."""

    def __init__(self, *, keep: bool, seed: int, scenario: Path | None) -> None:
        self.keep = keep
        self.home = Path(tempfile.mkdtemp(prefix="wabiz-demo-"))
        self.seats: list[Seat] = []
        self.servers: list[Server] = []
        self._seed, self._scenario = seed, scenario
        self._secrets = {name: secrets.token_hex(16) for name in ("WABIZ_DEMO_TOKEN", "WABIZ_DEMO_APP_SECRET", "WABIZ_DEMO_VERIFY")}
        self.admin_code = ""

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _open(self) -> None:
        environment = _environment(self.home / "hub") | self._secrets
        (self.home / "hub").mkdir(mode=0o700)
        ids = ["--waba-id", WABA_ID, "--phone-number-id", NUMBER_ID]
        names = ["--app-secret-env", "WABIZ_DEMO_APP_SECRET", "--verify-token-env", "WABIZ_DEMO_VERIFY"]
        hub_port = free_port()
        scenario = ["--scenario", str(self._scenario)] if self._scenario else []
        self.simulator = self._server(
            "simulator",
            ["simulator", "serve", "--port", "0", *ids, *names, "--token-env", "WABIZ_DEMO_TOKEN", "--seed", str(self._seed)]
            + ["--hub", f"http://127.0.0.1:{hub_port}", *scenario],
            environment,
        )
        made = subprocess.run(
            [sys.executable, "-m", "wabiz_tui.cli.main", "hub", "init", "--archive", str(self.home / "hub" / "archive.db"), *ids]
            + ["--graph-url", self.simulator.url, "--graph-token-env", "WABIZ_DEMO_TOKEN", *names],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if made.returncode != 0:
            raise WabizError(f"The hub could not be set up: {made.stderr.strip()[-400:]}")
        self.admin_code = str(json.loads(made.stdout)["code"])
        self.hub = self._server("hub", ["hub", "serve", "--config", "hub.toml", "--port", str(hub_port)], environment)

    def _server(self, name: str, arguments: list[str], environment: dict[str, str]) -> Server:
        server = Server(name, arguments, environment, self.home / f"{name}.log")
        self.servers.append(server)
        return server

    @property
    def app_secret(self) -> Secret:
        """What this stage's Meta signs webhooks with."""
        return Secret(self._secrets["WABIZ_DEMO_APP_SECRET"])

    def seat(self, name: str, code: str, passphrase: str = "") -> Seat:
        """A new machine for `name`, enrolled with `code`; its passphrase is a random one unless given."""
        seat = Seat(name, self.home / name, passphrase)
        self.seats.append(seat)
        seat.run("enroll", self.hub.url, code, "--name", f"{name}'s laptop")
        return seat

    def person(self, admin: Seat, name: str, role: str, passphrase: str = "") -> Seat:
        """A person added by the administrator, at a machine of their own."""
        return self.seat(name, str(admin.records("people", "add", name, "--role", role)[0]["code"]), passphrase)

    def _close(self) -> None:
        for seat in self.seats:
            with suppress(WabizError, subprocess.TimeoutExpired):
                seat.run("wipe", "--yes", check=False)
        for server in reversed(self.servers):
            server.stop()
        if not self.keep:
            shutil.rmtree(self.home, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    """The environment of a child: ours, with its own home, and without what would make it wait or ask."""
    dropped = {"DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND"}
    return {name: value for name, value in os.environ.items() if name not in dropped} | {HOME: str(home), "PYTHONUNBUFFERED": "1"}


def _end_with_parent() -> None:
    """In the child: SIGTERM when the demo's process is gone, however it ended (Linux; elsewhere only an orderly end tidies up)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """A loopback port nobody listens on now."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def progress(sentence: str) -> Generator[None]:
    """Say what is being done, and how long it took, on standard error."""
    started = time.monotonic()
    print(f"  {sentence} …", end="", file=sys.stderr, flush=True)
    yield
    print(f" {time.monotonic() - started:.1f} s", file=sys.stderr)


def business() -> Path:
    """The scenario that ships with the simulator."""
    from importlib.resources import files

    return Path(str(files("wabiz_tui.simulator") / "business" / "demo.toml"))


@contextmanager
def ended_in_order() -> Generator[None]:
    """End in order on SIGTERM and SIGHUP too, so that a closed window leaves no process and no file behind."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
