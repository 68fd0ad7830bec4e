"""`wabiz` servers as processes that can be killed, starved of room and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]


class Process:
    """A `wabiz` server that can be killed and started again."""

    def __init__(self, name: str, arguments: list[str], home: Path, environment: dict[str, str]) -> None:
        self.name, self._arguments, self._home, self._environment = name, arguments, home, environment
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        line = await loop.run_in_executor(None, self._begin)
        if not line:
            raise SystemExit(f"{self.name} did not listen: {(self._home.parent / f'{self.name}.log').read_text()[-800:]}")
        self.url = json.loads(line)["listening"]

    def _begin(self) -> bytes:
        with (self._home.parent / f"{self.name}.log").open("ab") as log:
            environment = os.environ | self._environment | {"WABIZ_HOME": str(self._home)}
            self._process = subprocess.Popen([*WABIZ, *self._arguments], env=environment, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    async def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return await asyncio.get_running_loop().run_in_executor(None, self._process.wait)

    @contextlib.contextmanager
    def without_room(self, folder: Path) -> Generator[None]:
        """No file of the process may grow beyond what the largest there has: every engine's way of hearing that the disk is full."""
        assert self._process is not None
        largest = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
        before = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (largest // 2, before[1]))
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, before)
