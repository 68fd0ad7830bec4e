"""Start-up: `wabiz` to the first painted inbox and to the first key obeyed, warm and cold, against a bare Textual application
and, for the painted inbox, against neomutt opening a maildir (with its header cache filled).

The key is `j` for both, pressed as soon as something is painted; "page" is `?`, which opens a whole page over the inbox."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.peers.mail import is_here, make_maildir
from bench.support.business import holding, passphrase_pipe
from bench.support.terminal import Terminal, spread
from wabiz_tui.cli.demo.stage import Seat

HERE = Path(__file__).parent
HELLO = [sys.executable, str(HERE / "peers" / "hello.py")]
WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]
INBOX = r"Customer \d+"
MOVED = r"Customer \d+[^\n]*\n▌ Customer"
"""The second row is the chosen one."""
HELP = "Half a page down"


def hello() -> tuple[float, float]:
    """Seconds to the peer's first paint, and until it obeyed a key pressed at once."""
    with Terminal(HELLO) as terminal:
        painted = terminal.wait_for("Hello from a bare application")
        terminal.write(b"j")
        return painted, terminal.wait_for("The key was obeyed")


def warm(seat: Seat, key: bytes = b"j", obeyed: str = MOVED) -> tuple[float, float]:
    """The desk runs and is unlocked."""
    with Terminal(WABIZ, seat.environment()) as terminal:
        painted = terminal.wait_for(INBOX)
        terminal.write(key)
        return painted, terminal.wait_for(obeyed)


def cold(seat: Seat) -> tuple[float, float]:
    """No desk runs and the keys are dropped: start the desk, unwrap the passphrase file, fetch the share, open, paint."""
    seat.run("lock")
    with passphrase_pipe(seat) as descriptor:
        command = [*WABIZ, "inbox", "--passphrase-fd", str(descriptor)]
        with Terminal(command, seat.environment(), inherit=[descriptor]) as terminal:
            painted = terminal.wait_for(INBOX)
            terminal.write(b"j")
            return painted, terminal.wait_for(MOVED)


def mail(command: list[str]) -> tuple[float, float]:
    """Seconds to the peer's painted inbox; no key is asked of it."""
    with Terminal(command) as terminal:
        return terminal.wait_for(INBOX), 0.0


def measure(seats: list[Seat], runs: int, peer: list[str] | None) -> dict[str, list[tuple[float, float]]]:
    """First paint and first key obeyed of each, in turns; "warm" and "cold" are of the first seat, "warm 1" … of the others."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for _ in range(runs):
        for number, seat in enumerate(seats):
            rows.setdefault(f"warm {number}" if number else "warm", []).append(warm(seat))
        rows.setdefault("page", []).append(warm(seats[0], b"?", HELP))
        rows.setdefault("hello", []).append(hello())
        if peer is not None:
            rows.setdefault("mail", []).append(mail(peer))
    for _ in range(runs):
        rows.setdefault("cold", []).append(cold(seats[0]))
    return rows


def ratio(ours: list[tuple[float, float]], peer: list[tuple[float, float]], index: int) -> float:
    return statistics.median(a[index] / b[index] for a, b in zip(ours, peer, strict=True))


def tell(rows: dict[str, list[tuple[float, float]]]) -> None:
    for name, index in (("first paint", 0), ("first key obeyed", 1)):
        for label, ours in rows.items():
            if label == "mail" and index == 1:
                continue
            of_hello = f"   {ratio(ours, rows['hello'], index):.2f} x hello" if label != "hello" else ""
            of_mail = f"   {ratio(ours, rows['mail'], 0):.2f} x neomutt" if "mail" in rows and label == "warm" and index == 0 else ""
            print(f"{name:17} {label:7} {spread([row[index] for row in ours])}{of_hello}{of_mail}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, nargs="*", default=[50_000], help="all held at once; each against the first")
    parser.add_argument("--mails", type=int, default=10_000, help="of the peer's inbox, where neomutt is installed")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wabiz-startup-") as name:
        peer = make_maildir(Path(name) / "mail", options.mails) if is_here() else None
        if peer is None:
            print("# neomutt is not installed: its ratio is left out", file=sys.stderr)
        else:
            mail(peer)  # fills its header cache
        with ExitStack() as stack:
            seats = [stack.enter_context(holding(messages, Path(name) / str(messages))) for messages in options.messages]
            for seat in seats:
                warm(seat)
            rows = measure(seats, options.runs, peer)
        print(f"{', then '.join(map(str, options.messages))} messages held")
        tell(rows)
        for number, messages in enumerate(options.messages[1:], start=1):
            for what, index in (("first paint", 0), ("first key obeyed", 1)):
                larger, smaller = (statistics.median(row[index] for row in rows[label]) for label in (f"warm {number}", "warm"))
                print(f"warm, {what}: {messages} over {options.messages[0]}: {larger / smaller:.2f}")


if __name__ == "__main__":
    main()
