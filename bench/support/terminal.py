"""A terminal program under a pseudo-terminal: what it paints, when, and how many bytes a key costs. Helper of the benchmarks."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyte

COLUMNS, ROWS = 120, 36
# Questions a terminal must answer, or programs wait for the answer: device attributes, cursor position, mode reports.
ANSWERS = [
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[>c"), b"\x1b[>0;276;0c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[\?u"), b"\x1b[?0u"),
    (re.compile(rb"\x1b\[\?(\d+)\$p"), b"\x1b[?%b;2$y"),
]


@dataclass
class Key:
    """What one key cost: seconds from the write to the last byte of the answer, and the bytes of it."""

    seconds: float
    bytes: int


class Terminal:
    """One run of a program. Times count from the moment before it was started."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        inherit: Sequence[int] = (),
        size: tuple[int, int] = (COLUMNS, ROWS),
    ) -> None:
        self.finished = False
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.started = time.perf_counter()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # In the child, before the program: otherwise its first frame may be drawn for another size.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            # As a shell at a terminal leaves it; whoever is started in the background ignores it, and so would all below.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            for descriptor in inherit:
                os.set_inheritable(descriptor, True)
            os.execvpe(command[0], list(command), {**(environment or os.environ), "TERM": "xterm-256color", "COLORTERM": "truecolor"})

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            chunk = os.read(self.master, 1 << 16)
        except OSError:
            return b""
        for question, answer in ANSWERS:
            for found in question.finditer(chunk):
                os.write(self.master, answer % found.groups() if found.groups() else answer)
        return chunk

    def resize(self, columns: int, rows: int) -> None:
        """What stands beyond a smaller size is lost, as in a real window; the size is told in band too, as ANSWERS promises."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)
        self.write(b"\x1b[48;%d;%d;0;0t" % (rows, columns))

    def wait_for(self, pattern: str, seconds: float = 60) -> float:
        """Seconds since the start until `pattern` is on the screen."""
        wanted, deadline = re.compile(pattern), time.perf_counter() + seconds
        if wanted.search(self.text()):
            # It was drawn with what was waited for before: nothing more may come.
            return time.perf_counter() - self.started
        while time.perf_counter() < deadline:
            chunk = self._read(0.05)
            arrived = time.perf_counter()
            if chunk:
                # pyte does not know private colon-parameters or kitty's keyboard sequences; it ignores what it does not know.
                self.stream.feed(re.sub(rb"\x1b\[[<>=][\d;]*u", b"", chunk))
                if wanted.search(self.text()):
                    return arrived - self.started
        raise TimeoutError(f"{pattern!r} was not on the screen within {seconds} s; it shows:\n{self.text()}")

    def settle(self, quiet: float = 0.4) -> None:
        while True:
            chunk = self._read(quiet)
            if not chunk:
                return
            self.stream.feed(re.sub(rb"\x1b\[[<>=][\d;]*u", b"", chunk))

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def press(self, data: bytes, *, quiet: float = 0.035) -> Key:
        """Press a key and read the whole answer; `quiet` seconds without output end it."""
        pressed = time.perf_counter()
        self.write(data)
        total, last = 0, pressed
        chunks = []
        while True:
            chunk = self._read(quiet if total else 1.0)
            if not chunk:
                break
            last = time.perf_counter()
            total += len(chunk)
            chunks.append(chunk)
        for chunk in chunks:
            self.stream.feed(re.sub(rb"\x1b\[[<>=][\d;]*u", b"", chunk))
        return Key(last - pressed, total)

    def close(self) -> None:
        """End the program, gently first, and give its terminal back."""
        if self.finished:
            os.close(self.master)
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            for _ in range(40):
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.master)
                    return
                self._read(0.05)
        os.close(self.master)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def spread(values: Sequence[float], *, scale: float = 1000, unit: str = "ms") -> str:
    """`median (min–max) unit`."""
    return f"{statistics.median(values) * scale:.0f} ({min(values) * scale:.0f}–{max(values) * scale:.0f}) {unit}"
