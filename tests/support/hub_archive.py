"""An archive in a scratch folder, with a clock and a source of chance that the test controls."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wabiz_tui.hub.archive.store import Archive, ArchiveKeys
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


ARCHIVE_KEYS = ArchiveKeys(archive=Secret(bytes(range(32))), seal=Secret(bytes(range(1, 33))))


def open_archive(folder: Path, *, clock: HandClock | None = None, seed: int = 1, keys: ArchiveKeys = ARCHIVE_KEYS) -> Archive:
    return Archive(folder / "archive.db", keys, tenant=TENANT, clock=clock or HandClock(), random_bytes=seeded(seed))
