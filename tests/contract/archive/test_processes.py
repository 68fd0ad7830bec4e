"""Processes over one archive: what they tell each other, who leads, and what becomes of a dead one's work."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Callable

import psycopg
import pytest

from tests.contract.archive.conftest import ENGINES, Ground
from tests.support.hub_archive import NUMBER
from tests.support.hub_served import body_of, text_value
from wabiz_tui.hub.archive.messages import find_by_wamid
from wabiz_tui.hub.archive.sends import add_send, answer_of, let_leave, sends_in
from wabiz_tui.hub.archive.store import Archive, Reading, Writing, changes_since
from wabiz_tui.hub.gateway.recording import settle_interrupted
from wabiz_tui.hub.ingest.intake import Intake, Ours
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.processes.bus import Bus
from wabiz_tui.hub.processes.process import HubProcess
from wabiz_tui.hub.processes.waiting import until

SHARED = pytest.mark.parametrize("engine", ["postgresql"])
CUT_OTHERS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"


class Ear:
    """What was heard on a topic, to be waited for from the test's own thread."""

    def __init__(self, bus: Bus, topic: str) -> None:
        self.heard: list[str] = []
        self._more = threading.Condition()
        bus.on(topic, self._hear)
        bus.on_gap(lambda: self._hear("gap"))

    def _hear(self, text: str) -> None:
        with self._more:
            self.heard.append(text)
            self._more.notify_all()

    def until(self, *texts: str) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.heard == list(texts), 60), self.heard


def two(ground: Ground) -> tuple[Archive, Archive]:
    return ground.open(seed=1), ground.open(seed=2)


def test_what_is_told_with_a_transaction_comes_with_it(ground: Ground) -> None:
    """Handlers hear after the commit, once however often it was said; nothing of what was taken back, in part or whole."""
    archive = ground.open()
    ear = Ear(archive.bus, "topic")
    heard_within: list[list[str]] = []

    def tell_and_fail(writing: Writing) -> None:
        writing.tell("topic", "taken back")
        raise ZeroDivisionError

    def tell_in_part(writing: Writing) -> None:
        for text in "aba":
            writing.tell("topic", text)
        with contextlib.suppress(ZeroDivisionError), writing.savepoint():
            tell_and_fail(writing)
        heard_within.append(list(ear.heard))

    archive.write_now(tell_in_part)
    with pytest.raises(ZeroDivisionError):
        archive.write_now(tell_and_fail)

    assert (heard_within, ear.heard) == ([[]], ["b", "a"])


def test_what_is_too_long_is_refused(ground: Ground) -> None:
    """A text that a server would not take is the teller's error, on both engines, and nothing of its transaction is kept."""
    archive = ground.open()

    def tell(writing: Writing) -> None:
        writing.touch("message", "m1")
        writing.tell("topic", "x" * 7001)

    with pytest.raises(ValueError, match="at most"):
        archive.write_now(tell)
    with pytest.raises(ValueError, match="at most"):
        archive.bus.tell_now("topic", "x" * 7001)

    assert archive.read_now(lambda reading: changes_since(reading, 0, 9)) == []


@SHARED
def test_processes_hear_each_other(new_ground: Callable[[str], Ground], engine: str) -> None:
    """What one tells, with a transaction or without, another hears in order and once; the teller's own ear does not echo."""
    first, second = two(new_ground(engine))
    ears = Ear(first.bus, "topic"), Ear(second.bus, "topic")
    for archive in (first, second):
        archive.bus.start()
    for ear in ears:
        ear.until("gap")

    with first.writing() as writing:
        writing.tell("topic", "with \x00 a \\ transaction")
    for ear in ears:
        ear.until("gap", "with \x00 a \\ transaction")
    second.bus.tell_now("topic", "without")

    for ear in ears:
        ear.until("gap", "with \x00 a \\ transaction", "without")


@SHARED
def test_a_broken_line_is_opened_again_and_missed_nothing_unsaid(new_ground: Callable[[str], Ground], engine: str) -> None:
    """After the lines were cut the process is told that it may have missed something, hears again, and its listeners were woken."""
    ground = new_ground(engine)
    first, second = two(ground)
    woken: list[int] = []
    second.listeners.append(woken.append)
    ear = Ear(second.bus, "topic")
    second.bus.start()
    ear.until("gap")

    with psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute(CUT_OTHERS)
    ear.until("gap", "gap")
    with first.writing() as writing:
        writing.touch("message", "m1")
        writing.tell("topic", "again")

    ear.until("gap", "gap", "again")
    assert woken[:2] == [0, 0]
    assert first.read_now(lambda reading: [row.id for row in changes_since(reading, 0, 9)]) == ["m1"]


@SHARED
def test_a_destroyed_key_leaves_the_memory_of_all(new_ground: Callable[[str], Ground], engine: str) -> None:
    """A content key or a share that one process destroys is forgotten by another that had it in memory."""
    first, second = two(new_ground(engine))
    for store in ("keys", "shares"):
        getattr(first, store).make_now("unit/a")
        assert getattr(second, store).find("unit/a") is not None
    ear = Ear(second.bus, "keys_destroyed")
    second.bus.start()
    ear.until("gap")
    for store in ("keys", "shares"):
        assert getattr(second, store).find("unit/a") is not None

    first.keys.destroy(["unit/a"])
    first.shares.destroy(["unit/a"])
    ear.until("gap", "keys", "shares")

    assert (second.keys.find("unit/a"), second.shares.find("unit/a")) == (None, None)


async def test_waiting_ends_with_another_process_commit(ground: Ground) -> None:
    """Who waits for a fact of the archive is woken by whichever process commits it, and told when it does not come."""
    first, second = two(ground) if ground.engine == "postgresql" else (ground.open(),) * 2
    second.bus.start()

    def seen(reading: Reading) -> list[str] | None:
        return [row.id for row in changes_since(reading, 0, 9)] or None

    waiting = asyncio.ensure_future(until(second, seen, within=60))
    await first.write(lambda writing: writing.touch("message", "m1"))

    assert await waiting == ["m1"]
    assert await until(second, lambda _: None, within=0.01) is None


@contextlib.asynccontextmanager
async def running(archive: Archive) -> AsyncGenerator[HubProcess]:
    process = HubProcess(archive, settle_interrupted)
    archive.bus.start()
    await process.join()
    task = asyncio.ensure_future(process.run())
    try:
        yield process
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await process.leave()


async def eventually(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not fact():  # noqa: ASYNC110 leadership is looked at, it tells nobody
            await asyncio.sleep(0.02)


@SHARED
async def test_one_leads_and_another_takes_over(new_ground: Callable[[str], Ground], engine: str) -> None:
    """Of two processes one leads and works; when it leaves the other does, within moments; its work is cancelled, never doubled."""
    first, second = two(new_ground(engine))
    at_work: list[str] = []

    async def work(name: str) -> None:
        assert at_work == []
        at_work.append(name)
        try:
            await asyncio.Event().wait()
        finally:
            at_work.remove(name)

    async with running(second) as other:
        async with running(first) as process:
            process.while_leading(lambda: work("first"))
            other.while_leading(lambda: work("second"))
            assert (process.leads, other.leads) == (False, True)
            await eventually(lambda: at_work == ["second"])
        await eventually(lambda: at_work == ["second"])
    assert at_work == []


@SHARED
async def test_a_leader_whose_line_breaks_is_followed_by_one(new_ground: Callable[[str], Ground], engine: str) -> None:
    """All lines are cut, again and again: each time exactly one comes to lead, and whoever lost the lead knows."""
    ground = new_ground(engine)
    first, second = two(ground)
    async with running(first) as process, running(second) as other:
        for _ in range(3):
            await eventually(lambda: process.leads != other.leads)
            with psycopg.connect(ground.address, autocommit=True) as connection:
                connection.execute(CUT_OTHERS)
            await eventually(lambda: not (process.leads and other.leads))
        await eventually(lambda: process.leads != other.leads)


@pytest.mark.parametrize("engine", ENGINES)
async def test_two_that_fold_at_once_fold_nothing_twice(new_ground: Callable[[str], Ground], engine: str) -> None:
    """Two that both take themselves for the leader fold one journal: each entry is folded once, and each sees the end of it."""
    ground = new_ground(engine)
    archives = two(ground)
    journals = [archive.open_journal() for archive in archives]
    ours = Ours(frozenset(), frozenset({NUMBER}))
    metrics = Metrics()
    intakes = [Intake(archive, journal, metrics, ours) for archive, journal in zip(archives, journals, strict=True)]
    for index in range(30):
        body = body_of(text_value(str(index), wamid=f"wamid.{index}", sender="447700900123", at=ground.clock.now()))
        await journals[index % 2].append(body)
    for archive in archives:
        archive.bus.start()

    async def fold_all(intake: Intake) -> None:
        while await intake.fold_once():
            pass

    await asyncio.gather(*(fold_all(intake) for intake in intakes))
    caught_up = [await intake.caught_up() for intake in intakes]
    for journal in journals:
        journal.stop()

    def wamids(reading: Reading) -> list[int]:
        return [index for index in range(30) if find_by_wamid(reading, f"wamid.{index}") is None]

    changes = archives[0].read_now(lambda reading: [row.id for row in changes_since(reading, 0, 99) if row.entity == "message"])
    assert caught_up == [True, True]
    assert archives[1].read_now(wamids) == []
    assert len(changes) == len(set(changes)) == 30
    assert metrics.registry.get_sample_value("wabiz_webhooks_folded_total") == 30


def begin(writing: Writing, message: str, *, has_to_wait: bool) -> None:
    add_send(writing, "caller", message, b"", message, has_to_wait=has_to_wait)


@SHARED
async def test_the_sends_of_the_dead_are_settled_and_of_the_living_are_not(new_ground: Callable[[str], Ground], engine: str) -> None:
    """Of two processes with sends under way one dies: its own are settled once, what it had queued is anybody's, the other's stay."""
    ground = new_ground(engine)
    first, second = two(ground)
    for archive, name in ((first, "dead"), (second, "living")):
        with archive.writing() as writing:
            begin(writing, f"{name}-left", has_to_wait=False)
            begin(writing, f"{name}-waits", has_to_wait=True)

    async with running(second):
        await eventually(lambda: second.read_now(lambda reading: sends_in(reading, "queued", owner="")) == ["dead-waits"])
        answer = second.read_now(lambda reading: answer_of(reading, "dead-left"))

        assert answer is not None
        assert answer[0] == 500
        assert second.read_now(lambda reading: sends_in(reading, "leaving")) == ["living-left"]
        assert first.write_now(lambda writing: let_leave(writing, "dead-waits", owner=first.place.process)) is False
        assert second.write_now(lambda writing: let_leave(writing, "dead-waits", owner="")) is True
        assert second.write_now(lambda writing: let_leave(writing, "living-waits", owner=second.place.process)) is True


@SHARED
async def test_a_living_process_keeps_its_sends_through_broken_lines(new_ground: Callable[[str], Ground], engine: str) -> None:
    """Two processes with a send each live through cut lines; neither's send is settled, though each looks after the dead."""
    ground = new_ground(engine)
    archives = two(ground)
    for index, archive in enumerate(archives):
        with archive.writing() as writing:
            begin(writing, f"m{index}", has_to_wait=False)
    begun = asyncio.get_running_loop().time()

    async with running(archives[0]) as process, running(archives[1]) as other:
        for _ in range(2):
            await eventually(lambda: process.leads != other.leads)
            with psycopg.connect(ground.address, autocommit=True) as connection:
                connection.execute(CUT_OTHERS)
        # Longer than a process may be missed.
        await eventually(lambda: asyncio.get_running_loop().time() - begun > 5)

        assert archives[0].read_now(lambda reading: sends_in(reading, "leaving")) == ["m0", "m1"]


async def test_a_file_has_one_process(new_ground: Callable[[str], Ground]) -> None:
    """Over a file whoever starts leads at once, and what another had under way is settled before anything is served."""
    archive = new_ground("sqlcipher").open()
    with archive.writing() as writing:
        begin(writing, "m1", has_to_wait=False)
    archive.place.process = os.urandom(8).hex()  # type: ignore[misc] another start

    async with running(archive) as process:
        assert process.leads
        assert archive.read_now(lambda reading: sends_in(reading, "leaving")) == []
