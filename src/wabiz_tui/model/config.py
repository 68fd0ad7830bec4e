"""The agent's own settings, `config.toml`: where keys may live, what the screen looks like, which keys do what.

Nothing here can loosen the policy; what touches it (`idle_lock`, `shared_host`, the key stores) only makes it stricter.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from wabiz_tui.model.clock import parse_ahead
from wabiz_tui.model.document import Path as KeyPath
from wabiz_tui.model.document import Problem, Written, load_text, point_at, read_document
from wabiz_tui.model.errors import DocumentError, UsageError
from wabiz_tui.model.paths import Paths

KeyStore = Literal["keyring", "systemd-creds", "ssh-agent", "passphrase"]
AskedStore = Literal["", "keyring", "systemd-creds", "ssh-agent", "passphrase"]

# The stores of macOS, Windows, GNOME (two ways) and KDE, by class: a store that merely "works" may be a plain file.
SAFE_KEYRINGS = (
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.libsecret.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
)
_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_KEY = re.compile(r"[^\s,]{1,40}( [^\s,]{1,40})?")


class Keys(msgspec.Struct, frozen=True):
    """Where the local secret may live: the stores in the order they are tried, and the keyring classes that count as safe.

    `store` asks for one store and no other. `ssh_key` is the fingerprint (`SHA256:…`) of the key in the ssh-agent; empty means
    the only one that will do."""

    store: AskedStore = ""
    order: tuple[KeyStore, ...] = ("keyring", "passphrase")
    allow: tuple[str, ...] = SAFE_KEYRINGS
    unsafe_test: bool = False
    kernel_keyring: bool = True
    ssh_key: str = ""

    @property
    def asked(self) -> tuple[KeyStore, ...]:
        """The kinds of store that may be used, the first that works first."""
        return (self.store,) if self.store else self.order


class Desk(msgspec.Struct, frozen=True):
    """`idle_lock` of zero means: as the policy says; a longer time than the policy's has no effect. `viewer` is the command that shows a
    customer's file, its path added at the end; empty means the desktop's own."""

    idle_lock: timedelta = timedelta()
    viewer: str = ""


class Screen(msgspec.Struct, frozen=True):
    theme: Literal["dark", "light"] = "dark"
    time_format: Literal["24h", "12h"] = "24h"
    send_key: Literal["enter", "ctrl+x"] = "enter"


class Hub(msgspec.Struct, frozen=True):
    """`ca_file`, a PEM file, names the authorities trusted for the hub instead of the system's; empty means the system's."""

    ca_file: str = ""


class Config(msgspec.Struct, frozen=True):
    """`keymap` maps ids of actions to comma lists of keys. `shared_host` makes the lease zero, whatever the policy says."""

    shared_host: bool = False
    keys: Keys = Keys()
    desk: Desk = Desk()
    screen: Screen = Screen()
    hub: Hub = Hub()
    keymap: dict[str, str] = {}

    def idle_lock(self, policy: timedelta) -> timedelta:
        """How long the desk may idle: the policy's time, or the agent's own where that is shorter."""
        return min(policy, self.desk.idle_lock) if self.desk.idle_lock else policy


def load_config(paths: Paths) -> Config:
    """The settings in `paths.config_file`; all defaults where there is no such file. Raises DocumentError."""
    file = paths.config_file
    if not file.exists():
        return Config()
    return parse_config(load_text(file), file=str(file))


def parse_config(text: str, *, file: str = "config.toml") -> Config:
    """The settings in `text`. Raises DocumentError with file, line, key and nearest valid name."""
    return read_document(text, Config, file=file, readers={timedelta: _read_timedelta}, check=_problems)


def config_error(paths: Paths, key: KeyPath, sentence: str, *, nearest: str | None = None) -> DocumentError:
    """The error for a setting that only its user can judge, such as an action id the screen does not know: at its line."""
    return point_at(load_text(paths.config_file), Problem(key, sentence, nearest), file=str(paths.config_file))


def ca_file(config: Config, paths: Paths) -> Path | None:
    """The file of trusted authorities, a relative name being beside config.toml; None for the system's."""
    return paths.config / Path(config.hub.ca_file).expanduser() if config.hub.ca_file else None


def split_keys(keys: str) -> tuple[str, ...]:
    """The keys of a comma list, blanks around each dropped; a key sequence is two keys with a blank between, `g i`."""
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def _read_timedelta(found: Any) -> timedelta:
    if not isinstance(found, str):
        raise ValueError('This must be a span of time in quotes, such as "90s" or "3m".')  # noqa: TRY004 readers raise ValueError
    try:
        return parse_ahead(found)
    except (UsageError, OverflowError):
        raise ValueError('A span of time is a whole number with s, m, h, d or w, such as "90s" or "3m".') from None


def _problems(config: Config, _written: Written) -> Iterator[Problem]:
    if not config.keys.order:
        yield Problem(("keys", "order"), "Name at least one key store.")
    if len(set(config.keys.order)) < len(config.keys.order):
        yield Problem(("keys", "order"), "A key store is named twice.")
    if config.keys.ssh_key and _FINGERPRINT.fullmatch(config.keys.ssh_key) is None:
        yield Problem(("keys", "ssh_key"), 'A key of the agent is named by its fingerprint, "SHA256:…", as `ssh-add -l` prints it.')
    for number, name in enumerate(config.keys.allow):
        if _CLASS.fullmatch(name) is None:
            yield Problem(("keys", "allow", number), 'A keyring is named by module and class, "keyring.backends.macOS.Keyring".')
    for action, keys in config.keymap.items():
        if _ACTION.fullmatch(action) is None:
            yield Problem(("keymap", action), 'An action is named by its id in quotes, "conversation.resolve" = "e".')
        elif any(_KEY.fullmatch(key) is None for key in split_keys(keys)) or len(keys) > 400:
            yield Problem(("keymap", action), 'Keys are a comma list such as "e, ctrl+e, g i"; an empty list unbinds the action.')
