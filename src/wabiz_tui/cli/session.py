"""Open the desk for one command: paths, configuration, passphrase, socket; and run its coroutine."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from wabiz_tui.model.desk import Desk
from wabiz_tui.model.errors import NoKeyStore, UsageError
from wabiz_tui.model.paths import Paths, paths_from_environment
from wabiz_tui.model.secret import Secret

T = TypeVar("T")
_LONGEST_PASSPHRASE = 4096


def read_passphrase(descriptor: int | None, *, option: str = "--passphrase-fd") -> Secret | None:
    """The passphrase from an inherited descriptor, which `option` named, up to its first line end; None without one. Raises UsageError."""
    if descriptor is None:
        return None
    try:
        with os.fdopen(descriptor, "rb") as stream:
            line = stream.readline(_LONGEST_PASSPHRASE + 2)
    except OSError as error:
        raise UsageError(f"{option} {descriptor} is not an open file descriptor; open it in the shell, such as 3<file.") from error
    passphrase = line.rstrip(b"\r\n")
    if not passphrase or len(passphrase) > _LONGEST_PASSPHRASE:
        raise UsageError(f"{option} {descriptor} gave no passphrase of 1 to {_LONGEST_PASSPHRASE} bytes on its first line.")
    return Secret(passphrase)


def ask_passphrase(*, again: bool = False) -> Secret:
    """Ask on the terminal, twice when a new one is chosen. Raises NoKeyStore without a terminal, UsageError when the two differ."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        if not again:
            raise NoKeyStore(
                "This machine's key opens with a passphrase, and there is no terminal to ask for it: give it with --passphrase-fd N."
            )
        raise NoKeyStore(
            "This machine has no key store that wabiz may use and no terminal to ask for a passphrase: "
            "unlock the desktop keyring, or give a passphrase with --passphrase-fd N."
        )
    import getpass

    passphrase = getpass.getpass("Passphrase for the wabiz cache: ", stream=sys.stderr)
    if not passphrase:
        raise UsageError("An empty passphrase protects nothing; choose one of several words.")
    if again and getpass.getpass("The same again: ", stream=sys.stderr) != passphrase:
        raise UsageError("The two passphrases differ; nothing was changed.")
    return Secret(passphrase)


def machine_paths() -> Paths:
    """This machine's folders, with its config.toml checked: a mistake in it is told by every command, also while a desk runs
    that had read an earlier one. Raises DocumentError."""
    paths = paths_from_environment()
    if paths.config_file.exists():
        from wabiz_tui.model.config import load_config

        load_config(paths)
    return paths


@asynccontextmanager
async def open_desk(passphrase_fd: int | None) -> AsyncGenerator[Desk]:
    """The unlocked desk of this machine, started if it is not running; asks for the passphrase when that is the only way in."""
    from wabiz_tui.desk.process.launch import connect

    passphrase = read_passphrase(passphrase_fd)
    desk = await connect(machine_paths(), passphrase=passphrase)
    try:
        status = await desk.status()
        if status.locked:
            if passphrase is None and status.needs_passphrase:
                passphrase = ask_passphrase()
            await desk.unlock(passphrase)
        yield desk
    finally:
        await desk.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one command's coroutine to its end."""
    return asyncio.run(work)


def with_desk(passphrase_fd: int | None, act: Callable[[Desk], Coroutine[Any, Any, T]]) -> T:
    """Open the desk, do one thing with it, close it."""

    async def work() -> T:
        async with open_desk(passphrase_fd) as desk:
            return await act(desk)

    return run(work())
