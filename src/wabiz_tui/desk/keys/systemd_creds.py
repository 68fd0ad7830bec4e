"""The bundle in a file that systemd-creds encrypts for this user on this machine, by its TPM where it has one (systemd-creds(1))."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from wabiz_tui.desk.files import destroy, read_small, write_private
from wabiz_tui.desk.keys.patience import SECONDS, Patience, told
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

NAME = "local-secret.cred"
PROGRAMS = (Path("/usr/bin/systemd-creds"), Path("/bin/systemd-creds"), Path("/run/current-system/sw/bin/systemd-creds"))
_LARGEST = 64 * 1024
_FIRST_WITH_USER_SCOPE = 256


class SystemdCreds:
    """A key store behind a program. Secrets go through pipes, never through its arguments; every call gives up after `seconds`."""

    name = "systemd-creds"

    def __init__(self, folder: Path, *, programs: Sequence[Path] = PROGRAMS, seconds: float = SECONDS) -> None:
        self.path = folder / NAME
        self._programs, self._seconds = programs, seconds

    def load(self, device: str) -> Secret | None:
        """None when there is no file. Raises NoKeyStore."""
        if not self.path.exists():
            return None
        return self._load(device, read_small(self.path, _LARGEST), Patience(self._seconds))

    def save(self, device: str, packed: Secret) -> None:
        """Durable when it returns; decrypted again and compared before it is written. Raises NoKeyStore."""
        write_private(self.path, self._sealed(device, packed, Patience(self._seconds)))

    def delete(self, device: str) -> None:
        destroy(self.path)

    def prove(self, random_bytes: Callable[[int], bytes]) -> None:
        """That it encrypts and decrypts here. Leaves nothing behind. Raises NoKeyStore."""
        self._sealed("probe", Secret(random_bytes(16).hex()), Patience(self._seconds))

    def _sealed(self, device: str, packed: Secret, patience: Patience) -> bytes:
        sealed = self._run(("--user", _named(device), "encrypt", "-", "-"), packed.reveal(), patience)
        if not sealed or packed.reveal() in sealed:
            raise NoKeyStore(f"{self.name} did not encrypt what it was given; it cannot keep a key.")
        if self._load(device, sealed, patience) != packed:
            raise NoKeyStore(f"{self.name} did not give back what was written to it; it cannot keep a key.")
        return sealed

    def _load(self, device: str, sealed: bytes, patience: Patience) -> Secret:
        return Secret(self._run(("--user", _named(device), "decrypt", "-", "-"), sealed, patience))

    def _run(self, arguments: tuple[str, ...], given: bytes, patience: Patience) -> bytes:
        program = self._program(patience)
        try:
            ended = subprocess.run(
                (program, *arguments), input=given, capture_output=True, timeout=patience.left(), check=False, env=_environment()
            )
        except subprocess.TimeoutExpired as error:
            raise NoKeyStore(f"{self.name} did not answer within {self._seconds:g} seconds.") from error
        except OSError as error:
            raise NoKeyStore(f"{self.name} does not work here ({told(error)}).") from error
        if ended.returncode != 0:
            said = ended.stderr[:2000].decode("utf-8", "replace")
            raise NoKeyStore(f"{self.name} refused ({told(Exception(said))}): an administrator may have to allow it.")
        return ended.stdout[: _LARGEST + 1]

    def _program(self, patience: Patience) -> str:
        program = next((str(program) for program in self._programs if program.is_file()), None)
        if program is None:
            raise NoKeyStore(f"{self.name} is not on this machine; choose another store in [keys].")
        try:
            said = subprocess.run((program, "--version"), capture_output=True, timeout=patience.left(), check=False, env=_environment())
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoKeyStore(f"{self.name} does not work here ({told(error)}).") from error
        words = said.stdout[:200].decode("ascii", "replace").split()
        version = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        if version < _FIRST_WITH_USER_SCOPE:
            raise NoKeyStore(f"{self.name} here is of systemd {version}; a user's own credentials need {_FIRST_WITH_USER_SCOPE} or later.")
        return program


def _named(device: str) -> str:
    return f"--name=wabiz-{device}"


def _environment() -> dict[str, str]:
    """Nothing that could change what the program does, but where the user's runtime folder is."""
    kept = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    return kept | {name: os.environ[name] for name in ("XDG_RUNTIME_DIR",) if name in os.environ}
