"""Presence at the desk: who else is there is known while it is true, and what its own person does is said sparingly."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from tests.support.desk_bench import CONFIG, PASSPHRASE, make_desk
from tests.support.desk_samples import ident, until
from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import enroll
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.server import DeskServer
from wabiz_tui.desk.session.presence import MOST_WATCHED, TYPING_SECONDS, Company, Others, Own
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.desk import Desk, DeskEvent
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrolmentCode
from wabiz_tui.model.work import PRESENCE_SECONDS, Doing, Presence

TALK, OTHER_TALK = ident(1), ident(2)


def mark(doing: Doing, *, name: str = "Sam", at: str = TALK) -> Presence:
    return Presence(at, f"person of {name}", name, doing, datetime(2026, 5, 4, tzinfo=UTC))


def test_others_are_there_until_they_leave_or_are_not_renewed() -> None:
    """Somebody is at a conversation until they say that they left, or for PRESENCE_SECONDS after the last word of them."""
    others = Others()
    others.hear(mark("typing", name="Sam"), 0)
    others.hear(mark("viewing", name="Kim"), 10)
    others.hear(mark("viewing", name="Lee", at=OTHER_TALK), 10)

    assert [(one.name, one.doing) for one in others.at(TALK, 11)] == [("Kim", "viewing"), ("Sam", "typing")]
    assert [one.name for one in others.at(TALK, PRESENCE_SECONDS)] == ["Kim"]
    assert others.expire(PRESENCE_SECONDS) == {TALK}
    others.hear(mark("left", name="Kim"), 35)
    assert others.at(TALK, 35) == []
    assert others.forget() == {OTHER_TALK}


def test_a_word_is_said_when_it_is_new_and_renewed_while_the_client_speaks() -> None:
    """The same is said once, again when a client still says it later; without the client it ends with one `left`."""
    own = Own()
    own.watch(TALK, "viewing", 0)
    first = [own.next_word(0), own.next_word(0)]
    own.watch(TALK, "viewing", 1)
    soon = own.next_word(1)
    own.watch(TALK, "viewing", 15)
    renewed = [own.next_word(15), own.next_word(29)]
    ended = [own.next_word(15 + PRESENCE_SECONDS), own.next_word(16 + PRESENCE_SECONDS)]

    assert first == [(TALK, "viewing"), None]
    assert soon is None
    assert renewed == [(TALK, "viewing"), None]
    assert ended == [(TALK, "left"), None]


def test_typing_becomes_viewing_without_a_key() -> None:
    """Who types and then reads is said to look, without another word of the client."""
    own = Own()
    own.watch(TALK, "typing", 0)

    assert own.next_word(0) == (TALK, "typing")
    assert own.next_word(TYPING_SECONDS - 0.1) is None
    assert own.next_word(TYPING_SECONDS) == (TALK, "viewing")


def test_going_on_says_the_new_before_the_old() -> None:
    """At the next conversation the first word is of that one; what was passed through unsaid is not said at all."""
    own = Own()
    own.watch(TALK, "viewing", 0)
    own.next_word(0)
    own.watch(TALK, "left", 1)
    own.watch(ident(3), "viewing", 1)
    own.watch(ident(3), "left", 1)
    own.watch(OTHER_TALK, "viewing", 1)

    assert [own.next_word(1) for _ in range(3)] == [(OTHER_TALK, "viewing"), (TALK, "left"), None]


def test_what_a_person_watches_is_bounded() -> None:
    """However many conversations a client names, no more than a person has before them is said."""
    own = Own()
    for number in range(MOST_WATCHED + 5):
        own.watch(ident(number), "viewing", 0)

    assert sum(own.next_word(0) is not None for _ in range(MOST_WATCHED + 5)) == MOST_WATCHED


class Line:
    """A line to the hub whose state the test sets, and what went over it."""

    def __init__(self) -> None:
        self.is_up, self.fails = True, False
        self.said: list[tuple[str, Doing]] = []
        self.met: list[tuple[str, list[str]]] = []
        self.company = Company(
            self.say,
            may_say=lambda: self.is_up,
            met=lambda conversation, others: self.met.append((conversation, [one.name for one in others])),
            monotonic=asyncio.get_running_loop().time,
        )

    async def say(self, conversation: str, doing: Doing) -> None:
        self.said.append((conversation, doing))
        if self.fails:
            raise Unreachable("No.")


async def test_nothing_is_said_while_it_may_not_be() -> None:
    """Off shift and without a line not a word goes out, at the end neither; when it may be said again it is."""
    line = Line()
    line.is_up = False
    line.company.start()
    line.company.watch(TALK, "viewing")
    line.company.watch("../secrets", "viewing")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    silent = list(line.said)
    line.is_up = True
    line.company.line_stands()
    await until(lambda: line.said)
    line.is_up = False
    line.company.stop()
    await line.company.gone()

    assert silent == []
    assert line.said == [(TALK, "viewing")]


async def test_a_hub_that_refuses_holds_nobody_up() -> None:
    """A failed word is not said again at once, raises nothing, and the goodbye is still tried."""
    line = Line()
    line.fails = True
    line.company.start()
    here = line.company.watch(TALK, "viewing")
    await until(lambda: line.said)
    line.company.stop()
    await line.company.gone()

    assert here == []
    assert line.said == [(TALK, "viewing"), (TALK, "left")]


async def test_a_lost_line_forgets_everybody_and_says_all_anew() -> None:
    """Without the hub nobody is known to be anywhere; with it again, the hub is told again."""
    line = Line()
    line.company.start()
    line.company.hear(mark("viewing"))
    there = line.company.watch(TALK, "viewing")
    await until(lambda: line.said)
    line.company.line_lost()
    line.company.line_stands()
    await until(lambda: len(line.said) == 2)
    line.company.stop(is_said=False)
    await line.company.gone()

    assert [one.name for one in there] == ["Sam"]
    assert line.met == [(TALK, ["Sam"]), (TALK, [])]
    assert line.said == [(TALK, "viewing")] * 2


class WatchedDesk:
    """As much of a desk as its clients' words of presence need."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Doing]] = []
        self.events: asyncio.Queue[DeskEvent] = asyncio.Queue()

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        self.said.append((conversation, doing))
        return [mark("typing")]

    async def listen(self) -> AsyncIterator[DeskEvent]:
        while True:
            yield await self.events.get()


async def test_a_person_has_left_when_their_last_terminal_has(tmp_path: Path) -> None:
    """Of two clients at one conversation the first may go, even by a crash; when the second is cut off the desk hears `left`."""
    desk = WatchedDesk()
    server = DeskServer(
        cast("Desk", desk),
        ahead=0.0,
        on_end=lambda: None,
        on_clients=lambda _: None,
        broken=lambda _call, error: desk.said.append(cast("Any", error)),
    )
    await server.start(tmp_path / "desk.sock")
    first, second = [await DeskClient.open(tmp_path / "desk.sock") for _ in range(2)]
    there = await first.watch(TALK, "typing")
    await second.watch(TALK, "viewing")
    await second.watch(OTHER_TALK, "viewing")
    await first.watch(TALK, "left")
    with suppress(AttributeError):
        second._writer.transport.abort()  # pyright: ignore[reportPrivateUsage] what the kernel does for a process that crashed
    await until(lambda: len(desk.said) == 5)
    await first.close()
    await second.close()
    await server.stop()

    assert [one.name for one in there] == ["Sam"]
    assert desk.said[:3] == [(TALK, "typing"), (TALK, "viewing"), (OTHER_TALK, "viewing")]
    assert set(desk.said[3:]) == {(TALK, "left"), (OTHER_TALK, "left")}


@asynccontextmanager
async def at_work(served: Served, admin: TestDevice, name: str, home: Path) -> AsyncGenerator[LocalDesk]:
    """The unlocked desk of a new agent."""
    code = decode((await admin.post("/v1/people", {"name": name, "role": "agent"})).content, EnrolmentCode).code
    paths = paths_under(home)
    await enroll(str(served.http.base_url).rstrip("/"), code, paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())
    desk = make_desk(paths)
    await desk.begin()
    try:
        await desk.unlock(Secret(PASSPHRASE.reveal()))
        await desk.sync()
        await until(lambda: is_online(desk))
        yield desk
    finally:
        await desk.close()


async def is_online(desk: LocalDesk) -> bool:
    return (await desk.status()).link == "online"


async def test_two_desks_see_each_other_at_a_real_hub(tmp_path: Path) -> None:
    """One types: the other is told, and learns it by asking too; who locks has left."""
    async with served_hub(tmp_path / "hub", at=datetime.now(UTC)) as served:
        await served.incoming()
        admin = await served.admin()
        async with at_work(served, admin, "Sam", tmp_path / "sam") as sam, at_work(served, admin, "Kim", tmp_path / "kim") as kim:
            heard: list[DeskEvent] = []
            listening = asyncio.create_task(keep_presence(kim, heard))
            [talk] = [row.id for row in await kim.conversations()]

            async def each_sees_the_other() -> bool:
                to_kim, to_sam = await kim.watch(talk, "viewing"), await sam.watch(talk, "typing")
                return [(one.name, one.doing) for one in to_kim + to_sam] == [("Sam", "typing"), ("Kim", "viewing")]

            await until(each_sees_the_other)
            await sam.lock()
            await until(lambda: heard[-1].others == ())
            listening.cancel()

    assert {event.conversations for event in heard} == {(talk,)}
    assert "typing" in {one.doing for event in heard for one in event.others}
    assert {one.name for event in heard for one in event.others} == {"Sam"}


async def keep_presence(desk: LocalDesk, heard: list[DeskEvent]) -> None:
    async for event in desk.listen():
        if event.kind == "presence":
            heard.append(event)  # noqa: PERF401 the list is looked at while it grows
