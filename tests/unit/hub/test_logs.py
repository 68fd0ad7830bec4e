"""The hub's log never stands in the way of what it tells of."""

import subprocess
import sys

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
