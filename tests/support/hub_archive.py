"""An archive in a scratch folder, with a clock and a source of chance that the test controls."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wabiz_tui.hub.archive.engine.places import Place
from wabiz_tui.hub.archive.engine.sqlcipher import SqlcipherPlace
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.model.secret import Secret

TENANT = "419561257915477"
NUMBER = "106540352242922"


class HandClock:
    """A clock that moves when told to."""

    def __init__(self, at: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) -> None:
        self.at = at
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def move(self, by: timedelta) -> None:
        self.at += by
        self.seconds += by.total_seconds()


def seeded(seed: int = 1) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


FILE_KEY, SEAL_KEY = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))


def open_archive(folder: Path, *, clock: HandClock | None = None, seed: int = 1, file_key: Secret = FILE_KEY) -> Archive:
    return open_at(SqlcipherPlace(folder / "archive.db", file_key), clock=clock, seed=seed)


def open_at(place: Place, *, clock: HandClock | None = None, seed: int = 1) -> Archive:
    return Archive(place, SEAL_KEY, tenant=TENANT, clock=clock or HandClock(), random_bytes=seeded(seed))
