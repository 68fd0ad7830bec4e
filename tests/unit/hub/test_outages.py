"""What the log tells of an outage of the archive's server: its beginning and its end, not every try between them."""

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from tests.support.hub_archive import open_archive
from wabiz_tui.hub.archive.engine import server_signals
from wabiz_tui.hub.archive.engine.places import Seated
from wabiz_tui.hub.archive.engine.server_rows import Line
from wabiz_tui.hub.archive.engine.server_signals import Channel, ServerSignals
from wabiz_tui.hub.processes.process import HubProcess
from wabiz_tui.model.errors import StoreError

TRIES = 5


class Seat:
    """Lost for some looks, and found again."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> Seated:
        self.looks += 1
        if self.looks <= TRIES:
            raise StoreError("The server is away.")
        return Seated(leads=False, is_anew=True)

    def close(self) -> None: ...


async def test_a_lost_seat_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a process looks for its seat in vain, the log has one line when it was lost and one when it was taken again."""

    def take_seat(_tenant: str) -> Seat:
        return Seat()

    archive = open_archive(tmp_path)
    monkeypatch.setattr(archive.place, "take_seat", take_seat)
    process = HubProcess(archive, lambda _writing, _owner: 0)
    with capture_logs() as logged:
        for _ in range(TRIES + 2):
            await process._look_again()  # pyright: ignore[reportPrivateUsage] what `run` does twice a second
    await process.leave()
    archive.close()

    assert [line["event"] for line in logged] == ["seat_lost", "seat_taken"]


class Broken:
    """A line to a server that is away; after some tries nobody wants it any more."""

    def __init__(self) -> None:
        self.tries, self.signals = 0, cast("ServerSignals | None", None)

    @contextlib.contextmanager
    def translated(self) -> Generator[None]:
        yield

    def open(self) -> Any:
        self.tries += 1
        if self.tries == TRIES and self.signals is not None:
            self.signals.stop()
        raise StoreError("The server is away.")

    def close(self) -> None: ...


def test_a_broken_line_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often listening is tried in vain, the log has one line of it."""
    monkeypatch.setattr(server_signals, "_BETWEEN_TRIES", 0)
    broken = Broken()
    broken.signals = signals = ServerSignals(cast("Line", broken), cast("Line", broken), Channel("here", "me"))
    with capture_logs() as logged:
        signals.listen(lambda _topic, _text: None, lambda: None)
    signals.close()

    assert broken.tries == TRIES
    assert [line["event"] for line in logged] == ["not_listening"]
