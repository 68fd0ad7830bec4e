"""What all lines of this process share: how many there are, how much is at work, and which have been too slow.

uvicorn keeps a line for as long as its client likes: it has no time for headers, bodies or readers. The guard has, and looks
over all lines once a second instead of setting a timer for each of some thousand requests a second.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import structlog

from wabiz_tui.hub.front.addresses import Trust, group_of, parse_address
from wabiz_tui.hub.front.bounds import MIB, Bounds
from wabiz_tui.hub.front.refusals import BUSY, FULL, NO_TLS, STREAMS_FULL, TOO_MANY_LINES, WEBHOOKS_BUSY, Refusal

Kind = Literal["webhook", "stream", "upload", "watch", "request"]

_WEBHOOK, _STREAM = "/webhooks/whatsapp", "/v1/changes/stream"
_WATCH = frozenset(("/healthz", "/readyz", "/metrics"))
_UPLOAD = re.compile(r"/v\d{1,3}\.\d{1,2}/[^/]+/media")
_LARGEST_WEBHOOK = 4 * MIB + 64 * 1024
_LARGEST_UPLOAD = 101 * MIB
_MOST_WATCHERS = 16
_BETWEEN_LINES = 1.0

log = structlog.get_logger("hub.front")


class Line(Protocol):
    """One connection, as the guard sees it."""

    peer: str

    @property
    def is_arriving(self) -> bool:
        """Whether a body is on its way in."""
        ...

    def look(self, now: float) -> None:
        """End what has been too slow."""
        ...

    def end(self) -> None:
        """Close at once, with nothing said."""
        ...


class Figures(NamedTuple):
    connections: int
    working: dict[Kind, int]
    arriving_bytes: int


class Guard:
    """Belongs to the event loop: no method is for another thread."""

    def __init__(self, bounds: Bounds, trust: Trust, *, refused: Callable[[str], None], monotonic: Callable[[], float]) -> None:
        self.bounds, self._trust, self._count, self.monotonic = bounds, trust, refused, monotonic
        self._lines: set[Line] = set()
        self._waiting: dict[Line, None] = {}
        """Lines with no request at work, the one that has waited longest first."""
        self._from: Counter[str] = Counter()
        self._working: dict[Kind, set[object]] = {"webhook": set(), "stream": set(), "upload": set(), "watch": set(), "request": set()}
        self._arriving: dict[Line, int] = {}
        self._arriving_bytes = 0
        self._told: dict[str, float] = {}
        self._untold: Counter[str] = Counter()
        self._most: dict[Kind, int] = {
            "webhook": bounds.webhooks,
            "stream": bounds.streams,
            "upload": bounds.requests,
            "watch": _MOST_WATCHERS,
            "request": bounds.requests,
        }

    async def watch(self) -> None:
        """Look over all lines again and again, until cancelled."""
        shortest = min(self.bounds.header_seconds, self.bounds.body_seconds, self.bounds.write_seconds)
        while True:
            await asyncio.sleep(min(1.0, shortest / 4))
            now = self.monotonic()
            for line in tuple(self._lines):
                line.look(now)

    @property
    def figures(self) -> Figures:
        return Figures(len(self._lines), {kind: len(held) for kind, held in self._working.items()}, self._arriving_bytes)

    def opened(self, line: Line, *, is_plain: bool) -> Refusal | None:
        """Count a new line, which closes the oldest waiting one where there is no room; what to answer where it may not be."""
        self._lines.add(line)
        self._waiting[line] = None
        if is_plain and not self._is_near(line):
            return NO_TLS
        group = self._counted_group(line)
        if group:
            self._from[group] += 1
            if self._from[group] > self.bounds.connections_per_address:
                return TOO_MANY_LINES
        if len(self._lines) <= self.bounds.connections:
            return None
        oldest = next(iter(self._waiting))
        if oldest is line:
            return FULL
        self.refused(FULL)
        self._waiting.pop(oldest)
        oldest.end()
        return None

    def closed(self, line: Line) -> None:
        if line not in self._lines:
            return
        self._lines.discard(line)
        self._waiting.pop(line, None)
        self.arrived(line)
        group = self._counted_group(line)
        if group:
            self._from[group] -= 1
            if self._from[group] <= 0:
                del self._from[group]

    def begin(self, line: Line, request: object, kind: Kind) -> Refusal | None:
        """The request has come whole: take a place among those at work, or say what to answer."""
        held = self._working[kind]
        if len(held) >= self._most[kind]:
            return {"webhook": WEBHOOKS_BUSY, "stream": STREAMS_FULL}.get(kind, BUSY)
        held.add(request)
        self._waiting.pop(line, None)
        return None

    def finish(self, line: Line, request: object, kind: Kind, *, is_last: bool) -> None:
        """`is_last` says that the line has no further request behind this one."""
        self._working[kind].discard(request)
        if is_last and line in self._lines:
            self._waiting.setdefault(line, None)

    def arriving(self, line: Line, size: int) -> Line | None:
        """`size` more bytes of a large body are held; the line that must give up its body for it, if one must."""
        self._arriving[line] = self._arriving.get(line, 0) + size
        self._arriving_bytes += size
        if self._arriving_bytes <= self.bounds.arriving_bytes:
            return None
        # The one that began first has had the most time; what came whole is at work and not given up.
        return next((one for one in self._arriving if one.is_arriving), line)

    def arrived(self, line: Line) -> None:
        """The line's body is held no longer."""
        self._arriving_bytes -= self._arriving.pop(line, 0)

    def refused(self, refusal: Refusal) -> None:
        """Count it, and log it at most once a second for each reason: a flood of bad requests shall not fill the disk."""
        self._count(refusal.reason)
        now = self.monotonic()
        if now - self._told.get(refusal.reason, -_BETWEEN_LINES) < _BETWEEN_LINES:
            self._untold[refusal.reason] += 1
            return
        self._told[refusal.reason] = now
        log.warning("request_refused", reason=refusal.reason, unlogged=self._untold.pop(refusal.reason, 0))

    def _counted_group(self, line: Line) -> str:
        return "" if self._is_near(line) else group_of(line.peer)

    def _is_near(self, line: Line) -> bool:
        """This machine itself, or a proxy that hub.toml trusts."""
        address = parse_address(line.peer) if line.peer else None
        return address is None or address.is_loopback or self._trust.is_proxy(address)


def kind_of(scope: dict[str, Any]) -> Kind:
    path, method = scope["path"], scope["method"]
    if path == _WEBHOOK:
        return "webhook"
    if path == _STREAM and method == "GET":
        return "stream"
    if path in _WATCH:
        return "watch"
    return "upload" if method == "POST" and _UPLOAD.fullmatch(path) else "request"


def largest_body(kind: Kind, bounds: Bounds) -> int:
    """What the line lets through. Webhooks and uploads are refused by their own doors at the exact size, in Meta's shape."""
    return {"webhook": _LARGEST_WEBHOOK, "upload": _LARGEST_UPLOAD}.get(kind, bounds.body_bytes)
