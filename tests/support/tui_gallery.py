"""The app over the still desk, to look at and to measure: `python -m tests.support.tui_gallery [--rows N] [--state NAME]`."""

import argparse
import asyncio
from datetime import UTC

from tests.support import tui_data as still
from tests.support.tui_desk import StillClock, StillDesk
from wabiz_tui.model.config import Config, Screen
from wabiz_tui.tui.app import run_app

STATES = {
    "online": {},
    "offline": {"link": "offline", "outbox": 2},
    "syncing": {"is_syncing": True, "cursor": 700},
    "revoked": {"link": "revoked"},
    "locked": {"locked": True, "needs_passphrase": True},
}


def make_desk(state: str = "online", rows: int | None = None) -> StillDesk:
    """A still desk in one of STATES; `empty` has no conversations."""
    if state == "empty":
        return StillDesk([])
    given = still.many_conversations(rows) if rows else None
    return StillDesk(given, status=still.status(**STATES[state]), needs="open sesame" if state == "locked" else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", default="online", choices=[*STATES, "empty"])
    parser.add_argument("--rows", type=int)
    parser.add_argument("--theme", default="wabiz-dark")
    options = parser.parse_args()
    desk = make_desk(options.state, options.rows)
    left = asyncio.run(run_app(desk, clock=StillClock(), zone=UTC, config=Config(screen=Screen(theme=options.theme))))
    raise SystemExit(left.code)


if __name__ == "__main__":
    main()
