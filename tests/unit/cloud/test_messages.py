"""Sends: their turn, their repeats, and what a refusal teaches."""

import json
import random
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.cloud_wire import TOKEN, SleepingClock
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.messages import person_of
from wabiz_tui.cloud.outcomes import NeverLeft, Refused, Uncertain
from wabiz_tui.cloud.pacing import PAIR_BURST, Pacing
from wabiz_tui.cloud.patience import Patience
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.graph.requests import build_text
from wabiz_tui.graph.responses import build_accepted

BODY = build_text(to="+4915730000077", body="Hi")
PATIENCE = Patience()
ACCEPTED = (200, json.dumps(build_accepted(wamid="wamid.X", input="+1")).encode())


def refusal(code: int, status: int = 400) -> tuple[int, bytes]:
    return status, json.dumps({"error": {"code": code, "message": f"(#{code}) x", "fbtrace_id": "A"}}).encode()


class Script(httpx.AsyncBaseTransport):
    """Plays one entry a request: an answer, or an exception; then accepts. Knows when each request came."""

    def __init__(self, clock: SleepingClock, *entries: tuple[int, bytes] | Exception) -> None:
        self.clock, self.entries, self.times = clock, list(entries), list[float]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.times.append(self.clock.seconds)
        entry = self.entries.pop(0) if self.entries else ACCEPTED
        if isinstance(entry, Exception):
            raise entry
        return httpx.Response(entry[0], content=entry[1])


def made(
    *entries: tuple[int, bytes] | Exception, patience: Patience | None = PATIENCE, pacing: bool = True
) -> tuple[CloudClient, Script, SleepingClock]:
    clock = SleepingClock()
    wire = Script(clock, *entries)
    transport = Transport("https://graph.facebook.com", TOKEN, wire=wire)
    limits = Pacing(clock=clock, sleep=clock.sleep) if pacing else None
    cloud = CloudClient(transport, pacing=limits, patience=patience, clock=clock, chance=random.Random(1), sleep=clock.sleep)
    return cloud, wire, clock


@pytest.mark.parametrize(
    "entry",
    [
        httpx.ReadTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.WriteTimeout("x"),
        httpx.RemoteProtocolError("x"),
        (500, b"<html>"),
        (502, b""),
        refusal(131000, 500),
        (200, b"{}"),
    ],
)
async def test_what_may_have_arrived_is_never_sent_again(entry: tuple[int, bytes] | Exception) -> None:
    """However patient the client, an uncertain send is made once."""
    cloud, wire, clock = made(entry)

    (failure,) = await clock.run(cloud.send("1", BODY))

    assert isinstance(failure, Uncertain)
    assert len(wire.times) == 1


@pytest.mark.parametrize(
    "entry", [refusal(2, 503), refusal(131016, 500), refusal(131057, 500), refusal(4), httpx.ConnectError("x"), httpx.PoolTimeout("x")]
)
async def test_what_surely_was_not_taken_is_sent_again(entry: tuple[int, bytes] | Exception) -> None:
    """A refusal of class B, and what never left, is sent again after a pause, and accepted then."""
    cloud, wire, clock = made(entry, entry)

    (accepted,) = await clock.run(cloud.send("1", BODY))

    assert accepted.wamid == "wamid.X"
    assert len(wire.times) == 3
    assert wire.times[1] - wire.times[0] >= 0.75


@pytest.mark.parametrize("options", [{"is_repeated": False}, {"patience": None}])
async def test_repeating_can_be_switched_off(options: dict[str, Any]) -> None:
    """By the call, or by making the client without patience."""
    cloud, wire, clock = made(refusal(131016, 500), **{key: value for key, value in options.items() if key == "patience"})

    (failure,) = await clock.run(cloud.messages.send("1", BODY, is_repeated=options.get("is_repeated", True)))

    assert isinstance(failure, Refused)
    assert len(wire.times) == 1


async def test_pair_refusals_hold_back_one_person() -> None:
    """After 131056 this person waits four times as long each time, and another goes at once meanwhile."""
    cloud, wire, clock = made(refusal(131056), refusal(131056), refusal(131056))
    other = build_text(to="+4915730000099", body="Hi")

    await clock.run(cloud.send("1", BODY))
    gaps = [later - earlier for earlier, later in zip(wire.times, wire.times[1:], strict=False)]
    before = clock.seconds
    await clock.run(cloud.send("1", other))

    assert gaps == pytest.approx([1, 4, 16])
    assert clock.seconds == before


async def test_throughput_refusals_slow_everybody() -> None:
    """After 130429 the number's sends go at half its rate."""
    cloud, wire, clock = made(refusal(130429))
    await clock.run(*(cloud.send("1", build_text(to=f"+4915730{index:06d}", body="Hi")) for index in range(100)))

    start = wire.times[0]
    assert sum(time - start < 1 for time in wire.times) <= 80
    assert clock.seconds - start > 1.5


async def test_a_gateway_can_answer_instead_of_waiting() -> None:
    """With no time to wait, a send above the pair rate is told at once, with how long it would take, and nothing is sent."""
    cloud, wire, clock = made()
    await clock.run(*(cloud.send("1", BODY) for _ in range(PAIR_BURST)))

    (failure,) = await clock.run(cloud.messages.send("1", BODY, within=timedelta(seconds=1)))

    assert isinstance(failure, NeverLeft)
    assert (failure.graph_code, failure.retry_after) == (131056, timedelta(seconds=6))
    assert len(wire.times) == PAIR_BURST


async def test_without_pacing_nothing_waits() -> None:
    """Limits are kept only where the client is given a Pacing."""
    cloud, wire, clock = made(pacing=False)

    await clock.run(*(cloud.send("1", BODY) for _ in range(PAIR_BURST + 20)))

    assert len(set(wire.times)) == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    ("body", "person"),
    [
        ({"to": "+49 (1573) 0000-077"}, "4915730000077"),
        ({"to": "4915730000077"}, "4915730000077"),
        ({"recipient": "DE.123"}, "DE.123"),
        ({"to": "+491", "recipient": "DE.123"}, "491"),
        ({"to": "120363@g.us", "recipient_type": "group"}, None),
        ({"to": 4915730000077}, "4915730000077"),
        ({}, ""),
    ],
)
def test_whom_a_send_counts_against(body: dict[str, Any], person: str | None) -> None:
    """One person is one person however the number is written; a group has no pair rate."""
    assert person_of(body) == person
