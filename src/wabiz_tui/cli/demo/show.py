"""The demo in a terminal: the inbox over the stage, with the scene set."""

import asyncio
import subprocess
import sys

from wabiz_tui.cli.demo.scene import prepare
from wabiz_tui.cli.demo.stage import PASSPHRASE, Stage, business, ended_in_order, progress
from wabiz_tui.cli.opening import PASSPHRASE_HINT


def show(*, keep: bool, seed: int) -> int:
    """Open the inbox over the stage; the exit code of the inbox."""
    hint = {PASSPHRASE_HINT: f"In this demo it is: {PASSPHRASE}"}
    print("wabiz demo: a pretend Meta and its customers, a real hub, a real encrypted desk", file=sys.stderr)
    with ended_in_order(), Stage(keep=keep, seed=seed, scenario=business()) as stage:
        with progress("people and machines"):
            admin = stage.seat("admin", stage.admin_code)
            # All of it is pretended and gone afterwards: here a passphrase has to be known, not secret.
            robin = stage.person(admin, "Robin", "agent", PASSPHRASE)
        with progress("first sync, and a few conversations in each state"):
            asyncio.run(prepare(robin, stage.simulator.url))
        outcome = subprocess.run([sys.executable, "-m", "wabiz_tui.cli.main"], env=robin.environment() | hint, check=False)
        print("tidying up …", file=sys.stderr)
    return outcome.returncode
