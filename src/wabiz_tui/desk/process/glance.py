"""What the inbox shows first, asked over a plain socket of a desk that runs: to import asyncio takes longer than all of it.

The connection is kept and handed on to the client that the app uses.
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from wabiz_tui import __version__
from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.process.frames import MAX_FRAME, PROTOCOL, FromDesk, Hello, Reply, Request, frame, pack, unpack
from wabiz_tui.desk.process.socket_file import connect, socket_path
from wabiz_tui.model.clock import clock_from_environment
from wabiz_tui.model.desk import DeskStatus, QueuePage
from wabiz_tui.model.errors import TooLarge, Unreachable, WabizError
from wabiz_tui.model.paths import Paths

_SECONDS = 0.3
"""A desk that is at work answers in a few milliseconds; one that takes longer is waited for where waiting can be broken off."""


class Glance(NamedTuple):
    """`page` and `counts` are empty while the desk is locked. `calls` were made on this connection, with the ids from 1 on."""

    connection: socket.socket
    hello: Hello
    status: DeskStatus
    page: QueuePage
    counts: dict[str, int]
    calls: int


def glance(paths: Paths, *, rows: int, environment: Mapping[str, str] = os.environ) -> Glance | None:
    """None where no desk of this version runs or answers at once, whatever the reason: the usual way to it finds out, and says so."""
    try:
        if not paths.enrolment_file.exists():
            return None
        check_private_folder(paths.runtime)
        connection = connect(socket_path(paths))
    except (OSError, WabizError):
        return None
    try:
        found = _asked(connection, rows, environment)
    except (OSError, WabizError):
        found = None
    except BaseException:
        connection.close()
        raise
    if found is None:
        connection.close()
    return found


def is_ours(hello: Hello, environment: Mapping[str, str]) -> bool:
    """Whether the desk that said so is of this version, and its clock ahead by as much as ours."""
    ahead = clock_from_environment(environment).ahead.total_seconds()
    return (hello.protocol, hello.version, hello.ahead) == (PROTOCOL, __version__, ahead)


def _asked(connection: socket.socket, rows: int, environment: Mapping[str, str]) -> Glance | None:
    line = _Line(connection)
    hello = line.hear()
    if not isinstance(hello, Hello) or not is_ours(hello, environment):
        return None
    asked = [_request(1, "status"), _request(2, "queue", view="open", offset=0, limit=rows), _request(3, "counts")]
    connection.sendall(b"".join(asked))
    replies: dict[int, Reply] = {}
    while len(replies) < len(asked):
        told = line.hear()
        if isinstance(told, Reply):
            replies[told.id] = told
    status = _value(replies[1], DeskStatus)
    if status is None:
        return None
    page, counts = _value(replies[2], QueuePage), _value(replies[3], dict[str, int])
    if not status.locked and (page is None or counts is None):
        return None
    connection.setblocking(False)
    return Glance(connection, hello, status, page or QueuePage(rows=[], total=0, offset=0), counts or {}, len(asked))


def _request(number: int, name: str, **args: object) -> bytes:
    return frame(Request(number, name, msgspec.Raw(pack(args))))


def _value(reply: Reply, kind: Any) -> Any:
    return None if reply.failure is not None else unpack(reply.ok, kind)


class _Line:
    """Takes whole frames and not a byte more: what follows belongs to whoever takes the connection on."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._until = connection, time.monotonic() + _SECONDS

    def hear(self) -> FromDesk:
        """Raises OSError, among them TimeoutError, Unreachable, TooLarge, BadInput."""
        size = int.from_bytes(self._take(4), "big")
        if size > MAX_FRAME:
            raise TooLarge("A frame on the desk's socket is larger than any that wabiz sends.")
        return unpack(self._take(size), FromDesk)

    def _take(self, size: int) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            piece = self._connection.recv(size - len(taken))
            if not piece:
                raise Unreachable("The desk has ended; start wabiz again.")
            taken += piece
        return bytes(taken)
