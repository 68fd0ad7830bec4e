"""How long the desk leaves the hub alone: what the hub asked for, else pauses that double and end when the network is back."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from wabiz_tui.desk.link.answers import parse_wait, refusal, wait_of
from wabiz_tui.desk.sync.pace import LONGEST, Pace
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import TooMany, Unreachable
from wabiz_tui.model.wire import ErrorBody

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta()),
        ("Mon, 04 May 2026 12:01:30 GMT", timedelta(seconds=90)),
        ("Mon, 04 May 2026 11:00:00 GMT", timedelta()),
        ("99999999999999999999999", timedelta(minutes=10)),
        ("Fri, 31 Dec 2300 23:59:59 GMT", timedelta(minutes=10)),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(text: str | None, wait: timedelta | None) -> None:
    """Seconds or a date by the hub's clock (RFC 9110 §10.2.3), never more than ten minutes; nonsense says nothing."""
    assert parse_wait(text, NOW) == wait


@pytest.mark.parametrize(("status", "code"), [(429, "too_many"), (503, "unreachable"), (503, "")])
def test_a_refusal_keeps_what_was_asked_for(status: int, code: str) -> None:
    """Whether the hub speaks or a proxy's page: its Retry-After stays with the error, which is one of being out of reach."""
    error = refusal(status, encode(ErrorBody(code, "Later.")) if code else b"<html>", timedelta(seconds=9))

    assert isinstance(error, Unreachable)
    assert wait_of(error) == timedelta(seconds=9)
    assert isinstance(error, TooMany) == (code == "too_many")


def test_a_refusal_that_asks_for_nothing_keeps_nothing() -> None:
    """Without the header, and for what is no question of patience, there is no wait."""
    assert wait_of(refusal(503, b"<html>")) is None
    assert wait_of(refusal(404, b"", timedelta(seconds=9))) is None


def test_pauses_double_are_spread_and_begin_anew_after_a_line_that_stood() -> None:
    """The first comes within half a second; none is longer than half a minute; a flapping line does not begin anew."""
    least, most = Pace(lambda: 0.0), Pace(lambda: 0.999)
    short, long = [least.next_pause() for _ in range(9)], [most.next_pause() for _ in range(9)]

    assert short[:4] == [0.25, 0.5, 1.0, 2.0]
    assert short[-1] == LONGEST / 2
    assert all(low < high <= 2 * low for low, high in zip(short, long, strict=True))
    least.stood(1.0)
    assert least.next_pause() == LONGEST / 2
    least.stood(60.0)
    assert not least.has_failed
    assert least.next_pause() == 0.25


def tired(network: Callable[[], object]) -> Pace:
    """One that would pause for half a minute."""
    pace = Pace(lambda: 0.9, network)
    for _ in range(9):
        pace.next_pause()
    return pace


async def test_a_pause_ends_when_the_network_is_another() -> None:
    """A pause of half a minute ends within seconds of the network's return."""
    looks = iter([frozenset(), frozenset(), frozenset({"192.0.2.7"})])

    async with asyncio.timeout(20):
        await tired(lambda: next(looks)).pause()


async def test_a_pause_ends_when_the_hub_was_heard_by_somebody_else() -> None:
    """An answer to another request while the pause runs ends it."""
    pace = tired(frozenset)
    pausing = asyncio.create_task(pace.pause())
    async with asyncio.timeout(20):
        while not pausing.done():
            await asyncio.sleep(0.05)
            pace.hurry()


async def test_what_the_hub_asked_for_is_not_cut_short() -> None:
    """Neither a network that changes nor a hub that is heard ends the wait that it asked for."""
    changes = iter(range(1000))
    pace = Pace(lambda: 0.0, lambda: next(changes))
    loop = asyncio.get_running_loop()
    began = loop.time()
    pausing = asyncio.create_task(pace.pause(timedelta(seconds=0.4)))
    await asyncio.sleep(0)
    pace.hurry()
    await pausing

    assert loop.time() - began >= 0.39
