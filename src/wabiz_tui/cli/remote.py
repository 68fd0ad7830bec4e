"""Ask the hub one thing as this machine's device."""

from typing import TypeVar

from wabiz_tui.cli.session import ask_passphrase, read_passphrase, run
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.paths import paths_from_environment

T = TypeVar("T")


class Asker:
    """Several requests of one command: the passphrase is read once, or asked for once."""

    def __init__(self, passphrase_fd: int | None) -> None:
        self._passphrase = read_passphrase(passphrase_fd)

    def ask(self, method: str, path: str, body: object | None, kind: type[T]) -> T:
        """One request to the hub under /v1 with this device's key; its answer as a `kind`. Raises the hub's refusal as an error of ours."""
        from wabiz_tui.desk.enrolment import request_as_device
        from wabiz_tui.model.clock import clock_from_environment
        from wabiz_tui.model.config import load_config

        paths = paths_from_environment()
        config = load_config(paths)
        raw = encode(body) if body is not None else None
        clock = clock_from_environment()
        try:
            answer = run(request_as_device(method, path, raw, paths=paths, config=config, passphrase=self._passphrase, clock=clock))
        except NoKeyStore:
            if self._passphrase is not None:
                raise
            self._passphrase = ask_passphrase()
            answer = run(request_as_device(method, path, raw, paths=paths, config=config, passphrase=self._passphrase, clock=clock))
        return decode(answer, kind)


def ask_hub(passphrase_fd: int | None, method: str, path: str, body: object | None, kind: type[T]) -> T:
    """As `Asker.ask`, for a command that asks once."""
    return Asker(passphrase_fd).ask(method, path, body, kind)
