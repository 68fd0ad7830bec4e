"""Shifts on both engines: what was said is kept, what follows is done once by whichever process, and every process knows."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.archive.conftest import Ground
from tests.support.policy_samples import spans, with_hours
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.hub.archive.contacts import contact_of
from wabiz_tui.hub.archive.conversations import conversation_of, load_conversation, set_assignee
from wabiz_tui.hub.archive.people import add_person, load_people
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.policy import InForce
from wabiz_tui.hub.shifts.board import ShiftBoard
from wabiz_tui.hub.shifts.changing import override, say
from wabiz_tui.hub.shifts.turning import is_due, turn_shifts
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.shift import ShiftChange, ShiftOverride
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import SignedPolicy
from wabiz_tui.policy.checks import DAYS

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POLICY = with_hours(timezone="UTC", **dict.fromkeys(DAYS[:5], spans("09:00-17:00")))
ADA, LEA = Person("a" * 32, "Ada", "agent"), Person("b" * 32, "Lea", "supervisor")


def people_and_work(writing: Writing) -> str:
    for person in (ADA, LEA):
        add_person(writing, person)
    conversation = conversation_of(writing, "1", contact_of(writing, Identity(wa_id="447700900123"), at=writing.now))
    set_assignee(writing, conversation, ADA.id)
    return conversation


async def test_two_processes_agree_and_turn_a_shift_once(ground: Ground) -> None:
    """What one process was told the other knows at once; at the shift's end both look, one acts, and the work is nobody's."""
    ground.clock.move(MONDAY - ground.clock.now())
    one, two = ground.open(), ground.open(seed=2)
    for archive in (one, two):
        archive.bus.start()
    force = InForce(1, POLICY, SignedPolicy("", ""))
    boards = [ShiftBoard(archive, lambda: force) for archive in (one, two)]
    conversation = await one.write(people_and_work)
    shared = ground.engine == "postgresql"

    await one.write(lambda writing: say(writing, ADA, ShiftChange("break", MONDAY + timedelta(minutes=5)), POLICY))
    wanted = ["break", "break" if shared else "working"]
    async with asyncio.timeout(60):
        while [board.standing(ADA.id, "agent").state for board in boards] != wanted:  # noqa: ASYNC110 another process tells in its own time
            await asyncio.sleep(0.01)
    ground.clock.move(timedelta(hours=6))
    by_clock = [board.standing(ADA.id, "agent").state for board in boards]
    acted = [await archive.write(lambda writing: turn_shifts(writing, POLICY)) for archive in (one, two, one)]

    def after(reading: Reading) -> tuple[str | None, str, bool]:
        stored = load_conversation(reading, conversation)
        assert stored is not None
        return stored.value.assignee, load_people(reading)[ADA.id].state, is_due(reading, POLICY)

    assert by_clock == ["off", "off"]
    assert acted == [True, False, False]
    assert await two.read(after) == (None, "off", False)


async def test_an_override_is_kept_and_a_refused_one_leaves_nothing(ground: Ground) -> None:
    """The act, its entry and the state are one transaction; a refusal changes nothing of them."""
    ground.clock.move(MONDAY + timedelta(hours=8) - ground.clock.now())
    archive = ground.open()
    await archive.write(people_and_work)
    await archive.write(lambda writing: turn_shifts(writing, POLICY))
    until = ground.clock.now() + timedelta(hours=1)

    with pytest.raises(BadInput):
        await archive.write(lambda writing: override(writing, ADA.id, ShiftOverride(until, ""), POLICY, by=LEA))
    before = await archive.read(load_people)
    stands = await archive.write(lambda writing: override(writing, ADA.id, ShiftOverride(until, "recall"), POLICY, by=LEA))

    assert before[ADA.id].state == "off"
    assert (stands.state, stands.by, stands.until) == ("working", "Lea", until)
    assert (await archive.read(load_people))[ADA.id].state == "working"
