"""A hub of its own process, with limits of the test's choosing, and raw lines to it."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.hub_archive import NUMBER, TENANT, HandClock, seeded
from tests.support.hub_served import APP_SECRET, ENVIRONMENT, body_of, text_value
from wabiz_tui.graph.signature import sign
from wabiz_tui.hub.operations.settings import initialise
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrolmentCode

QUICK = "[limits]\nheader_seconds = 1\nbody_seconds = 1\nwrite_seconds = 1\n"


class FrontHub(NamedTuple):
    process: "subprocess.Popen[str]"
    url: str
    code: EnrolmentCode
    home: Path

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.rpartition("//")[2].rpartition(":")
        return host, int(port)

    def line(self, *, timeout: float = 60.0) -> socket.socket:
        return socket.create_connection(self.address, timeout=timeout)

    def ask(self, raw: bytes) -> bytes:
        """Everything that comes back on a line of its own, until the hub ends it."""
        with self.line() as line:
            line.sendall(raw)
            return whole(line)

    def log(self) -> list[dict[str, object]]:
        """What it logged, once it has ended."""
        assert self.process.stderr is not None
        return [json.loads(line) for line in self.process.stderr.read().splitlines()]


def init_hub(home: Path, *, more: str = "", graph_url: str = "http://127.0.0.1:9") -> EnrolmentCode:
    names = {"graph_token_env": "T_GRAPH", "app_secret_env": "T_APP", "verify_token_env": "T_VERIFY"}
    code = initialise(
        paths_under(home), archive=str(home / "archive.db"), waba_id=TENANT, phone_number_ids=[NUMBER], graph_url=graph_url,
        clock=HandClock(), random_bytes=seeded(), environment=ENVIRONMENT, **names,
    )  # fmt: skip
    with (home / "hub.toml").open("a") as config:
        config.write("\n" + more)
    return code


@contextlib.contextmanager
def front_hub(home: Path, *, more: str = QUICK) -> Generator[FrontHub]:
    home.mkdir(exist_ok=True)
    code = init_hub(home, more=more)
    command = [sys.executable, "-m", "wabiz_tui.cli.main", "hub", "serve", "--port", "0"]
    environment = {**os.environ, **ENVIRONMENT, "WABIZ_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            yield FrontHub(process, json.loads(line)["listening"], code, home)
        finally:
            process.kill()


def end(hub: FrontHub) -> int:
    hub.process.send_signal(signal.SIGTERM)
    return hub.process.wait(timeout=60)


def webhook(text: str = "hi", wamid: str = "wamid.A") -> bytes:
    """A signed post as Meta makes it, whole."""
    raw = body_of(text_value(text, wamid=wamid, sender="447700900123", at=HandClock().now()))
    return post("/webhooks/whatsapp", raw, f"X-Hub-Signature-256: {sign(raw, Secret(APP_SECRET))}")


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: hub", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join((*lines, "", "")).encode() + body


def whole(line: socket.socket) -> bytes:
    """Until the other side ends it, however it does."""
    told = b""
    with contextlib.suppress(ConnectionError):
        while chunk := line.recv(65536):
            told += chunk
    return told


def answer_of(line: socket.socket) -> bytes:
    """The head of the next answer on a line that stays open."""
    told = b""
    while b"\r\n\r\n" not in told and (chunk := line.recv(1)):
        told += chunk
    return told


def drip(line: socket.socket, pieces: Iterator[bytes], *, every: float = 0.1) -> bytes:
    """Send piece by piece as long as the hub lets us; what it said then."""
    line.setblocking(False)
    for piece in pieces:
        readable, _, _ = select.select([line], [], [], every)
        if readable:
            break
        try:
            line.send(piece)
        except (ConnectionError, BlockingIOError):
            break
    line.settimeout(60)
    return whole(line)
