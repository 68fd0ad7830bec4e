"""What the desk's process says of its own faults on standard error: one JSON object a line, kinds and places, never texts."""

import asyncio
import json
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def tell(event: str, **facts: str) -> None:
    """`facts` are names of ours: calls, kinds of errors, places in the source."""
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event} | facts
    with suppress(OSError):
        # On a full disk whoever waits for the desk must still hear why it does not start.
        print(json.dumps(line), file=sys.stderr, flush=True)


def silence_libraries() -> None:
    """What they log is made of texts we do not know; without this, warnings of theirs would go to standard error."""
    logging.getLogger().addHandler(logging.NullHandler())


def place_of(error: BaseException) -> str:
    """File and line where it was raised; its text may hold what a customer wrote."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else "unknown"


def task_failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's handler in place of its own, which prints whole tracebacks."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        tell("task_failed", error=type(error).__name__, at=place_of(error))
    else:
        tell("loop_complains")
