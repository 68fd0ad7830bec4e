"""What stands in the demo's inbox at the start: one conversation in each state an agent meets, made by the agent's own acts."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from wabiz_tui.cli.demo.control import Control
from wabiz_tui.cli.demo.stage import Seat
from wabiz_tui.model.desk import Desk
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.values import Conversation

MINE = ("Lena Hoffmann", "James O'Connor", "Giulia Romano")
PENDING = ("Camille Dubois",)
SNOOZED = ("Piotr Zieliński", "Nguyễn Thị Hương")
RESOLVED = ("Sanne de Vries", "Johan Lindqvist")
FAILED = "Amelia Clarke"
UNCERTAIN = "Tom Becker"
ANSWERED = "Иван Петров"
_SEND_SECONDS = 8.0
_NOT_ON_WHATSAPP = 131026


async def set_scene(desk: Desk, control: Control) -> None:
    """Take, put off and resolve conversations, and send one message that is read, one that fails and one whose fate is unknown.

    Somebody the business does not have is passed over: the scene is for looking at, and the story verifies itself.
    """
    by_name = {row.name: row for row in await desk.conversations()}

    def named(*names: str) -> list[Conversation]:
        return [by_name[name] for name in names if name in by_name]

    tomorrow = datetime.now(UTC) + timedelta(hours=18)
    acts = [
        *(desk.assign(row.id, "me") for row in named(*MINE)),
        *(desk.set_status(row.id, "pending") for row in named(*PENDING)),
        *(desk.set_status(row.id, "snoozed", until=tomorrow) for row in named(*SNOOZED)),
        *(desk.set_status(row.id, "resolved", reason="answered") for row in named(*RESOLVED)),
    ]
    await asyncio.gather(*acts, return_exceptions=True)
    for row in named(ANSWERED):
        await _send(desk, row, "Да, конечно. Мы открыты до шести.")
    for row in named(FAILED):
        await control.fault({"kind": "fail_next", "code": _NOT_ON_WHATSAPP, "count": 1})
        await _send(desk, row, "Hi Amelia, your bike is ready to be collected.")
    for row in named(UNCERTAIN):
        # Meta accepts it, but the answer and the statuses are lost on the way: nobody can know whether it was sent.
        await control.fault({"kind": "cut", "when": "after", "count": 1})
        await _send(desk, row, "Hi Tom, we can fit you in tomorrow at nine.")


async def _send(desk: Desk, row: Conversation, text: str) -> None:
    with suppress(WabizError):
        await desk.send_now(row.id, text, timeout=_SEND_SECONDS)


async def prepare(seat: Seat, simulator_url: str) -> None:
    """Sync the seat's machine and set the scene on it."""
    from wabiz_tui.desk.process.launch import connect
    from wabiz_tui.model.secret import Secret

    desk = await connect(seat.paths, passphrase=Secret(seat.passphrase()), environment=seat.environment())
    try:
        await desk.sync()
        await set_scene(desk, Control(simulator_url))
        await desk.sync()
    finally:
        await desk.close()
