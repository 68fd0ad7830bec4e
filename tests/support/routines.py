"""A hub under a policy with hours, levels and dealing, for the tests of routines."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.hub_served import Served, TestDevice
from wabiz_tui.policy.library import shipped_text

OFFICE = 'monday = ["09:00-17:00"]\ntuesday = ["09:00-17:00"]\nwednesday = ["09:00-17:00"]\n'


def policy_text(tables: str = "", *, hours: str = "", auto_reply: str = "") -> str:
    """The first policy of a hub, in UTC and with these tables and hours besides."""
    text = shipped_text("gdpr-default").replace('timezone = "Europe/Brussels"', f'timezone = "UTC"\n{hours}')
    return text.replace('auto_reply = ""', f'auto_reply = "{auto_reply}"') + f"\n{tables}"


async def apply(officer: TestDevice, text: str) -> None:
    """Put the policy in force; the documents of these tests loosen nothing."""
    answer = await officer.post("/v1/policy", {"text": text, "file": "p.toml"})
    assert answer.status_code == 200, answer.text


async def until(holds: Callable[[], Awaitable[Any]], *, within: float = 60) -> Any:
    """What `holds` gives once it gives anything true."""
    async with asyncio.timeout(within):
        while not (found := await holds()):  # noqa: ASYNC110 what is waited for tells nobody
            await asyncio.sleep(0.02)
    return found


async def look(served: Served, holds: Callable[[], Awaitable[Any]]) -> Any:
    """As `until`, with the hub told that its clock was moved."""

    async def looked() -> Any:
        served.hub.routines.wake()
        served.hub.shift_keeper.wake()
        return await holds()

    return await until(looked)


def missed(served: Served, clock: str) -> float:
    """How many levels of this kind ran out, as /metrics tells."""
    return served.hub.metrics.registry.get_sample_value("wabiz_levels_missed_total", {"clock": clock}) or 0.0
