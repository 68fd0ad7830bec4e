"""Reach the desk of this machine: connect to the one that runs, or start it and wait until it listens."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.exclusion import wait_for_lock
from wabiz_tui.desk.process.frames import Failure, error_of, unpack
from wabiz_tui.desk.process.glance import is_ours
from wabiz_tui.desk.process.socket_file import socket_path
from wabiz_tui.model.errors import Conflict, Unreachable, UsageError, WabizError
from wabiz_tui.model.paths import HOME, Paths, make_private
from wabiz_tui.model.secret import Secret

HANGS = "desk_hangs"
"""The code of Unreachable when a desk holds the cache and does not answer."""
LOG = "desk.log"
_LARGEST_LOG = 1 << 20
_START_SECONDS = 45.0
_END_SECONDS = 20.0
_HELLO_SECONDS = 15.0
"""A desk says hello at once, or after a moment while it takes a new memory."""
_LOCK_TRIES = 3
_LARGEST_READY = 64 * 1024


class Ready(msgspec.Struct, frozen=True):
    """The one line a starting desk writes to its parent: it listens, or why it does not."""

    listening: bool
    failure: Failure | None = None


async def connect(
    paths: Paths, *, passphrase: Secret | None = None, start: bool = True, environment: Mapping[str, str] | None = None
) -> DeskClient:
    """The desk's client. With `passphrase` a desk that has to be started, or is locked, is unlocked with it; an open one checks it.

    A desk of another version, or whose clock is ahead by another amount, is ended in order first. Raises UsageError when this
    machine is not enrolled, Unreachable when no desk runs and `start` is false, and what a starting desk says of itself.
    """
    if not paths.enrolment_file.exists():
        raise UsageError("This machine is not enrolled: ask an administrator for a code, then run `wabiz enroll HUB_URL CODE`.")
    wanted = os.environ if environment is None else environment
    client = await _running(paths)
    if client is not None and not is_ours(client.hello, wanted):
        await _end(client, paths)
        client = None
    if client is None:
        if not start:
            raise Unreachable("No desk runs on this machine.")
        await _start(paths, passphrase, wanted)
        client = await _running(paths)
        if client is None:
            raise Unreachable("The desk ended as soon as it had started; `wabiz doctor` may say why.")
        return client
    if passphrase is not None:
        await _unlock(client, passphrase)
    return client


async def lock(paths: Paths, *, environment: Mapping[str, str] | None = None) -> None:
    """Lock the desk that runs; where none does, destroy the keys that the last one left with the kernel. Starts nothing.

    Raises UsageError when this machine is not enrolled, Unreachable when a desk neither answers nor ends."""
    for _ in range(_LOCK_TRIES):
        try:
            client = await connect(paths, start=False, environment=environment)
            try:
                await client.lock()
                return
            finally:
                await client.close()
        except Unreachable as error:
            if error.code == HANGS:
                raise
            # None runs, or it ended while it was asked.
            if await _drop_keys(paths):
                return
    raise Unreachable("The desk neither answers nor ends; end its process, then lock again.")


async def _drop_keys(paths: Paths) -> bool:
    """With the cache's lock in hand: a desk on its way out would put keys back. False when a desk has started meanwhile."""
    from wabiz_tui.desk.enrolment import get_enrolment
    from wabiz_tui.desk.keys import warm

    make_private(paths.cache)
    try:
        held = await wait_for_lock(paths)
    except Conflict:
        return False
    try:
        warm.drop(get_enrolment(paths).device)
    finally:
        os.close(held)
    return True


async def _running(paths: Paths) -> DeskClient | None:
    """Raises Denied for a runtime folder that others could have prepared, Unreachable when a desk is there and does not answer."""
    _check_runtime(paths.runtime)
    try:
        async with asyncio.timeout(_HELLO_SECONDS):
            return await DeskClient.open(socket_path(paths))
    except TimeoutError as error:
        raise Unreachable("The desk that runs does not answer; end its process, then start wabiz again.", code=HANGS) from error
    except (FileNotFoundError, ConnectionError, NotADirectoryError, Unreachable):
        # The last: a desk that was killed between the connection and its first word.
        return None


def _check_runtime(folder: Path) -> None:
    if os.path.lexists(folder):
        check_private_folder(folder)


async def _end(client: DeskClient, paths: Paths) -> None:
    await client.end()
    await client.close()
    deadline = asyncio.get_running_loop().time() + _END_SECONDS
    while socket_path(paths).exists():
        if asyncio.get_running_loop().time() > deadline:
            raise Unreachable("The desk that runs does not end; close the other wabiz windows and try again.")
        await asyncio.sleep(0.02)


async def _unlock(client: DeskClient, passphrase: Secret) -> None:
    try:
        # An open desk is asked too: whoever gives a wrong passphrase is refused, whatever others have opened.
        await client.unlock(passphrase)
    except WabizError:
        await client.close()
        raise


async def _start(paths: Paths, passphrase: Secret | None, environment: Mapping[str, str]) -> None:
    ready_in = _spawn(paths, passphrase, environment)
    try:
        line = await asyncio.wait_for(_first_line(ready_in), _START_SECONDS)
    except TimeoutError as error:
        raise Unreachable("The desk did not start in time; try again.") from error
    if not line:
        raise Unreachable("The desk could not start; `wabiz doctor` may say why.")
    ready: Ready = unpack(line, Ready)
    # A desk that lost the race to another is no failure: the other one listens.
    if ready.failure is not None and ready.failure.code != "desk_runs":
        raise error_of(ready.failure)


def _spawn(paths: Paths, passphrase: Secret | None, environment: Mapping[str, str]) -> int:
    """Start the desk detached from this terminal; the descriptor on which it says that it listens.

    The passphrase goes over an inherited descriptor too: arguments and environment can be read by others.
    """
    ready_in, ready_out = os.pipe()
    inherited = [ready_out]
    command = [sys.executable, "-m", "wabiz_tui.desk.process", "--ready-fd", str(ready_out)]
    log = _open_log(paths)
    if passphrase is not None:
        secret_in, secret_out = os.pipe()
        os.write(secret_out, passphrase.reveal())
        os.close(secret_out)
        inherited.append(secret_in)
        command += ["--passphrase-fd", str(secret_in)]
    try:
        desk = subprocess.Popen(
            command,
            env=_environment(paths, environment),
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
        # The desk outlives this process and is nobody's to wait for; without this Python warns of a child still running.
        desk.returncode = 0
    finally:
        for descriptor in (*inherited, log):
            os.close(descriptor)
    return ready_in


def _open_log(paths: Paths) -> int:
    """Where the desk's faults are written, one JSON object a line, never content; nowhere, where the folder takes no file."""
    try:
        log = os.open(make_private(paths.state) / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
    if os.fstat(log).st_size > _LARGEST_LOG:
        os.ftruncate(log, 0)
    return log


async def _first_line(descriptor: int) -> bytes:
    reader = asyncio.StreamReader(limit=_LARGEST_READY)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        return await reader.readline()
    finally:
        transport.close()


def _environment(paths: Paths, environment: Mapping[str, str]) -> dict[str, str]:
    """What the desk inherits: where its files are, its clock, and the desktop's way to the key store. Nothing of ours is secret there."""
    kept = dict(environment)
    if HOME in kept:
        kept[HOME] = str(Path(kept[HOME]).expanduser().absolute())
    elif paths.data.name == "data" and paths.config == paths.data.parent:
        kept[HOME] = str(paths.config)
    return kept
