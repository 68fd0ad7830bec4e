"""A hub process with devices of its own, for what is measured from outside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import httpx

import wabiz_tui.hub.policy as hub_policy
from bench.support.traffic import NUMBER, WABA
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import initialise, load_settings, open_archive
from wabiz_tui.hub.policy import shipped_text
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrollReply, EnrolmentCode, TokenReply, TokenRequest
from wabiz_tui.proof.assertions import make_assertion
from wabiz_tui.proof.enrolment import build_request
from wabiz_tui.proof.signing import generate

APP_SECRET = "bench-app-secret"  # noqa: S105 of a hub that nobody else knows
GRAPH_ENV, APP_ENV, VERIFY_ENV = "BENCH_GRAPH", "BENCH_APP", "BENCH_VERIFY"
_ENVIRONMENT = {GRAPH_ENV: "EAAbench", APP_ENV: APP_SECRET, VERIFY_ENV: "bench-verify"}


class Hub(NamedTuple):
    url: str
    pid: int
    code: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def memory(self, which: str = "VmRSS") -> int:
        """Bytes: VmRSS as it is, VmHWM the most since `forget_peak`."""
        return memory(self.pid, which)


class Device(NamedTuple):
    reply: EnrollReply
    seed: Secret
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def memory(pid: int, which: str = "VmRSS") -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{which}:"))


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@contextlib.contextmanager
def hub_process(home: Path, *, fill: Callable[[Archive], None] = lambda _: None, most_messages: int = 200_000) -> Generator[Hub]:
    """A hub over a fresh archive in an SQLCipher file, filled before it serves."""
    paths, clock = paths_under(home), SystemClock()
    text = shipped_text("gdpr-default").replace("max_messages = 50_000", f"max_messages = {most_messages}")
    hub_policy.shipped_text = lambda _name: text  # type: ignore[assignment] the first policy needs no approval
    code = initialise(
        paths,
        archive=str(home / "archive.db"),
        waba_id=WABA,
        phone_number_ids=[NUMBER],
        graph_url="http://127.0.0.1:9",
        clock=clock,
        random_bytes=os.urandom,
        environment=_ENVIRONMENT,
        graph_token_env=GRAPH_ENV,
        app_secret_env=APP_ENV,
        verify_token_env=VERIFY_ENV,
    )
    settings = load_settings(paths.config / "hub.toml")
    archive = open_archive(settings, load_secrets(settings.secret_places, _ENVIRONMENT), clock=clock, random_bytes=os.urandom)
    fill(archive)
    archive.close()
    command = [sys.executable, "-m", "wabiz_tui.cli.main", "hub", "serve", "--config", str(paths.config / "hub.toml"), "--port", "0"]
    with (home / "hub.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | _ENVIRONMENT | {"WABIZ_HOME": str(home)}, stdout=subprocess.PIPE, stderr=log)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit((home / "hub.log").read_text()[-2000:])
            yield Hub(decode(line, dict[str, str])["listening"], process.pid, code.code)
        finally:
            process.terminate()
            process.wait(30)


def enrol(http: httpx.Client, hub: Hub, code: str) -> Device:
    seed = generate(os.urandom)
    answer = http.post(f"{hub.url}/v1/enroll", content=encode(build_request(code, seed, device_name="bench")))
    answer.raise_for_status()
    reply = decode(answer.content, EnrollReply)
    proof = make_assertion(reply.device, reply.tenant, seed, SystemClock().now(), os.urandom)
    token = http.post(f"{hub.url}/v1/token", content=encode(TokenRequest(proof)))
    token.raise_for_status()
    return Device(reply, seed, decode(token.content, TokenReply).access_token)


def person_code(http: httpx.Client, hub: Hub, admin: Device, name: str, role: str) -> str:
    """The code by which a new person enrols a device."""
    answer = http.post(f"{hub.url}/v1/people", content=encode({"name": name, "role": role}), headers=admin.headers)
    answer.raise_for_status()
    return decode(answer.content, EnrolmentCode).code


def add_person(http: httpx.Client, hub: Hub, admin: Device, name: str, role: str) -> Device:
    return enrol(http, hub, person_code(http, hub, admin, name, role))
