"""The hub's log: ids, counts and durations, one JSON object a line on stderr."""

import contextlib
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO, cast

import structlog

from wabiz_tui.model.codec import encode


def configure_logs() -> None:
    """One JSON object a line on stderr: ids, counts and durations. Libraries speak only when something is wrong."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast("TextIO", _Unfailing(sys.stderr)))
    handler.setFormatter(_Line())
    handler.addFilter(_is_no_clients_fault)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _is_no_clients_fault(record: logging.LogRecord) -> bool:
    """What a client's bytes make uvicorn's parser warn of is told by `request_refused`, whose lines are bounded; these are not."""
    return record.levelno > logging.WARNING or record.module != "httptools_impl"


class _Unfailing:
    """A stream whose lines are lost where they cannot be written (a full disk, a closed pipe): no request fails for want of a log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Line(logging.Formatter):
    """A library's line as ours are: what it is about and where, never its words, which may hold what a customer wrote."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[0] if record.exc_info else None
        line = {
            "event": "library_warning",
            "reason": error.__name__ if error is not None else record.name,
            "logger": record.name,
            "place": f"{record.module}:{record.lineno}",
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        return encode(line).decode()
