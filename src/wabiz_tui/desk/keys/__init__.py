"""Where a device's secrets live, and `cache_key` for those who must inspect a cache (docs/threat-model.md)."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from wabiz_tui.model.secret import Secret

Unlock: TypeAlias = "str | bytes | Secret | Callable[[], str | bytes | Secret] | None"


def cache_key(home: str | Path, unlock: Unlock = None) -> bytes:
    """The raw key, 32 bytes, of the newest cache file under `home` (the value of WABIZ_HOME); for inspection, by its owner.

    `unlock` is the passphrase, or a function that gives it, or None where the kernel keyring or the system's key store is
    enough. Asks the hub for the share of that file's epoch unless the kernel still keeps the key. May be called with or
    without a running event loop; it blocks. Raises Denied when the machine is no device, NoKeyStore, WrongKey, Unreachable,
    NotFound when there is no cache or the hub has destroyed its share.
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from wabiz_tui.desk.keys.inspection import find_cache_key
    from wabiz_tui.model.paths import paths_under

    given = unlock() if callable(unlock) else unlock
    passphrase = Secret(given) if isinstance(given, str | bytes) else given
    paths = paths_under(Path(home).expanduser().absolute())
    # A thread of its own: the caller may be inside an event loop.
    with ThreadPoolExecutor(1) as one:
        return one.submit(lambda: asyncio.run(find_cache_key(paths, passphrase))).result()
