"""What folding leaves to acknowledging while webhooks rush in."""

import asyncio
from datetime import timedelta

import pytest

from wabiz_tui.hub.ingest.pace import LONGEST_LAG, LONGEST_SLICE, SLICE, Pace

SECOND = timedelta(seconds=1)


class Hand:
    """A processor, a door and a writer of the test's own."""

    def __init__(self) -> None:
        self.worked, self.arrived, self.is_awaited = 0.0, 0, False
        self.pace = Pace(lambda: self.arrived, lambda: self.is_awaited, lambda: self.worked)

    def step(self, seconds: float, *, arriving: int = 1) -> None:
        self.worked += seconds
        self.arrived += arriving
        self.pace()


async def test_in_a_rush_the_loop_goes_round_between_two_slices() -> None:
    """After a slice during which webhooks came folding waits until the loop went round twice without another one."""
    hand, loop = Hand(), asyncio.get_running_loop()
    hand.pace.begin(loop, lag=SECOND)
    rounds: list[int] = []

    def busy(left: int) -> None:
        rounds.append(left)
        if left:
            hand.arrived += 1
            loop.call_soon(busy, left - 1)

    def step() -> list[int]:
        loop.call_soon_threadsafe(busy, 3)
        hand.step(SLICE)
        return list(rounds)

    assert await asyncio.to_thread(step) == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("worked", "arriving", "lag", "is_awaited"),
    [
        (SLICE / 2, 1, SECOND, False),
        (SLICE, 0, SECOND, False),
        (SLICE, 1, SECOND, True),
        (LONGEST_SLICE * 0.9, 1, LONGEST_LAG * 10, False),
    ],
    ids=["a short step", "no webhook came", "somebody waits for the writer", "far behind"],
)
def test_otherwise_it_goes_on(worked: float, arriving: int, lag: timedelta, is_awaited: bool) -> None:
    """Folding goes on at once: the loop, which runs in no thread here, is not asked."""
    hand = Hand()
    hand.is_awaited = is_awaited
    loop = asyncio.new_event_loop()
    try:
        asked: list[object] = []
        loop.call_soon_threadsafe = lambda *given, **_: asked.append(given)  # type: ignore[method-assign] it counts alone
        hand.pace.begin(loop, lag=lag)
        hand.pace.here()
        hand.step(worked, arriving=arriving)
    finally:
        loop.close()
    assert asked == []


def test_a_loop_that_is_stuck_or_closed_is_not_waited_for() -> None:
    """Folding goes on after a moment, whatever became of the loop."""
    loop = asyncio.new_event_loop()
    hand = Hand()
    hand.pace.begin(loop, lag=SECOND)
    hand.step(SLICE)
    loop.close()
    hand.step(SLICE)
