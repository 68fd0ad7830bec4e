"""Meta's send limits, kept on our side."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.support.cloud_wire import SleepingClock
from wabiz_tui.cloud.outcomes import NeverLeft
from wabiz_tui.cloud.pacing import COEXISTENCE, HIGH, PAIR_BURST, PAIR_EVERY, PAIR_RATE, STANDARD, THROUGHPUT, Pacing

LONG = timedelta(days=2)


def made(*, per_second: int = STANDARD) -> tuple[Pacing, SleepingClock]:
    clock = SleepingClock()
    return Pacing(per_second=per_second, clock=clock, sleep=clock.sleep), clock


async def sent(pacing: Pacing, clock: SleepingClock, persons: list[str | None], *, number: str = "1") -> list[tuple[float, str | None]]:
    """When each of these sends, asked for all at once, got its turn."""
    turns = list[tuple[float, str | None]]()

    async def send(person: str | None) -> None:
        await pacing.turn(number, person, within=LONG)
        turns.append((clock.seconds, person))

    await clock.run(*(send(person) for person in persons))
    return turns


def most_within(times: list[float], seconds: float) -> int:
    """The largest number of `times` in any half-open window of that length."""
    return max((sum(start <= time < start + seconds for time in times) for start in times), default=0)


@settings(max_examples=40, deadline=None)
@given(
    persons=some.lists(some.sampled_from(["a", "b", "c", None]), min_size=1, max_size=120),
    per_second=some.integers(1, 30),
    waits=some.lists(some.floats(0, 3), max_size=6),
)
def test_no_window_holds_more_than_the_limits(persons: list[str | None], per_second: int, waits: list[float]) -> None:
    """In no second of any series of sends are there more than the number may send, nor to one person more than a burst and one
    for every six seconds."""

    async def story() -> list[tuple[float, str | None]]:
        pacing, clock = made(per_second=per_second)
        turns = list[tuple[float, str | None]]()

        async def send(index: int, person: str | None) -> None:
            if waits:
                await clock.sleep(waits[index % len(waits)] * index / len(waits))
            await pacing.turn("1", person, within=LONG)
            turns.append((clock.seconds, person))

        assert not any(await clock.run(*(send(index, person) for index, person in enumerate(persons))))
        return turns

    turns = asyncio.run(story())

    assert len(turns) == len(persons)
    assert most_within([time for time, _ in turns], 1.0) <= per_second
    for person in {person for person in persons if person is not None}:
        times = [time for time, one in turns if one == person]
        for first in range(len(times)):
            for last in range(first, len(times)):
                assert last - first + 1 <= PAIR_BURST + (times[last] - times[first]) / PAIR_EVERY + 1e-6


@pytest.mark.parametrize("per_second", [STANDARD, HIGH, COEXISTENCE])
async def test_the_rate_is_used_up(per_second: int) -> None:
    """Two seconds' worth of sends to many people take little more than one: nothing is held back without need."""
    pacing, clock = made(per_second=per_second)
    start = clock.seconds

    turns = await sent(pacing, clock, [f"p{index}" for index in range(2 * per_second)])

    assert most_within([time for time, _ in turns], 1.0) <= per_second
    assert turns[-1][0] - start <= 1.1


async def test_first_asked_first_sent() -> None:
    """Turns come in the order of asking, for a number and for each of its people."""
    pacing, clock = made(per_second=5)
    persons: list[str | None] = [f"p{index % 7}" for index in range(60)]

    turns = await sent(pacing, clock, persons)

    assert [person for _, person in turns] == persons


async def test_one_person_holds_up_nobody_else() -> None:
    """Who has had a burst waits six seconds for each more; others go at once meanwhile."""
    pacing, clock = made()
    start = clock.seconds

    turns = await sent(pacing, clock, ["busy"] * (PAIR_BURST + 3) + ["other"] * 5)

    others = [time for time, person in turns if person == "other"]
    busy = [round(time - start, 6) for time, person in turns if person == "busy"]
    assert others == [start] * 5
    assert busy == [0.0] * PAIR_BURST + [6.0, 12.0, 18.0]


async def test_numbers_have_lanes_of_their_own() -> None:
    """What one number sends takes nothing from another, nor does a person's debt to one."""
    pacing, clock = made(per_second=2)

    first = await sent(pacing, clock, ["a"] * 2, number="1")
    second = await sent(pacing, clock, ["a"] * 2, number="2")

    assert [time for time, _ in first + second] == [clock.seconds] * 4


async def test_the_wait_is_told_beforehand() -> None:
    """How long a send would wait is known without waiting, those ahead counted, and it holds."""
    pacing, clock = made(per_second=10)
    for _ in range(10):
        await pacing.turn("1", "a", within=LONG)
    waiting = [asyncio.ensure_future(pacing.turn("1", f"p{index}", within=LONG)) for index in range(25)]
    await asyncio.sleep(0)

    told = pacing.delay("1", "z")
    start = clock.seconds
    await clock.run(*waiting, pacing.turn("1", "z", within=LONG))

    assert told.total_seconds() == pytest.approx(clock.seconds - start, abs=1e-5)


@pytest.mark.parametrize(("person", "code"), [("busy", PAIR_RATE), ("other", THROUGHPUT)])
async def test_a_turn_that_comes_too_late_is_refused_at_once(person: str, code: int) -> None:
    """A turn later than the caller can wait is no wait but an answer: which limit, and how long it would be."""
    pacing, clock = made(per_second=PAIR_BURST)
    await sent(pacing, clock, ["busy"] * PAIR_BURST)

    with pytest.raises(NeverLeft) as refused:
        await pacing.turn("1", person, within=timedelta(seconds=0.5))

    assert refused.value.graph_code == code
    assert refused.value.retry_after == pacing.delay("1", person)
    assert refused.value.is_transient
    assert clock.slept == []


async def test_a_wait_ends_at_its_deadline() -> None:
    """When the turn does not come as was told, the wait ends all the same."""
    clock = SleepingClock()
    pacing = Pacing(per_second=1, clock=clock, sleep=clock.sleep)
    await pacing.turn("1", "a", within=LONG)
    clock.seconds += 1

    async with asyncio.timeout(60):
        with pytest.raises(NeverLeft):
            await pacing.turn("1", "b", within=timedelta(seconds=0.1))


async def test_who_leaves_takes_nothing() -> None:
    """A send that is cancelled while it waits costs nobody a turn, wherever in the queue it stood."""
    pacing, clock = made(per_second=1)
    await pacing.turn("1", "a", within=LONG)
    tasks = [asyncio.ensure_future(pacing.turn("1", f"p{index}", within=LONG)) for index in range(5)]
    await asyncio.sleep(0)
    start = clock.seconds

    for index in (0, 2, 3):
        tasks[index].cancel()
    await clock.run(*tasks)

    assert [task.cancelled() for task in tasks] == [True, False, True, True, False]
    assert clock.seconds - start == pytest.approx(2 * 1.02)
    assert len(pacing) == 6


async def test_throughput_refusals_slow_the_number_for_a_minute() -> None:
    """130429 halves the rate, once for all sends that were on their way together, and the rate is whole again a minute later."""
    pacing, clock = made()
    for _ in range(30):
        pacing.refused("1", "a", THROUGHPUT)

    slowed = await sent(pacing, clock, [f"p{index}" for index in range(STANDARD)])
    clock.seconds += 60
    recovered = await sent(pacing, clock, [f"q{index}" for index in range(STANDARD)])

    assert most_within([time for time, _ in slowed], 1.0) in range(STANDARD // 2, STANDARD // 2 + 3)
    assert len({time for time, _ in recovered}) == 1


async def test_a_slowed_number_still_sends() -> None:
    """However often Meta refuses, one message a second goes on."""
    pacing, clock = made(per_second=3)
    for _ in range(10):
        pacing.refused("1", "a", THROUGHPUT)
        clock.seconds += 1.5

    turns = await sent(pacing, clock, ["a", "b", "c"])

    assert turns[-1][0] - turns[0][0] <= 2.1


async def test_pair_refusals_wait_by_powers_of_four() -> None:
    """131056 keeps this person waiting 1, 4, 16 … seconds, and nobody else; an accepted message ends the row."""
    pacing, clock = made()
    waits = list[float]()
    for _ in range(4):
        pacing.refused("1", "a", PAIR_RATE)
        waits.append(pacing.delay("1", "a").total_seconds())
        await clock.run(pacing.turn("1", "a", within=LONG))
    pacing.accepted("1", "a")
    pacing.refused("1", "a", PAIR_RATE)

    assert waits == pytest.approx([1, 4, 16, 64])
    assert pacing.delay("1", "a").total_seconds() == pytest.approx(1)
    assert pacing.delay("1", "b") == timedelta()


async def test_groups_have_no_pair_rate() -> None:
    """Sends to groups count against the number only."""
    pacing, clock = made()

    turns = await sent(pacing, clock, [None] * (PAIR_BURST + 20))

    assert len({time for time, _ in turns}) == 1
    assert len(pacing) == 0


async def test_idle_pairs_are_forgotten() -> None:
    """Memory holds who still owes something: a day of ever new people leaves no more than the last few seconds of them."""
    pacing, clock = made(per_second=1_000_000)
    most = 0
    for index in range(6_000):
        await pacing.turn("1", f"p{index}", within=LONG)
        clock.seconds += 0.01
        most = max(most, len(pacing))

    assert most <= 2 * 1024


async def test_a_rate_may_change_under_way() -> None:
    """A number that Meta upgrades sends at its new rate from the next turn on; a coexistence number at its own."""
    pacing, clock = made()
    pacing.set_rate("1", COEXISTENCE)
    slow = await sent(pacing, clock, [f"p{index}" for index in range(2 * COEXISTENCE)])
    clock.seconds += 5
    pacing.set_rate("1", HIGH)
    fast = await sent(pacing, clock, [f"q{index}" for index in range(HIGH)])

    assert most_within([time for time, _ in slow], 1.0) == COEXISTENCE
    assert len({time for time, _ in fast}) == 1


def gaps(times: list[float], choose: Callable[[list[float]], float]) -> float:
    return choose([later - earlier for earlier, later in pairwise(times)])


async def test_after_a_burst_one_goes_every_six_seconds() -> None:
    """The long-run rate to one person is Meta's: one message in six seconds."""
    pacing, clock = made()

    times = [time for time, _ in await sent(pacing, clock, ["a"] * (PAIR_BURST + 20))][PAIR_BURST:]

    assert gaps(times, min) == pytest.approx(PAIR_EVERY)
    assert gaps(times, max) == pytest.approx(PAIR_EVERY)
