"""The hub's log never stands in the way of what it tells of."""

import subprocess
import sys
import time
from pathlib import Path

from tests.support.front_hub import end, front_hub

FULL = "/dev/full"


def test_a_log_that_cannot_be_written_fails_nobody() -> None:
    """With a full disk behind standard error, lines are lost and the program goes on."""
    program = (
        "import logging, structlog\n"
        "from wabiz_tui.hub.operations.logs import configure_logs\n"
        "configure_logs()\n"
        "for number in range(2000): structlog.get_logger('hub').warning('webhook_refused', entry=number)\n"
        "logging.getLogger('library').error('words')\n"
        "print('went on', flush=True)"
    )
    with open(FULL, "w") as full:  # noqa: PTH123 a device, not a path of ours
        done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, check=False, timeout=60)
    assert done.stdout == "went on\n"


def test_noise_fills_no_log(tmp_path: Path) -> None:
    """However many requests are none, at most one line a second tells of them, and never as a library's complaint."""
    with front_hub(tmp_path) as hub:
        began = time.monotonic()
        for _ in range(20):
            assert hub.ask(b"NOISE\r\n\r\n")[9:12] == b"400"
        took = time.monotonic() - began
        end(hub)
        events = [line["event"] for line in hub.log()]
    assert "library_warning" not in events
    assert 1 <= events.count("request_refused") <= took + 2
