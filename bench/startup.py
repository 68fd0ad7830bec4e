"""Start-up: `wabiz` to the first painted inbox and to the first key obeyed, warm and cold, against a bare Textual application."""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from bench.support.business import filled, passphrase_pipe
from bench.support.terminal import Terminal, spread
from wabiz_tui.cli.demo.stage import Seat

HERE = Path(__file__).parent
HELLO = [sys.executable, str(HERE / "peers" / "hello.py")]
WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]
INBOX = r"Customer 0000[0-5]"
HELP = "Half a page down"


def hello() -> tuple[float, float]:
    """Seconds to the peer's first paint, and until it obeyed a key pressed at once."""
    with Terminal(HELLO) as terminal:
        painted = terminal.wait_for("Hello from a bare application")
        terminal.write(b"j")
        return painted, terminal.wait_for("The key was obeyed")


def warm(seat: Seat) -> tuple[float, float]:
    """The desk runs and is unlocked; `?` is the key, because what it does is seen whatever is on the screen."""
    with Terminal(WABIZ, seat.environment()) as terminal:
        painted = terminal.wait_for(INBOX)
        terminal.write(b"?")
        return painted, terminal.wait_for(HELP)


def cold(seat: Seat) -> tuple[float, float]:
    """No desk runs and the keys are dropped: start the desk, unwrap the passphrase file, fetch the share, open, paint."""
    seat.run("lock")
    with passphrase_pipe(seat) as descriptor:
        command = [*WABIZ, "inbox", "--passphrase-fd", str(descriptor)]
        with Terminal(command, seat.environment(), inherit=[descriptor]) as terminal:
            painted = terminal.wait_for(INBOX)
            terminal.write(b"?")
            return painted, terminal.wait_for(HELP)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with filled(options.conversations) as (_, seat):
        rows = [(warm(seat), cold(seat), hello()) for _ in range(options.runs)]
    for name, index in (("first paint", 0), ("first key obeyed", 1)):
        peer = [row[2][index] for row in rows]
        print(f"{name:17} bare Textual hello   {spread(peer)}")
        for label, column in (("warm", 0), ("cold", 1)):
            ours = [row[column][index] for row in rows]
            ratio = statistics.median(a / b for a, b in zip(ours, peer, strict=True))
            print(f"{name:17} wabiz, {label:5}         {spread(ours)}   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
