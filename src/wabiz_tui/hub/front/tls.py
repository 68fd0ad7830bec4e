"""TLS of the hub's own: certificate and key from files, TLS 1.2 or later, read again when told."""

import os
import ssl
import stat
from collections.abc import Mapping
from pathlib import Path

from wabiz_tui.model.errors import UsageError

CREDENTIALS = "CREDENTIALS_DIRECTORY"


class Certificate:
    """The certificate (with its chain) and the key of hub.toml. A name that is no whole path is looked for among systemd's
    credentials first."""

    def __init__(self, cert: str, key: str, environment: Mapping[str, str] = os.environ) -> None:
        self._cert, self._key = _place(cert, environment), _place(key or cert, environment)
        passed = environment.get(CREDENTIALS)
        # systemd's folder is the service's alone, whatever the modes in it.
        self._is_passed = bool(passed) and self._key.is_relative_to(Path(str(passed)))
        self.context = self._load()

    def reload(self) -> None:
        """Read both files again: the next handshake has them. Raises UsageError, and then the old ones stay."""
        self._load()
        self.context.load_cert_chain(self._cert, self._key, password=_no_password)

    def _load(self) -> ssl.SSLContext:
        if not self._is_passed:
            _check_mode(self._key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert, self._key, password=_no_password)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"The TLS certificate {self._cert} with the key {self._key} cannot be used: {_why(error)}; both must be PEM files that"
                " belong together, the key without a passphrase."
            ) from error
        return context


def _place(name: str, environment: Mapping[str, str]) -> Path:
    path = Path(name).expanduser()
    passed = environment.get(CREDENTIALS)
    if passed and not path.is_absolute() and (Path(passed) / path).is_file():
        return Path(passed) / path
    return path


def _check_mode(key: Path) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise UsageError(f"The TLS key {key} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise UsageError(f"{key} must be a file that only its owner may read; run: chmod 600 '{key}'")


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a key or certificate").replace("_", " ").lower()
    return (error.strerror or "unknown reason") if isinstance(error, OSError) else "the key is encrypted"


def _no_password() -> str:
    """Without it OpenSSL would ask on the terminal."""
    raise ValueError
