"""Outbox files that were set aside because they were damaged: kept for somebody to look at, but no longer than the policy lets this
machine hold anything. Of a damaged cache nothing is set aside: it is destroyed, and filled again from the hub."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wabiz_tui.desk.files import destroy

_PATTERN = "outbox-damaged-*"


def keep_from(aside: Path, now: datetime) -> None:
    """Its time begins: with its name it kept the time of its last letter."""
    os.utime(aside, (now.timestamp(), now.timestamp()))


def destroy_overdue(folder: Path, *, window: timedelta, now: datetime) -> int:
    """How many were; what was put aside before `window` goes, with what lies beside it."""
    begun = {file: datetime.fromtimestamp(file.lstat().st_mtime, UTC) for file in folder.glob(_PATTERN)}
    # A log may have been written before its file was set aside: they go together.
    overdue = [file for file, _ in begun.items() if max(at for other, at in begun.items() if _is_of(other, file)) + window <= now]
    for file in sorted(overdue, reverse=True):
        destroy(file)
    return len(overdue)


def _is_of(one: Path, other: Path) -> bool:
    return one.name.partition(".")[0] == other.name.partition(".")[0]
