"""`wabiz simulator serve` as its own process, and the hand on it, for clients that know nothing of wabiz."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

WABA, NUMBER, SECOND_NUMBER = "419561257915477", "106540352242922", "106540352242923"
TOKEN, APP_SECRET, VERIFY = "test_token", "test_app_secret", "test_verify"
PATIENCE = 60.0


class SimulatorProcess:
    """The base URL of a running simulator, and its control endpoints."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE)

    def control(self, endpoint: str, /, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"/_control/{endpoint}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, endpoint: str, **params: str) -> dict[str, Any]:
        answer = self._http.get(f"/_control/{endpoint}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sent(self, wamid: str) -> dict[str, Any]:
        """The record of one accepted message: to whom, and the body as it came."""
        (record,) = self.ask("sent", wamid=wamid)["sent"]
        return record

    def meet(self, phone: str, **parts: Any) -> str:
        """The customer of that number writes, which opens the window; the wamid."""
        told = self.control("inbound", **{"from": phone, "name": "Zoë Quist", "text": "Hello", "wait": False, **parts})
        return str(told["wamid"])

    def graph(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A plain call as Meta's documentation writes it: the version in the path, the token in the header."""
        headers = {"Authorization": f"Bearer {TOKEN}"} | request.pop("headers", {})
        return self._http.request(method, f"/v26.0/{path}", headers=headers, **request)

    def close(self) -> None:
        self._http.close()


@contextmanager
def simulator_process(**settings: Any) -> Iterator[SimulatorProcess]:
    """Started with `--port 0`, known by the line it prints, ended with SIGTERM. `settings` go to `/_control/settings`; statuses take
    no time unless `pace` says otherwise."""
    secrets = {"PRETEND_TOKEN": TOKEN, "PRETEND_SECRET": APP_SECRET, "PRETEND_VERIFY": VERIFY}
    names = ["--token-env", "PRETEND_TOKEN", "--app-secret-env", "PRETEND_SECRET", "--verify-token-env", "PRETEND_VERIFY"]
    ids = ["--waba-id", WABA, "--phone-number-id", NUMBER, "--phone-number-id", SECOND_NUMBER]
    command = [sys.executable, "-m", "wabiz_tui.cli.main", "simulator", "serve", "--port", "0", *ids, *names]
    with subprocess.Popen(command, env=os.environ | secrets, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the simulator ended before it listened"
            simulator = SimulatorProcess(json.loads(line)["listening"])
            simulator.control("settings", **{"pace": 0, "per_second": 1000, "pair_burst": 1000, **settings})
            yield simulator
            simulator.close()
        finally:
            process.terminate()
            process.wait(PATIENCE)
    assert process.returncode == 0
