"""Commands of a script while the desk runs: each from its start to its end, against 0.3 s and against what Python itself needs for one."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from bench.support.business import filled

LIMIT = 0.3
# What any command that speaks to a socket and reads arguments must load.
FLOOR = [sys.executable, "-c", "import asyncio, click, msgspec"]


def run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds by the clock and of the processor, of the command alone."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    taken, after = time.perf_counter() - started, os.times()
    return taken, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with filled(options.conversations) as (_, seat):
        chat = seat.records("conversations")[0]["id"]
        commands = {
            "status": ("status",),
            "status --json": ("status", "--json"),
            "conversations --json": ("conversations", "--json"),
            "messages --json": ("messages", chat, "--json"),
            "search --json": ("search", "parcel order", "--json"),
        }
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ("floor", *commands)}
        for _ in range(options.runs):
            rows["floor"].append(run(FLOOR, seat.environment()))
            for name, words in commands.items():
                rows[name].append(run([sys.executable, "-m", "wabiz_tui.cli.main", *words], seat.environment()))
    floor = statistics.median(row[0] for row in rows["floor"])
    print(f"{'python with its libraries':26} {floor * 1000:6.0f} ms")
    for name in commands:
        clock, processor = (statistics.median(row[index] for row in rows[name]) for index in (0, 1))
        worst = max(row[0] for row in rows[name])
        print(
            f"wabiz {name:20} {clock * 1000:6.0f} ms (worst {worst * 1000:.0f}, processor {processor * 1000:.0f}) "
            f"= {clock / LIMIT:.2f} of the 0.3 s allowed, {clock / floor:.2f} of the floor"
        )


if __name__ == "__main__":
    main()
