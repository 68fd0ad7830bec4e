"""What is repeated, after which pause, and what never is."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count

import pytest

from tests.support.cloud_wire import SleepingClock
from wabiz_tui.cloud.outcomes import NeverLeft, Refused, Unanswered, Uncertain, never_left
from wabiz_tui.cloud.patience import Patience, Persistence, may_ask_again, may_send_again
from wabiz_tui.model.errors import BadInput, CloudError

BUSY = Refused("busy", graph_code=131016, is_transient=True)


def failing(*errors: Exception) -> tuple[Callable[[], Awaitable[str]], list[int]]:
    """A call that fails so, one after the other, and then succeeds; and how often it was made."""
    left, made = list(errors), list[int]()

    async def call() -> str:
        made.append(1)
        if left:
            raise left.pop(0)
        return "done"

    return call, made


def persistence(patience: Patience | None = None) -> tuple[Persistence, SleepingClock]:
    clock = SleepingClock()
    return Persistence(patience or Patience(), clock=clock, chance=random.Random(4), sleep=clock.sleep), clock


async def test_a_refusal_that_calls_for_a_pause() -> None:
    """Class B is repeated, after pauses that double with chance in them."""
    patient, clock = persistence()
    call, made = failing(*[BUSY] * 4)

    assert await clock.run(patient.insist(call, may_send_again)) == ["done"]

    assert len(made) == 5
    for pause, whole in zip(clock.slept, (1.5, 3, 6, 12), strict=True):
        assert whole / 2 <= pause <= whole


@pytest.mark.parametrize(
    "error",
    [
        Uncertain("cut", is_uncertain=True),
        Unanswered("no answer", is_transient=True),
        Refused("131000", graph_code=131000),
        Refused("closed", graph_code=131047),
        Refused("new code that says it is transient", graph_code=999999, is_transient=True),
        Refused("no reason", http_status=400),
        NeverLeft("not by itself", is_transient=False),
        CloudError("of nobody's kind", is_transient=True),
        BadInput("not ours to repeat"),
    ],
)
async def test_a_send_that_is_never_repeated(error: Exception) -> None:
    """Everything but a certain refusal of class B and what never left is told at once, after one try."""
    patient, clock = persistence()
    call, made = failing(error)

    assert await clock.run(patient.insist(call, may_send_again)) == [error]
    assert (len(made), clock.slept) == (1, [])


async def test_questions_are_asked_again() -> None:
    """A question is repeated also after a cut."""
    patient, clock = persistence()
    call, made = failing(Unanswered("cut", is_transient=True), never_left("ConnectError"), BUSY)

    assert await clock.run(patient.insist(call, may_ask_again)) == ["done"]
    assert len(made) == 4


async def test_without_patience_everything_is_done_once() -> None:
    """The policy can be switched off."""
    call, made = failing(BUSY)

    with pytest.raises(Refused):
        await Persistence(None).insist(call, may_send_again)
    assert len(made) == 1


@pytest.mark.parametrize(("within", "most"), [(None, 900.0), (timedelta(seconds=20), 20.0), (timedelta(days=1), 900.0)])
async def test_all_tries_end_in_time(within: timedelta | None, most: float) -> None:
    """The tries end before fifteen minutes, or the caller's deadline, and then the last error is told."""
    patient, clock = persistence()
    call, made = failing(*[BUSY] * 1000)
    start = clock.seconds

    assert await clock.run(patient.insist(call, may_send_again, within=within)) == [BUSY]
    assert clock.seconds - start <= most
    assert len(made) > 3
    assert max(clock.slept) <= 300


async def test_meta_says_when() -> None:
    """A Retry-After longer than our pause is kept; one beyond the deadline ends it."""
    patient, clock = persistence()
    call, _ = failing(Refused("later", graph_code=4, retry_after=timedelta(seconds=77)))
    await clock.run(patient.insist(call, may_send_again))
    too_late, made = failing(Refused("tomorrow", graph_code=4, retry_after=timedelta(days=1)))
    await clock.run(patient.insist(too_late, may_send_again))

    assert clock.slept == [77.0]
    assert len(made) == 1


def test_pair_rate_by_powers_of_four() -> None:
    """131056 waits 1, 4, 16, 64 seconds and so on, no longer than five minutes."""
    error = Refused("pair", graph_code=131056)

    assert [Patience().pause(attempt, error, random.Random(1)) for attempt in range(6)] == [1, 4, 16, 64, 256, 300]


def test_pauses_never_overflow() -> None:
    """The thousandth pause is as long as the longest."""
    assert all(Patience().pause(attempt, BUSY, random.Random(1)) <= 300 for attempt, _ in zip(count(), range(2000), strict=False))
