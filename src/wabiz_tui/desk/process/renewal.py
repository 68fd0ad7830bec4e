"""At a lock the process takes a new memory: it starts its own program anew in place of itself and keeps only its sockets.

Python cannot overwrite the text and bytes it has handled; the kernel throws a process' memory away whole when it starts another
program (execve(2)). The process keeps its id, the cache's lock and its clients, who notice nothing but the lock.
"""

import os
import sys
from typing import NoReturn

import msgspec

from wabiz_tui import __version__
from wabiz_tui.desk.process.frames import Failure, pack, unpack
from wabiz_tui.model.errors import BadInput

_MOST_KEPT = 60_000
"""Bytes that every system's pipe holds before anybody reads."""


class KeptClient(msgspec.Struct, frozen=True):
    """A connection, and what its client has asked that nobody has answered."""

    descriptor: int
    unread: bytes = b""


class Kept(msgspec.Struct, frozen=True):
    """What outlives the old memory. `why` is the sentence of the lock, where it has one."""

    lock: int
    listener: int
    clients: tuple[KeptClient, ...] = ()
    why: Failure | None = None
    version: str = __version__


def renew(kept: Kept) -> NoReturn:
    """Start the desk's program anew in this process. Raises OSError where that cannot be done."""
    raw = _pack_within(kept)
    reading, writing = os.pipe()
    os.write(writing, raw)
    os.close(writing)
    for descriptor in (reading, kept.lock, kept.listener, *(client.descriptor for client in kept.clients)):
        os.set_inheritable(descriptor, True)
    command = [sys.executable, "-m", "wabiz_tui.desk.process", "--renewed-fd", str(reading)]
    os.execv(sys.executable, command)  # noqa: S606 our own program, by its full path; a shell has no part in it


def take_up(descriptor: int) -> Kept:
    """What the process kept of itself. Raises BadInput when another version of the program kept it."""
    with os.fdopen(descriptor, "rb") as stream:
        kept: Kept = unpack(stream.read(_MOST_KEPT), Kept)
    for inherited in (kept.lock, kept.listener, *(client.descriptor for client in kept.clients)):
        os.set_inheritable(inherited, False)
    if kept.version != __version__:
        raise BadInput("The desk was replaced by another version while it was locked; start wabiz again.")
    return kept


def _pack_within(kept: Kept) -> bytes:
    """Clients with more unanswered than fits are let go: they connect again."""
    clients = sorted(kept.clients, key=lambda client: len(client.unread))
    while len(raw := pack(msgspec.structs.replace(kept, clients=tuple(clients)))) > _MOST_KEPT:
        clients.pop()
    return raw
