"""Be another user of this machine for one act: `python -m tests.support.other_user UID ACT ARGUMENT`, started by root.

Prints `{"done": …}` or `{"refused": "the error's name"}`; an act that stays prints before it waits for its standard input to end.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.process.hardening import harden
from wabiz_tui.desk.process.socket_file import connect
from wabiz_tui.model.errors import WabizError

_PTRACE_ATTACH = 16
_PR_SET_DUMPABLE = 4


def ask(user: int, act: str, argument: object) -> dict[str, str]:
    """What became of the act of that user."""
    command = [sys.executable, "-m", "tests.support.other_user", str(user), act, str(argument)]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True).stdout
    return dict(json.loads(told.splitlines()[0]))


@contextmanager
def staying(user: int, act: str, argument: object) -> Generator[int]:
    """The process id of that user's process, which has done the act and waits."""
    command = [sys.executable, "-m", "tests.support.other_user", str(user), act, str(argument)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "done" in json.loads(process.stdout.readline())
        yield process.pid


def _connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def _connect_as_client(path: str) -> None:
    connect(Path(path)).close()


def _read(path: str) -> None:
    Path(path).read_bytes()


def _list(path: str) -> None:
    list(Path(path).iterdir())


def _memory(pid: str) -> None:
    with Path(f"/proc/{pid}/mem").open("rb"):
        pass


def _trace(pid: str) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(_PTRACE_ATTACH, int(pid), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _check(folder: str) -> None:
    check_private_folder(Path(folder))


def _make(folder: str) -> None:
    Path(folder).mkdir(mode=0o700)


def _listen(path: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    Path(path).chmod(0o777)
    listener.listen()
    _kept.append(listener)


def _harden(_: str) -> None:
    harden()


_kept: list[socket.socket] = []
_ACTS: dict[str, Callable[[str], None]] = {
    "connect": _connect,
    "connect-as-client": _connect_as_client,
    "read": _read,
    "list": _list,
    "memory": _memory,
    "trace": _trace,
    "check": _check,
    "make": _make,
    "listen": _listen,
    "harden": _harden,
    "nothing": lambda _: None,
}


def main() -> None:
    user, act, argument = sys.argv[1:]
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
    # A process that changed its user is closed to its neighbours until it says otherwise; an ordinary one is open.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    try:
        _ACTS[act](argument)
    except (OSError, WabizError) as error:
        print(json.dumps({"refused": type(error).__name__}), flush=True)
    else:
        print(json.dumps({"done": act}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
