"""The whole road for journeys: simulator, hub and enrolled machines as real processes, driven as a stranger would drive them."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from wabiz_tui.cli.demo.stage import Seat, Stage

T = TypeVar("T")
FIXTURES = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures" / "meta-webhooks"
PATIENCE = 60.0


class Road(Stage):
    """A stage without a scenario, with an administrator, an agent and a compliance officer at machines of their own."""

    admin: Seat
    agent: Seat
    officer: Seat

    def people(self) -> "Road":
        self.admin = self.seat("admin", self.admin_code)
        self.agent = self.person(self.admin, "Robin", "agent")
        self.officer = self.person(self.admin, "Casey", "compliance")
        return self

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return call(f"{self.simulator.url}/_control/{path}", body)

    def customer_writes(self, text: str, *, phone: str, name: str, **more: Any) -> str:
        """A customer writes; the wamid, after the hub answered."""
        return str(self.control("inbound", {"from": phone, "name": name, "text": text, **more})["wamid"])

    def post_webhook(self, body: bytes, *, secret: bytes | None = None) -> int:
        signature = "sha256=" + hmac.new(self.app_secret.reveal() if secret is None else secret, body, hashlib.sha256).hexdigest()
        return self.post(body, {"X-Hub-Signature-256": signature})

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        request = urllib.request.Request(
            f"{self.hub.url}/webhooks/whatsapp", data=body, headers={"Content-Type": "application/json"} | headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def conversation_of(self, name: str, seat: Seat | None = None) -> dict[str, Any]:
        """The conversation with that name on a machine, synced first."""
        machine = seat or self.agent
        machine.run("sync")
        return next(row for row in machine.records("conversations") if row["name"] == name)


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def until(look: Callable[[], T], *, patience: float = PATIENCE) -> T:
    """The first truthy answer of `look`; the last answer when patience ends (the caller's assertion then shows it)."""
    deadline = time.monotonic() + patience
    found = look()
    while not found and time.monotonic() < deadline:
        time.sleep(0.1)
        found = look()
    return found


def wabiz(
    *arguments: str, home: Path, environment: dict[str, str] | None = None, passphrase: str | None = None
) -> subprocess.CompletedProcess[str]:
    """One command in a fresh process, as a person or script would call it."""
    inherited: list[int] = []
    extra: list[str] = []
    if passphrase is not None:
        reading, writing = os.pipe()
        os.write(writing, passphrase.encode() + b"\n")
        os.close(writing)
        inherited, extra = [reading], ["--passphrase-fd", str(reading)]
    try:
        return subprocess.run(
            [sys.executable, "-m", "wabiz_tui.cli.main", *arguments, *extra],
            env={**os.environ, "WABIZ_HOME": str(home), **(environment or {})},
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        for descriptor in inherited:
            os.close(descriptor)
