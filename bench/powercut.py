"""Powercut: a hub's writes and syncs under load are traced; its files as a power cut leaves them must hold what it acknowledged."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from bench.support.load import signed
from bench.support.servers import WABIZ
from bench.support.traffic import NUMBER, WABA, traffic
from tests.support.road import wabiz
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import load_settings, open_archive
from wabiz_tui.model.clock import SystemClock

SECRETS = {"CUT_TOKEN": "EAAcut", "CUT_SECRET": "an app secret", "CUT_VERIFY": "a verify token"}
CONNECTIONS = 8
SECTOR = 512
_CALL = re.compile(r"^(\d+) +(\w+)\((\d+)<(.*?)>(?=[,) ])(.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_TRACED = "pwrite64,write,writev,sendto,sendmsg,ftruncate,fdatasync,fsync"


class Deed(NamedTuple):
    """One completed call: `begun` and `done` are its places in the trace."""

    name: str
    target: str
    data: bytes
    offset: int
    begun: int
    done: int


def read_trace(path: Path) -> list[Deed]:
    """The calls in the order in which they were done."""
    deeds: list[Deed] = []
    unfinished: dict[str, tuple[str, str, str, int]] = {}
    with path.open() as lines:
        for place, line in enumerate(lines):
            resumed, call = _RESUMED.match(line), _CALL.match(line)
            if resumed is not None and resumed[1] in unfinished:
                name, target, rest, begun = unfinished.pop(resumed[1])
                rest += resumed[3]
            elif call is not None:
                name, target, rest, begun = call[2], call[4], call[5], place
                if "<unfinished" in rest:
                    unfinished[call[1]] = name, target, rest.partition("<unfinished")[0], begun
                    continue
            else:
                continue
            result = rest.rpartition("= ")[2].split()[0]
            if result.startswith("-") or not result.isdigit():
                continue
            data = b"".join(bytes.fromhex(found.replace("\\x", "")) for found in _TEXT.findall(rest))
            numbers = re.findall(r"\d+", _TEXT.sub("", rest.rpartition(")")[0]))
            offset = int(numbers[-1]) if name in ("pwrite64", "ftruncate") and numbers else 0
            target = target.encode().decode("unicode_escape") if "\\x" in target else target
            deeds.append(Deed(name, target, data, offset, begun, place))
    return deeds


class Disk:
    """What a disk holds for certain, and what it was told since."""

    def __init__(self, folder: Path) -> None:
        self.certain = {str(path): bytearray(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
        self.told: dict[str, list[Deed]] = {}

    def take(self, deed: Deed) -> None:
        if deed.name in ("fdatasync", "fsync"):
            waiting = self.told.get(deed.target, [])
            for one in waiting:
                if one.done < deed.begun:
                    _apply(self.certain.setdefault(deed.target, bytearray()), one)
            self.told[deed.target] = [one for one in waiting if one.done >= deed.begun]
        else:
            self.told.setdefault(deed.target, []).append(deed)

    def after_a_cut(self, chance: random.Random) -> dict[str, bytearray]:
        """The files as they may be found: of what was not synced any part, sector by sector, in any order."""
        found = {path: bytearray(content) for path, content in self.certain.items()}
        for path, waiting in self.told.items():
            for one in chance.sample(waiting, len(waiting)):
                _apply(found.setdefault(path, bytearray()), one, chance)
        return found


def _apply(content: bytearray, deed: Deed, chance: random.Random | None = None) -> None:
    if deed.name == "ftruncate":
        if chance is None or chance.random() < 0.5:
            del content[deed.offset :]
            content.extend(bytes(max(0, deed.offset - len(content))))
        return
    for start in range(0, len(deed.data), SECTOR):
        if chance is not None and chance.random() < 0.5:
            continue
        piece, at = deed.data[start : start + SECTOR], deed.offset + start
        content.extend(bytes(max(0, at + len(piece) - len(content))))
        content[at : at + len(piece)] = piece


@contextlib.contextmanager
def traced_hub(home: Path, trace: Path) -> Generator[int]:
    command = ["strace", "-D", "-f", "-yy", "-xx", "-s", "100000000", "-e", f"trace={_TRACED}", "-o", str(trace)]
    command += [*WABIZ, "hub", "serve", "--config", str(home / "hub.toml"), "--port", "0"]
    process = subprocess.Popen(
        command, env=os.environ | SECRETS | {"WABIZ_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["listening"].rpartition(":")[2])
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)


async def load(port: int, requests: list[bytes]) -> list[tuple[int, list[int]]]:
    """Post over some connections at once; of each its own port and the webhooks it posted, in their order."""
    waiting = list(enumerate(requests))
    waiting.reverse()

    async def post() -> tuple[int, list[int]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        mine: list[int] = []
        while waiting:
            index, request = waiting.pop()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            mine.append(index)
        own = int(writer.get_extra_info("sockname")[1])
        writer.close()
        return own, mine

    posted = list(await asyncio.gather(*(post() for _ in range(CONNECTIONS))))
    await asyncio.sleep(1)  # the trace is written after the answer left
    return posted


def acknowledged_at(deeds: list[Deed], posted: list[tuple[int, list[int]]]) -> dict[int, list[int]]:
    """Place of an answer among the deeds → the webhooks it acknowledged."""
    left = {own: iter(mine) for own, mine in posted}
    answers: dict[int, list[int]] = {}
    for place, deed in enumerate(deeds):
        named = re.search(r":(\d+)\]$", deed.target)
        if named is None or int(named[1]) not in left:
            continue
        for _ in range(deed.data.count(b"HTTP/1.1 200")):
            answers.setdefault(place, []).append(next(left[int(named[1])]))
    return answers


def held_after(files: dict[str, bytearray], home: Path, archive: Path) -> set[bytes]:
    """The bodies that a hub finds in its journal over these files."""
    for path in archive.parent.glob("*"):
        if path.is_file():
            path.unlink()
    for name, content in files.items():
        if Path(name).parent == archive.parent and not name.endswith(("-shm", ".lock")):
            Path(name).write_bytes(content)
    settings = load_settings(home / "hub.toml")
    opened = open_archive(settings, load_secrets(settings.secret_places, SECRETS), clock=SystemClock(), random_bytes=os.urandom)
    journal = opened.open_journal()
    try:
        return {entry.raw for entry in journal.read_after(0, limit=1_000_000, most_bytes=1 << 40)}
    finally:
        journal.stop()
        opened.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhooks", type=int, default=400)
    parser.add_argument("--cuts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("This needs strace, which sees what is written and what is synced.")
    chance = random.Random(options.seed)
    bodies = traffic(options.webhooks)
    with tempfile.TemporaryDirectory(prefix="wabiz-cut-") as folder:
        home, archive, trace = Path(folder) / "hub", Path(folder) / "archive" / "archive.db", Path(folder) / "trace"
        home.mkdir()
        made = wabiz(
            "hub", "init", "--archive", str(archive), "--waba-id", WABA, "--phone-number-id", NUMBER, "--graph-url", "http://127.0.0.1:9",
            "--graph-token-env", "CUT_TOKEN", "--app-secret-env", "CUT_SECRET", "--verify-token-env", "CUT_VERIFY",
            home=home, environment=SECRETS,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        disk = Disk(archive.parent)
        with traced_hub(home, trace) as port:
            posted = asyncio.run(load(port, signed(bodies, SECRETS["CUT_SECRET"].encode())))
        deeds = read_trace(trace)
        answers = acknowledged_at(deeds, posted)
        assert sum(map(len, answers.values())) == len(bodies), "not every answer was found in the trace"
        cuts = set(chance.sample(range(min(answers), len(deeds)), options.cuts)) | {max(answers) + 1}
        acknowledged: set[int] = set()
        lost = 0
        for place, deed in enumerate(deeds):
            if place in cuts:
                found = held_after(disk.after_a_cut(chance), home, archive)
                missing = [index for index in acknowledged if bodies[index] not in found]
                lost += len(missing)
            acknowledged.update(answers.get(place, ()))
            if deed.target.startswith(str(archive.parent)):
                disk.take(deed)
    syncs = sum(deed.name in ("fdatasync", "fsync") for deed in deeds)
    print(f"{len(bodies)} webhooks over {CONNECTIONS} connections, {len(deeds)} calls traced, {syncs} of them syncs; {len(cuts)} cuts")
    print(f"{lost} acknowledged webhooks lost")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
