"""Say how this machine keeps the keys: which store, why not the others, and what root could do here."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from wabiz_tui.desk.enrolment import Enrolment, find_enrolment
from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.keys import kernel
from wabiz_tui.desk.keys.os_store import find_os_store
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths

Mark = Literal["✓", "·", "!"]
_OVER_THE_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p")


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at. ✓ is as it should be, · is worth knowing, ! wants doing something about it."""

    mark: Mark
    check: str
    sentence: str


def examine(paths: Paths, config: Config) -> list[Finding]:
    """Everything, in the order in which it matters. Reads no secret and writes none but throw-away probes; may take three
    seconds for each key store that does not answer."""
    return [
        *_enrolled(paths),
        *_key_stores(config),
        _kernel(config),
        *_folders(paths),
        _database(),
        *_memory(),
        *_surroundings(config),
    ]


def _enrolled(paths: Paths) -> Iterator[Finding]:
    try:
        enrolment: Enrolment | None = find_enrolment(paths)
    except WabizError as error:
        yield Finding("!", "enrolment", error.sentence)
        return
    if enrolment is None:
        yield Finding("·", "enrolment", "This machine is not enrolled yet: `wabiz enroll HUB_URL CODE`.")
        return
    if enrolment.revoked:
        yield Finding("!", "enrolment", "This device was revoked; a new code makes it a device again.")
        return
    yield Finding("✓", "enrolment", f"Device {enrolment.device} of {enrolment.person_name} at {enrolment.hub_url}.")
    how = "a file that opens with a passphrase" if enrolment.key_store == PassphraseFile.name else enrolment.key_store
    yield Finding("✓", "key in use", f"The local secret is kept in {how}; with it alone nothing opens: the hub has the other half.")


def _key_stores(config: Config) -> Iterator[Finding]:
    for kind in config.keys.order:
        if kind == "keyring":
            store, refusals = find_os_store(config.keys.allow, unsafe_test=config.keys.unsafe_test)
            for refusal in refusals:
                yield Finding("·", "not used", f"{refusal.store}: {refusal.reason}")
            if store is not None:
                yield Finding("✓", "key store", f"{store.name} works here and would be used by an enrolment now.")
                return
        elif kind == "passphrase":
            yield Finding("✓", "key store", "A passphrase (Argon2id, AES-256-GCM) would be used by an enrolment now.")
            return
        else:
            yield Finding("·", "not used", f"{kind}: this version of wabiz does not know how to use it.")
    yield Finding("!", "key store", "No key store works here: allow a passphrase in [keys] order, or unlock the desktop keyring.")


def _kernel(config: Config) -> Finding:
    refusal = kernel.refusal()
    if config.shared_host:
        return Finding("·", "warm start", "This host is marked as shared: no key outlives the desk, and a start needs the hub.")
    if not config.keys.kernel_keyring:
        return Finding("·", "warm start", "Switched off in [keys]: a start needs the hub.")
    if refusal is not None:
        return Finding("·", "warm start", f"The kernel keyring cannot be used ({refusal}): a start needs the hub.")
    return Finding(
        "✓", "warm start", "The kernel keyring holds the opened keys for the lease; a start within it needs neither hub nor person."
    )


def _folders(paths: Paths) -> Iterator[Finding]:
    for name, folder in (("cache", paths.cache), ("data", paths.data), ("runtime", paths.runtime)):
        if not folder.exists():
            continue
        try:
            check_private_folder(folder)
        except WabizError as error:
            yield Finding("!", f"{name} folder", error.sentence)
            continue
        kind = _file_system(folder)
        if kind in _OVER_THE_NETWORK:
            yield Finding(
                "!", f"{name} folder", f"{folder} lies on {kind}: locks do not hold there and others may read it; set WABIZ_HOME."
            )
        else:
            yield Finding("✓", f"{name} folder", f"{folder} is private.")


def _file_system(folder: Path) -> str:
    """The type of the file system that holds `folder`; empty where the system does not tell."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in mounts:
        parts = line.split()
        if len(parts) > 2 and folder.resolve().is_relative_to(parts[1]) and len(parts[1]) >= len(best):
            best, kind = parts[1], parts[2]
    return kind


def _database() -> Finding:
    from wabiz_tui.desk.cache.driver import versions

    try:
        sqlite, cipher = versions()
    except WabizError as error:
        return Finding("!", "database", error.sentence)
    return Finding("✓", "database", f"SQLCipher {cipher} on SQLite {sqlite}, AES-256 pages with HMAC-SHA256.")


def _memory() -> Iterator[Finding]:
    if not sys.platform.startswith("linux"):
        return
    swaps = _lines(Path("/proc/swaps"))[1:]
    if swaps:
        yield Finding("·", "swap", "This machine swaps: memory of an unlocked desk may reach the disk unless the swap is encrypted.")
    else:
        yield Finding("✓", "swap", "No swap: the desk's memory stays in memory.")


def _surroundings(config: Config) -> Iterator[Finding]:
    if os.environ.get("TMUX") or os.environ.get("STY"):
        yield Finding("·", "recording", "You are inside tmux or screen: what it logs or keeps in its scrollback is out of wabiz's hands.")
    shared = "" if config.shared_host else " Where others work on this host too, set shared_host = true in config.toml."
    yield Finding(
        "·",
        "root",
        "While the desk is unlocked, root on this machine can read its memory, the kernel keyring and the screen; nothing here prevents "
        f"that. Locked, or after the lease, what lies on the disk opens for nobody without the hub.{shared}",
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
