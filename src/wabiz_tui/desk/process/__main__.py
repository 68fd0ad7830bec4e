"""The desk's process: `python -m wabiz_tui.desk.process --ready-fd N [--passphrase-fd N]`, started by launch, ended by itself.

With `--renewed-fd N` it is the same process with a new memory after a lock (renewal)."""

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from wabiz_tui.desk.process.exclusion import wait_for_lock
from wabiz_tui.desk.process.frames import failure_of, pack
from wabiz_tui.desk.process.hardening import harden
from wabiz_tui.desk.process.launch import Ready
from wabiz_tui.desk.process.log import place_of, silence_libraries, tell
from wabiz_tui.desk.process.renewal import Kept, take_up
from wabiz_tui.desk.process.socket_file import socket_path
from wabiz_tui.desk.process.steadiness import be_steady
from wabiz_tui.model.clock import clock_from_environment
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths, make_private, paths_from_environment
from wabiz_tui.model.secret import Secret

if TYPE_CHECKING:
    from wabiz_tui.desk.process.life import Life

_LONGEST_PASSPHRASE = 4096


def main() -> int:
    harden()
    silence_libraries()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-fd", type=int, default=-1)
    parser.add_argument("--passphrase-fd", type=int, default=-1)
    parser.add_argument("--renewed-fd", type=int, default=-1)
    options = parser.parse_args()
    try:
        paths = paths_from_environment()
        if options.renewed_fd >= 0:
            return asyncio.run(_go_on(paths, take_up(options.renewed_fd)))
        return asyncio.run(_run(paths, _passphrase(options.passphrase_fd), options.ready_fd))
    except WabizError as error:
        # The log first: whoever hears the failure looks there next.
        tell("not_started", code=error.code)
        _say(options.ready_fd, Ready(listening=False, failure=failure_of(error)))
        return error.exit_status
    except Exception as error:  # noqa: BLE001 the edge of the process: a traceback's last line may hold what a customer wrote
        tell("ended_by_fault", error=type(error).__name__, at=place_of(error))
        return 1


def _passphrase(descriptor: int) -> Secret | None:
    if descriptor < 0:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return Secret(stream.read(_LONGEST_PASSPHRASE))


def _say(descriptor: int, ready: Ready) -> None:
    """The one line the parent waits for; nobody may be waiting."""
    if descriptor < 0:
        return
    try:
        os.write(descriptor, pack(ready) + b"\n")
        os.close(descriptor)
    except OSError:
        # The parent has gone, or has heard already: there is nobody left to tell.
        return


async def _run(paths: Paths, passphrase: Secret | None, ready_fd: int) -> int:
    from wabiz_tui.desk.files import check_private_folder

    for folder in (paths.cache, paths.data, paths.runtime):
        check_private_folder(make_private(folder))
    lock = await wait_for_lock(paths)
    try:
        life = _life(paths, lock)
        await life.begin(passphrase)
        be_steady()
        _say(ready_fd, Ready(listening=True))
        await life.until_over()
        return 0
    finally:
        os.close(lock)


async def _go_on(paths: Paths, kept: Kept) -> int:
    try:
        # A revoked desk goes on to say so to whoever is still there.
        life = _life(paths, kept.lock, is_revoked_too=True)
        await life.go_on(kept)
        be_steady()
        await life.until_over()
        return 0
    finally:
        os.close(kept.lock)


def _life(paths: Paths, lock: int, *, is_revoked_too: bool = False) -> "Life":
    from wabiz_tui.desk.clock import DeskClock
    from wabiz_tui.desk.desk import LocalDesk
    from wabiz_tui.desk.enrolment import get_enrolment
    from wabiz_tui.desk.process.life import Life
    from wabiz_tui.desk.session.opening import Setting
    from wabiz_tui.model.config import load_config

    clock = clock_from_environment()
    enrolment = get_enrolment(paths, is_revoked_too=is_revoked_too)
    desk = LocalDesk(Setting(enrolment=enrolment, config=load_config(paths), paths=paths, clock=DeskClock(clock)))
    return Life(desk, socket_path(paths), ahead=clock.ahead.total_seconds(), lock=lock)


if __name__ == "__main__":
    sys.exit(main())
