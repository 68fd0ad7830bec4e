"""The Linux kernel's keyring, by system call: secrets in kernel memory that end by themselves at a given time.

Keys lie in the user's keyring, so that they outlive the process that put them there. Reading them needs *possession*,
which pam_keyinit gives to login sessions and nothing gives to cron, containers or `su`: each call therefore first links
the user's keyring to the process' own (keyrings(7), "Possession"; user-keyring(7)).
"""

import ctypes
import os
import platform
import sys
from functools import cache
from typing import Any

from wabiz_tui.model.secret import Secret

# add_key and keyctl: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
_CALLS = {"x86_64": (248, 250), "aarch64": (217, 219), "riscv64": (217, 219)}
_PROCESS_KEYRING, _USER_KEYRING = -2, -4
_REVOKE, _LINK, _UNLINK, _SEARCH, _READ, _SET_TIMEOUT, _INVALIDATE = 3, 8, 9, 10, 11, 15, 21
_LARGEST = 32_767
_TYPE = b"user"


class KernelRefusal(Exception):
    """The kernel would not: the caller goes on without a warm start."""


def put(name: str, value: Secret, *, seconds: int) -> None:
    """Keep `value` under `name` for that long; an entry of this name is replaced. Raises KernelRefusal."""
    if seconds <= 0 or not 0 < len(value) <= _LARGEST:
        raise KernelRefusal("nothing to keep, or no time to keep it")
    _possess()
    payload = value.reveal()
    key = _call(0, _TYPE, name.encode(), payload, len(payload), _USER_KEYRING)
    try:
        _keyctl(_SET_TIMEOUT, key, seconds)
    except KernelRefusal:
        take(name)
        raise


def get(name: str) -> Secret | None:
    """The value, or None when there is none, its time is over, or the kernel does not give it."""
    try:
        _possess()
        key = _find(name)
        buffer = ctypes.create_string_buffer(_LARGEST)
        size = _keyctl(_READ, key, buffer, _LARGEST)
    except KernelRefusal:
        return None
    value = Secret(buffer.raw[: min(size, _LARGEST)])
    ctypes.memset(buffer, 0, _LARGEST)
    return value


def take(name: str) -> None:
    """Destroy the entry at once, if it is there."""
    try:
        _possess()
        key = _find(name)
    except KernelRefusal:
        return
    for operation, *rest in ((_INVALIDATE, key), (_REVOKE, key), (_UNLINK, key, _USER_KEYRING)):
        try:
            _keyctl(operation, *rest)
        except KernelRefusal:
            continue
        return


@cache
def refusal() -> str | None:
    """Why the kernel keyring cannot be used here; None when it can. Tried once, with a throw-away entry."""
    name = f"wabiz:probe:{os.getpid()}"
    try:
        put(name, Secret("probe"), seconds=10)
    except KernelRefusal as error:
        return str(error)
    found = get(name)
    take(name)
    return None if found == Secret("probe") else "what was written could not be read back"


def _possess() -> None:
    _keyctl(_LINK, _USER_KEYRING, _PROCESS_KEYRING)


def _find(name: str) -> int:
    return _keyctl(_SEARCH, _USER_KEYRING, _TYPE, name.encode(), 0)


def _keyctl(operation: int, *arguments: object) -> int:
    return _call(1, operation, *arguments)


def _call(which: int, *arguments: object) -> int:
    numbers = _CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or numbers is None or sys.maxsize < 2**32:
        raise KernelRefusal("there is no Linux kernel keyring on this system")
    returned: int = _library().syscall(numbers[which], *(_argument(argument) for argument in arguments))
    if returned < 0:
        raise KernelRefusal(os.strerror(ctypes.get_errno()))
    return returned


def _argument(argument: object) -> Any:
    # A variadic call passes plain integers as 32 bits; the kernel reads full registers.
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


@cache
def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)
