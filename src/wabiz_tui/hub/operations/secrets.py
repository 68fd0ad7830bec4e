"""The hub's secrets: Meta's three from a folder or the environment, its own four made once and kept in files of mode 0600."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.paths import make_private
from wabiz_tui.model.secret import Secret

OWN_KEYS = ("archive_key", "seal_key", "policy_key", "audit_key")
ARCHIVE_PASSWORD = "archive_password"  # noqa: S105 the name of a file
METRICS_TOKEN = "metrics_token"  # noqa: S105 likewise
CREDENTIALS = "CREDENTIALS_DIRECTORY"
_LARGEST = 16 * 1024


class HubSecrets(NamedTuple):
    """`app_secrets` are all accepted, so that a new one can be brought in without a pause (newest last)."""

    graph_token: Secret
    app_secrets: tuple[Secret, ...]
    verify_token: Secret
    archive_key: Secret
    seal_key: Secret
    policy_key: Secret
    audit_key: Secret
    archive_password: Secret | None = None
    """Of the archive's database server; without one, libpq looks where it always does (PGPASSFILE, the service file)."""
    metrics_token: Secret | None = None
    """Of whoever reads /metrics from another machine."""


class SecretPlaces(NamedTuple):
    """Where to look: Meta's secrets in `folder` or under the names of environment variables, the hub's own in `own`."""

    own: Path
    folder: Path | None = None
    graph_token_env: str = ""
    app_secret_env: str = ""
    verify_token_env: str = ""


def load_secrets(places: SecretPlaces, environment: Mapping[str, str]) -> HubSecrets:
    """All seven, and the archive's password where there is one. `$CREDENTIALS_DIRECTORY` of systemd comes first where a file of that
    name is in it.

    Raises UsageError naming what is missing or too open, never a value."""
    credentials = environment.get(CREDENTIALS)
    passed = Path(credentials) if credentials else None
    if places.folder is not None:
        texts = [_read(name, places.folder, passed) for name in ("graph_token", "app_secret", "verify_token")]
    else:
        names = (places.graph_token_env, places.app_secret_env, places.verify_token_env)
        texts = [_from_environment(name, environment) for name in names]
    graph_token, app_secret, verify_token = (text.strip() for text in texts)
    app_secrets = tuple(Secret(line.strip()) for line in app_secret.splitlines() if line.strip())
    for name, value in (("graph_token", graph_token), ("app_secret", app_secrets), ("verify_token", verify_token)):
        if not value:
            raise UsageError(f"The secret {name} is empty.")
    own = [_own_key(name, places.own, passed) for name in OWN_KEYS]
    password, metrics_token = (_optional(name, places.own, passed) for name in (ARCHIVE_PASSWORD, METRICS_TOKEN))
    meta = (Secret(graph_token), app_secrets, Secret(verify_token))
    return HubSecrets(*meta, *own, archive_password=password, metrics_token=metrics_token)


def make_own_keys(folder: Path, random_bytes: Callable[[int], bytes]) -> None:
    """Make the hub's own keys where they are absent; those that are there stay as they are."""
    make_private(folder)
    for name in OWN_KEYS:
        path = folder / name
        if path.exists():
            continue
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as file:
                file.write(random_bytes(32).hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(f"The key {path} cannot be written: {error.strerror}.") from error


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "")
    if not value:
        raise UsageError(f"The environment variable {name} is not set; hub.toml names it as the place of a secret.")
    return value


def _own_key(name: str, folder: Path, passed: Path | None) -> Secret:
    text = _read(name, folder, passed).strip()
    if re.fullmatch(r"[0-9a-fA-F]{64}", text) is None:
        raise UsageError(f"The key {name} must be 64 hexadecimal digits.")
    return Secret(bytes.fromhex(text))


def _optional(name: str, folder: Path, passed: Path | None) -> Secret | None:
    if not (folder / name).exists() and not (passed is not None and (passed / name).is_file()):
        return None
    return Secret(_read(name, folder, passed).rstrip("\r\n"))


def _read(name: str, folder: Path, passed: Path | None) -> str:
    if passed is not None and (passed / name).is_file():
        return _content(passed / name)
    path = folder / name
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"There is no readable file {path}; it must hold the secret {name}, with mode 0600.") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise UsageError(f"{path} must be a file that only its owner may read; run: chmod 600 '{path}'")
    return _content(path)


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > _LARGEST:
        raise UsageError(f"{path} is too large for a secret.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text.") from error
