"""Two people at one conversation, each at a machine of their own."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bench.support.terminal import Terminal
from tests.journeys.test_terminal import inbox, open_talk
from tests.support.road import PATIENCE, Road, until
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.secret import Secret


async def colleague(road: Road) -> DeskClient:
    """The desk of the officer's machine."""
    return await connect(road.officer.paths, passphrase=Secret(road.officer.passphrase()), environment=road.officer.environment())


async def kept_up(act: Callable[[], Awaitable[bool]]) -> bool:
    """Do it again and again, as a person at the screen does, until it says that it is enough or patience ends."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await act():  # noqa: ASYNC110 a person's words are said again, no event stands for them
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


@pytest.mark.timeout(300)  # the first journey of a process starts the whole road
def test_two_agents_see_each_other_before_they_both_answer(road: Road) -> None:
    """While Casey types, Robin reads so above what they write; Casey sees Robin look, then type; Casey's end takes the line away."""
    road.customer_writes("Who answers me?", phone="491570000451", name="Paula Presence")
    chat = road.conversation_of("Paula Presence")["id"]
    road.officer.run("sync")

    with inbox(road, (80, 24)) as terminal:
        open_talk(terminal, "Paula Presence")
        terminal.settle()

        async def play() -> tuple[bool, bool]:
            casey = await colleague(road)

            async def meets(doing: str) -> bool:
                there = await casey.watch(chat, "typing")
                return any(one.name == "Robin" and one.doing == doing for one in there)

            async def sees_robin_type() -> bool:
                terminal.write(b"x")
                await asyncio.to_thread(terminal.settle, 0.3)
                return await meets("typing")

            looks = await kept_up(lambda: meets("viewing"))
            await asyncio.to_thread(terminal.wait_for, "Casey is typing…")
            terminal.write(b"i")
            types = await kept_up(sees_robin_type)
            await casey.close()
            return looks, types

        assert asyncio.run(play()) == (True, True)
        assert until(lambda: without(terminal, "Casey"))


def without(terminal: Terminal, words: str) -> bool:
    terminal.settle(0.1)
    return words not in terminal.text()
