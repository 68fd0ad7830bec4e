"""Keys: latency and bytes of 200 × j in an inbox of 10 000 conversations, against Textual's OptionList with as many rows."""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from bench.support.business import filled
from bench.support.terminal import Key, Terminal, percentile
from wabiz_tui.cli.demo.stage import Seat

HERE = Path(__file__).parent
WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]


def pressed(terminal: Terminal, pattern: str, key: bytes, count: int) -> list[Key]:
    terminal.wait_for(pattern)
    terminal.settle(1.0)
    return [terminal.press(key) for _ in range(count)]


def ours(seat: Seat, count: int) -> list[Key]:
    with Terminal(WABIZ, seat.environment()) as terminal:
        return pressed(terminal, r"Customer 0000[0-5]", b"j", count)


def peer(rows: int, count: int) -> list[Key]:
    with Terminal([sys.executable, str(HERE / "peers" / "options.py"), str(rows)]) as terminal:
        return pressed(terminal, "Customer 00001", b"\x1b[B", count)


def figures(keys: list[Key]) -> tuple[float, float, float]:
    """p50 and p99 in milliseconds, mean bytes."""
    seconds = [key.seconds * 1000 for key in keys if key.bytes]
    return percentile(seconds, 0.5), percentile(seconds, 0.99), statistics.mean(key.bytes for key in keys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with filled(options.conversations) as (_, seat):
        rows = [(figures(ours(seat, options.keys)), figures(peer(options.conversations, options.keys))) for _ in range(options.runs)]
    for index, (name, unit) in enumerate((("p50", "ms"), ("p99", "ms"), ("mean bytes", "B"))):
        mine, others = [row[0][index] for row in rows], [row[1][index] for row in rows]
        ratio = statistics.median(a / b for a, b in zip(mine, others, strict=True))
        both = f"wabiz {statistics.median(mine):9.1f} {unit}   OptionList {statistics.median(others):9.1f} {unit}"
        print(f"{name:11} {both}   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
