"""How messages leave: in order for each conversation, no faster than Meta lets them, again only where she took nothing."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.hub_archive import NUMBER, HandClock
from tests.support.hub_served import served_hub
from tests.unit.hub.test_gateway import outgoing as outgoing_messages
from tests.unit.hub.test_gateway import ready
from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.outcomes import NeverLeft, Refused, Uncertain
from wabiz_tui.cloud.pacing import PACED, Pacing
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.hub.archive.erasure.erasing import erase_messages
from wabiz_tui.hub.archive.sends import sends_in
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.audit import Act
from wabiz_tui.hub.gateway.departing import LONGEST_WAIT, Departures
from wabiz_tui.hub.gateway.preparing import Outgoing
from wabiz_tui.model.content import Text
from wabiz_tui.model.errors import CloudError
from wabiz_tui.model.values import Direction, Message


class Client:
    """Meta, as far as departures can tell: gives the outcomes it was handed, then accepts."""

    def __init__(self, *outcomes: CloudError) -> None:
        self.outcomes, self.sent = list(outcomes), list[str]()

    async def send(self, _number: str, body: dict[str, Any]) -> Accepted:
        self.sent.append(body["id"])
        if self.outcomes:
            raise self.outcomes.pop(0)
        return Accepted(wamid=f"wamid.{body['id']}")


def departures(client: Client, sleep: Callable[[float], Awaitable[None]], clock: HandClock) -> Departures:
    return Departures(cast("CloudClient", client), clock, chance=random.Random(1), sleep=sleep)


def outgoing(name: str, conversation: str = "c1", *, clock: HandClock, is_group: bool = False, is_queued: bool = False) -> Outgoing:
    message = Message(name, conversation, Direction.OUTGOING, Text("x"), clock.now())
    return Outgoing(message, {"id": name}, NUMBER, "+1", is_group, is_queued)


async def nothing(_message: str) -> None:
    return None


async def yes(_message: str) -> bool:
    return True


async def never(_seconds: float) -> None:
    await asyncio.Event().wait()


async def test_more_than_meta_lets_one_person_have_is_refused_with_the_wait() -> None:
    """After a burst of 45 to one customer some wait, and who would wait longer than the bound gets 131056 and when to come back; other
    customers and groups go on."""
    clock, client = HandClock(), Client()
    leaving = departures(client, never, clock)
    leaving.set_rate(NUMBER, 1000)
    for index in range(45):
        await leaving.send(outgoing(str(index), clock=clock), nothing, yes)

    assert leaving.check(NUMBER, "c1")
    waiting = [asyncio.ensure_future(leaving.send(outgoing(f"w{index}", clock=clock), nothing, yes)) for index in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(CloudError) as refused:
        leaving.check(NUMBER, "c1")
    await leaving.send(outgoing("other", "c2", clock=clock), nothing, yes)
    await leaving.send(outgoing("group", "c3", clock=clock, is_group=True), nothing, yes)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert (refused.value.code, refused.value.graph_code) == ("pair_rate", 131056)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > LONGEST_WAIT
    assert client.sent[45:] == ["other", "group"]


async def test_a_number_that_is_too_busy_says_so() -> None:
    """Where the number's own rate is what holds a message up for too long, the refusal is 130429 with the wait."""
    clock = HandClock()
    leaving = departures(Client(), never, clock)
    leaving.set_rate(NUMBER, 1)
    await leaving.send(outgoing("first", clock=clock), nothing, yes)
    tasks = [asyncio.ensure_future(leaving.send(outgoing(str(index), f"c{index}", clock=clock), nothing, yes)) for index in range(25)]
    for _ in range(5):
        await asyncio.sleep(0)

    with pytest.raises(CloudError) as refused:
        leaving.check(NUMBER, "new")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (refused.value.code, refused.value.graph_code) == ("rate_limited", 130429)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > LONGEST_WAIT


async def test_only_what_meta_surely_did_not_take_is_sent_again() -> None:
    """A refusal that calls for a pause and a request that never left are tried thrice at most; an uncertain one never again."""
    clock = HandClock()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.seconds += seconds

    busy = Refused("busy", graph_code=131016, http_status=500, is_transient=True)
    gone = NeverLeft("no line", code="unreachable", is_transient=True)
    unknown = Uncertain("cut", is_uncertain=True)
    twice, thrice, cut = Client(busy, gone), Client(busy, busy, busy), Client(unknown)

    accepted = await departures(twice, sleep, clock).send(outgoing("a", clock=clock), nothing, yes)
    with pytest.raises(Refused):
        await departures(thrice, sleep, clock).send(outgoing("b", clock=clock), nothing, yes)
    with pytest.raises(Uncertain):
        await departures(cut, sleep, clock).send(outgoing("c", clock=clock), nothing, yes)

    assert accepted.wamid == "wamid.a"
    assert (len(twice.sent), len(thrice.sent), len(cut.sent)) == (3, 3, 1)
    assert len(pauses) == 4


async def test_what_had_to_wait_is_told_to_leave_just_before() -> None:
    """A message archived as waiting is marked as leaving before its first byte goes, once."""
    clock, told = HandClock(), list[str]()
    client = Client(Refused("busy", graph_code=131016, http_status=500, is_transient=True))

    async def leave(message: str) -> None:
        told.append(f"{message} after {len(client.sent)}")

    async def sleep(seconds: float) -> None:
        clock.seconds += seconds

    await departures(client, sleep, clock).send(outgoing("a", clock=clock, is_queued=True), leave, yes)

    assert told == ["a after 0"]


async def test_what_may_not_leave_any_more_is_not_tried_again() -> None:
    """Between two tries a message may be erased, or settled by another hub: then what Meta said last stands."""
    clock, client = HandClock(), Client(Refused("busy", graph_code=131016, http_status=500, is_transient=True))

    async def sleep(seconds: float) -> None:
        clock.seconds += seconds

    async def no(_message: str) -> bool:
        return False

    with pytest.raises(Refused):
        await departures(client, sleep, clock).send(outgoing("a", clock=clock), nothing, no)

    assert client.sent == ["a"]


@pytest.mark.parametrize("is_queued", [False, True])
async def test_what_is_erased_while_it_waits_does_not_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_queued: bool) -> None:
    """Behind another message of its conversation, whether or not it was archived as waiting: its caller hears that it was erased."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)

        def checked(_departures: Departures, _number: str, _conversation: str | None) -> bool:
            return is_queued

        served.meta.hold = asyncio.Event()
        first = asyncio.ensure_future(agent.send(body, key="first"))
        await asyncio.wait_for(served.meta.arrived.wait(), 20)
        monkeypatch.setattr(Departures, "check", checked)
        second = asyncio.ensure_future(agent.send({**body, "text": {"body": "Erased"}}, key="second"))
        async with asyncio.timeout(20):
            while len(await served.hub.archive.read(sends_of)) < 2:  # noqa: ASYNC110 rows tell nobody
                await asyncio.sleep(0.01)
        newest = max(await served.hub.archive.read(sends_of))
        await served.hub.archive.write(lambda writing: erase_messages(writing, [newest], Act("message.erased", by="an-officer")))
        served.meta.hold.set()
        answers = await asyncio.gather(first, second)

        assert [answer.status_code for answer in answers] == [200, 410]
        assert len(served.meta.sent) == 1


@pytest.mark.parametrize("is_queued", [False, True])
@pytest.mark.parametrize(("graph_code", "named"), [(130429, "rate_limited"), (131056, "pair_rate")])
async def test_a_turn_that_does_not_come_leaves_the_key_to_be_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_queued: bool, graph_code: int, named: str
) -> None:
    """What was archived and then had no turn in time is answered with the wait and shown as failed; the same key sends that message."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)

        def checked(_departures: Departures, _number: str, _conversation: str | None) -> bool:
            return is_queued

        async def no_turn(*_: object, **__: object) -> None:
            raise NeverLeft("Too fast.", graph_code=graph_code, code=PACED, is_transient=True, retry_after=timedelta(seconds=41))

        with monkeypatch.context() as patch:
            patch.setattr(Departures, "check", checked)
            patch.setattr(Pacing, "turn", no_turn)
            refused = [await agent.send(body, key="k") for _ in range(2)]
        [waiting] = await outgoing_messages(agent)
        sent = await agent.send(body, key="k")
        again = await agent.send(body, key="k")
        [message] = await outgoing_messages(agent)

        told = [one.json()["error"] for one in refused]
        assert [(one["code"], one["error_data"]["wabiz_code"]) for one in told] == [(graph_code, named)] * 2
        assert {one.headers["retry-after"] for one in refused} == {"41"}
        assert waiting["delivery"]["state"] == "failed"
        assert (sent.status_code, again.content) == (200, sent.content)
        assert (message["id"], message["delivery"]["state"]) == (waiting["id"], "accepted")
        assert len(served.meta.sent) == 1


async def test_a_conversation_goes_in_its_order(tmp_path: Path) -> None:
    """While the first message of a conversation has no answer the next do not leave; then they go one by one as they came."""
    async with served_hub(tmp_path) as served:
        agent, body = await ready(served)
        served.meta.hold = asyncio.Event()
        sending: list[asyncio.Future[Any]] = []
        for index in range(3):
            sending.append(asyncio.ensure_future(agent.send({**body, "text": {"body": f"No. {index}"}}, key=f"k{index}")))
            async with asyncio.timeout(60):
                while len(await served.hub.archive.read(sends_of)) <= index:  # noqa: ASYNC110 rows tell nobody
                    await asyncio.sleep(0.01)
        await asyncio.wait_for(served.meta.arrived.wait(), 60)
        on_its_way = len(served.meta.sent)
        served.meta.hold.set()
        answers = await asyncio.gather(*sending)

        assert on_its_way == 1
        assert [one["text"]["body"] for one in served.meta.sent] == ["No. 0", "No. 1", "No. 2"]
        assert [answer.status_code for answer in answers] == [200] * 3


def sends_of(reading: Reading) -> list[str]:
    return [*sends_in(reading, "leaving"), *sends_in(reading, "queued")]
