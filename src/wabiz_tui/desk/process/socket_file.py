"""Where the desk listens: a private socket in a private runtime folder, however long that folder's path is."""

import os
import socket
import stat
import struct
import sys
from pathlib import Path

from wabiz_tui.model.errors import Denied
from wabiz_tui.model.paths import Paths

NAME = "desk.sock"
# sun_path holds 108 bytes on Linux and 104 on macOS, with the closing zero; folders of tests and homes are often longer.
_LONGEST = 100


def socket_path(paths: Paths) -> Path:
    return paths.runtime / NAME


def connect(path: Path) -> socket.socket:
    """A connected, non-blocking socket. Raises FileNotFoundError or ConnectionRefusedError where no desk listens, Denied for another's."""
    found = path.lstat()
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        raise Denied(f"{path} is not the desk's own socket; remove it and start wabiz again.")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | getattr(socket, "SOCK_CLOEXEC", 0))
    try:
        with _short(path) as name:
            connection.connect(name)
        _check_peer(connection, path)
    except BaseException:
        connection.close()
        raise
    connection.setblocking(False)
    return connection


def _check_peer(connection: socket.socket, path: Path) -> None:
    if peer_user(connection) != os.geteuid():
        raise Denied(f"What listens at {path} is a process of another user; remove it and start wabiz again.")


def listen(path: Path) -> socket.socket:
    """A listening socket of mode 0600 at `path`; what a dead desk left there is removed first (the caller holds the desk's lock)."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with _short(path) as name:
            listener.bind(name)
    finally:
        os.umask(before)
    path.chmod(0o600)
    listener.listen(64)
    listener.setblocking(False)
    return listener


def listener_of(path: Path) -> int | None:
    """The id of our process that listens at `path`; None where none does. Raises Denied for another's socket."""
    try:
        connection = connect(path)
    except (FileNotFoundError, NotADirectoryError, ConnectionError):
        return None
    with connection:
        if sys.platform == "linux":
            return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[0])
        # LOCAL_PEERPID of macOS.
        return connection.getsockopt(0, 2)


def peer_user(connection: socket.socket) -> int:
    """The user id of the process at the other end, as the kernel vouches for it."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    # LOCAL_PEERCRED of the BSDs: struct xucred, whose second field is the effective user id.
    raw = connection.getsockopt(0, 1, 76)
    return int(struct.unpack_from("=II", raw)[1])


class _short:  # noqa: N801 used as a function, `with _short(path) as name`
    """A name for `path` that fits into sun_path: itself, or by way of its folder's descriptor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = -1

    def __enter__(self) -> str:
        name = str(self._path)
        if len(os.fsencode(name)) <= _LONGEST:
            return name
        self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder >= 0:
            os.close(self._folder)
