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
from wabiz_tui.desk.keys.agent_file import AgentFile
from wabiz_tui.desk.keys.os_store import Refusal, find_os_store
from wabiz_tui.desk.keys.stores import kind_of
from wabiz_tui.desk.keys.systemd_creds import SystemdCreds
from wabiz_tui.desk.mounts import network_file_system
from wabiz_tui.model.config import Config
from wabiz_tui.model.config import KeyStore as Kind
from wabiz_tui.model.errors import NoKeyStore, WabizError
from wabiz_tui.model.paths import Paths

_KEPT_IN: dict[Kind, str] = {
    "passphrase": "a file that opens with a passphrase",
    "ssh-agent": "a file that opens with a signature of a key in your ssh-agent",
    "systemd-creds": "a file that systemd-creds opens for you on this machine",
}
_WOULD_BE_USED: dict[Kind, str] = {
    "passphrase": "A passphrase (Argon2id, AES-256-GCM)",
    "systemd-creds": "systemd-creds",
}
_ROOT_AND_THE_STORE: dict[Kind, str] = {
    "keyring": " The desktop's key store, while it is unlocked, answers root as it answers you.",
    "passphrase": " A passphrase that is typed here can be watched by root.",
    "ssh-agent": " While your agent is forwarded here, root can have it sign, and so open what it keeps, until you log out.",
    "systemd-creds": " What systemd-creds keeps root can open at any time, on this machine; without a TPM from a copy of the disk too.",
}

Mark = Literal["✓", "·", "!"]


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
        *_key_stores(paths, config),
        _kernel(config),
        *_folders(paths),
        _database(),
        *_memory(),
        *_surroundings(paths, config),
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
    how = _KEPT_IN.get(kind_of(enrolment.key_store), enrolment.key_store)
    yield Finding("✓", "key in use", f"The local secret is kept in {how}; with it alone nothing opens: the hub has the other half.")
    if enrolment.other_store:
        yield Finding("!", "key left over", f"A change of key stores was cut off; the next unlock empties {enrolment.other_store}.")


def _key_stores(paths: Paths, config: Config) -> Iterator[Finding]:
    if config.keys.unsafe_test:
        yield Finding("!", "key store", "unsafe_test = true in [keys] allows stores that do not encrypt; it is for tests of wabiz only.")
    for kind in config.keys.asked:
        refusals: list[Refusal] = []
        try:
            works = _try(kind, paths, config, refusals)
        except NoKeyStore as error:
            refusals.append(Refusal(kind, error.sentence))
            works = ""
        for refusal in refusals:
            names_itself = refusal.reason.startswith(refusal.store)
            yield Finding("·", "not used", refusal.reason if names_itself else f"{refusal.store}: {refusal.reason}")
        if works:
            yield Finding("✓", "key store", f"{works} would be used by an enrolment now.")
            return
    yield Finding("!", "key store", "No key store works here: allow a passphrase in [keys] order, or unlock the desktop keyring.")


def _try(kind: Kind, paths: Paths, config: Config, refusals: list[Refusal]) -> str:
    """What of this kind works here, in words; empty where `refusals` says why nothing does. Raises NoKeyStore."""
    if kind == "keyring":
        store, against = find_os_store(config.keys.allow, unsafe_test=config.keys.unsafe_test)
        refusals += against
        return "" if store is None else store.name
    if kind == "systemd-creds":
        SystemdCreds(paths.data).prove(os.urandom)
    elif kind == "ssh-agent":
        return f"The key {AgentFile(paths.data, config.keys.ssh_key).prove()} of your ssh-agent"
    return _WOULD_BE_USED[kind]


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
        # By the kernel's list first: to look whether a folder exists may hang where its server is dead.
        if not network_file_system(folder) and not folder.exists():
            continue
        try:
            check_private_folder(folder)
        except WabizError as error:
            yield Finding("!", f"{name} folder", error.sentence)
            continue
        yield Finding("✓", f"{name} folder", f"{folder} is private.")


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


def _surroundings(paths: Paths, config: Config) -> Iterator[Finding]:
    if os.environ.get("TMUX") or os.environ.get("STY"):
        yield Finding("·", "recording", "You are inside tmux or screen: what it logs or keeps in its scrollback is out of wabiz's hands.")
    shared = "" if config.shared_host else " Where others work on this host too, set shared_host = true in config.toml."
    yield Finding(
        "·",
        "root",
        "While the desk is unlocked, root on this machine can read its memory, the kernel keyring and the screen; nothing here prevents "
        f"that.{_of_store(paths)} Locked, or after the lease, what lies on the disk opens for nobody without the hub.{shared}",
    )


def _of_store(paths: Paths) -> str:
    try:
        enrolment = find_enrolment(paths)
    except WabizError:
        return ""
    return "" if enrolment is None else _ROOT_AND_THE_STORE[kind_of(enrolment.key_store)]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
