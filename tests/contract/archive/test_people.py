"""People, teams, leases and overdue receipts on both engines."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import NUMBER
from tests.support.hub_served import body_of, text_value
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.contacts import contact_of
from wabiz_tui.hub.archive.conversations import conversation_of, load_conversation, set_assignee, set_status, set_team
from wabiz_tui.hub.archive.epochs import (
    begin_epoch,
    find_share,
    last_overdue_epoch,
    leases,
    note_lease,
    outbox_share_name,
    share_name,
    uptime,
)
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.archive.teams import load_teams
from wabiz_tui.hub.audit import entries
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import fold_part
from wabiz_tui.hub.people import staff, teams
from wabiz_tui.hub.people.devices import begin_next_epoch, share_of
from wabiz_tui.hub.people.overdue import tend
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.staff import PersonChange
from wabiz_tui.model.values import Person, Role
from wabiz_tui.policy.document import Cache, Policy

BOSS = Viewer("0" * 31 + "1", "admin", "0" * 31 + "d")
POLICY = Policy(cache=Cache(lease=timedelta(minutes=5), receipt_within=timedelta(minutes=10)))


def person(writing: Writing, name: str, role: Role = "agent", *, team: tuple[str, ...] = ()) -> str:
    added = Person(id=writing.new_id(), name=name, role=role, teams=team)
    rows.add_person(writing, added)
    return added.id


def device(writing: Writing, owner: str) -> str:
    made = writing.new_id()
    rows.add_device(writing, device=made, person=owner, name="laptop", public_key=bytes(32), cache_id="00" * 16)
    begin_epoch(writing, made, 1)
    writing.archive.shares.make(outbox_share_name(made))
    return made


def conversation(writing: Writing, wa_id: str = "447700900123") -> str:
    contact = contact_of(writing, Identity(wa_id=wa_id), at=writing.now)
    return conversation_of(writing, NUMBER, contact)


def acts(archive: Archive) -> list[str]:
    return [entry["action"] for entry in archive.read_now(lambda reading: entries(reading, 0, 1000))]


def test_whoever_is_revoked_leaves_nothing_open(ground: Ground) -> None:
    """Their devices, shares and codes end, their open work goes to the buddy, the log tells it once, and a repeat changes nothing."""
    archive = ground.open()
    with archive.writing() as writing:
        person(writing, "Root", "admin")
        gail, buddy = person(writing, "Gail"), person(writing, "Bud")
        rows.save_person(writing, Person(id=gail, name="Gail", role="agent", buddy=buddy))
        machines = [device(writing, gail), device(writing, gail)]
        rows.add_code(writing, "s" * 32, gail, expires_at=writing.now + timedelta(days=1), by="")
        open_one, done = conversation(writing), conversation(writing, "447700900999")
        set_assignee(writing, open_one, gail)
        set_assignee(writing, done, gail)
        set_status(writing, done, "resolved")

    outcomes = [archive.write_now(lambda writing: staff.revoke(writing, gail, by=BOSS)) for _ in range(2)]

    assert [(outcome.devices, outcome.conversations) for outcome, _ in outcomes] == [(2, 1), (0, 0)]
    assert sorted(outcomes[0][1]) == sorted(machines)
    with archive.reading() as reading:
        assert rows.devices_of(reading, gail) == []
        assert rows.living_codes(reading) == []
        after = load_conversation(reading, open_one)
        assert after is not None
        assert after.value.assignee == buddy
        found = rows.find_person(reading, gail)
        assert found is not None
        assert found.revoked_at is not None
    assert archive.shares.names("share/") == []
    assert acts(archive).count("person.revoked") == 1
    assert acts(archive).count("device.revoked") == 2


def test_there_is_always_an_administrator(ground: Ground) -> None:
    """The last one is neither revoked nor given another role; with a second one either may happen, to one of them."""
    archive = ground.open()
    with archive.writing() as writing:
        first = person(writing, "Root", "admin")

    with pytest.raises(Conflict, match="last administrator"):
        archive.write_now(lambda writing: staff.revoke(writing, first, by=BOSS))
    with pytest.raises(Conflict, match="last administrator"):
        archive.write_now(lambda writing: staff.change(writing, first, PersonChange(role="agent"), by=BOSS))
    with archive.writing() as writing:
        second = person(writing, "Second", "admin")
        staff.change(writing, first, PersonChange(role="auditor"), by=BOSS)
    with pytest.raises(Conflict, match="last administrator"):
        archive.write_now(lambda writing: staff.revoke(writing, second, by=BOSS))


def test_teams_are_named_by_whoever_types_them(ground: Ground) -> None:
    """A person's teams are given by id or by name in any case; one that is not there is refused with the nearest name."""
    archive = ground.open()
    with archive.writing() as writing:
        team = teams.add(writing, "Billing", by=BOSS)
        pat = person(writing, "Pat")
        by_name = staff.change(writing, pat, PersonChange(teams=("bILLING", team.id)), by=BOSS)

    assert by_name.teams == (team.id,)
    with pytest.raises(BadInput, match="did you mean 'Billing'"):
        archive.write_now(lambda writing: staff.change(writing, pat, PersonChange(teams=("Biling",)), by=BOSS))
    with pytest.raises(NotFound):
        archive.write_now(lambda writing: staff.change(writing, "0" * 32, PersonChange(name="X"), by=BOSS))


def test_a_team_goes_when_its_work_has_gone(ground: Ground) -> None:
    """With something open in it a team stays unless another one gets it; its members are in it no more."""
    archive = ground.open()
    with archive.writing() as writing:
        rows.add_person(writing, Person(id=BOSS.person, name="Boss", role="admin"))
        old, new = teams.add(writing, "Old", by=BOSS), teams.add(writing, "New", by=BOSS)
        pat = person(writing, "Pat", team=(old.id, new.id))
        waiting = conversation(writing)
        set_team(writing, waiting, old.id)

    for to in (None, old.id, "0" * 32):
        with pytest.raises((Conflict, BadInput)):
            archive.write_now(lambda writing, to=to: teams.remove(writing, old.id, move_to=to, by=BOSS))
    moved = archive.write_now(lambda writing: teams.remove(writing, old.id, move_to=new.id, by=BOSS))

    with archive.reading() as reading:
        assert moved == 1
        assert list(load_teams(reading)) == [new.id]
        after = load_conversation(reading, waiting)
        assert after is not None
        assert after.value.team == new.id
        assert rows.load_people(reading)[pat].teams == (new.id,)
    assert acts(archive)[-1] == "team.removed"


def receive(archive: Archive, ground: Ground, *, due_in: timedelta) -> None:
    """A message that the window of the cache ends after a while."""
    at = ground.clock.now() - POLICY.cache.window + due_in
    body = body_of(text_value("Hello", wamid="wamid.OLD", sender="447700900123", at=at))
    with archive.writing() as writing:
        for part in parse(body, received_at=at):
            fold_part(writing, part)


def live(archive: Archive, ground: Ground, minutes: int, *, lease: str = "") -> int:
    """Let the hub be up for some minutes, with a device that renews its lease, if one is named; how many epochs were ended."""
    ended = 0
    for _ in range(2 * minutes):
        ground.clock.move(timedelta(seconds=30))
        with archive.writing() as writing:
            if lease:
                note_lease(writing, lease, until=writing.now + POLICY.cache.lease)
            ended += tend(writing, POLICY)
    return ended


def enrolled(archive: Archive, role: Role = "agent") -> str:
    with archive.writing() as writing:
        tend(writing, POLICY)
        machine = device(writing, person(writing, "Late", role))
        note_lease(writing, machine, until=writing.now + POLICY.cache.lease)
    return machine


def test_a_device_that_owes_a_receipt_too_long_loses_its_share(ground: Ground) -> None:
    """Ten counted minutes after something fell due its share is destroyed, once, on record; a new epoch is offered, to begin empty."""
    archive = ground.open()
    receive(archive, ground, due_in=timedelta(minutes=3))
    machine = enrolled(archive)

    in_time = live(archive, ground, 12, lease=machine)
    late = live(archive, ground, 3, lease=machine)
    again = live(ground.open(seed=2), ground, 3)

    assert (in_time, late, again) == (0, 1, 0)
    with archive.reading() as reading:
        found = rows.find_device(reading, machine)
        assert found is not None
        assert (found.epoch, found.is_overdue, last_overdue_epoch(reading, machine)) == (2, True, 1)
        assert find_share(reading, machine, 1) is None
        assert share_of(reading, found, POLICY).reset
        assert rows.count_overdue(reading) == 1
        assert [one.overdue for one in rows.list_devices(reading)] == [True]
    assert archive.shares.names("share/") == [share_name(machine, 2)]
    assert acts(archive).count("share.destroyed") == 1


def test_a_begun_epoch_is_owed_for_too(ground: Ground) -> None:
    """A device that went on to the next epoch and never said that it destroyed the last loses that one's share, and keeps the running."""
    archive = ground.open()
    machine = enrolled(archive)
    with archive.writing() as writing:
        begin_next_epoch(writing, machine, 1, POLICY, policy_version=1)

    ended = live(archive, ground, 15, lease=machine)

    assert ended == 1
    with archive.reading() as reading:
        found = rows.find_device(reading, machine)
        assert found is not None
        assert (found.epoch, find_share(reading, machine, 1), share_of(reading, found, POLICY).reset) == (2, None, False)
        assert find_share(reading, machine, 2) is not None


def test_nobody_pays_for_time_off_or_for_the_hub_being_down(ground: Ground) -> None:
    """A device without a lease, one whose hub was down meanwhile, one with nothing due and one that holds no content are never late."""
    archive = ground.open()
    receive(archive, ground, due_in=timedelta(minutes=1))
    away, auditor = enrolled(archive), enrolled(archive, "auditor")

    ended = live(archive, ground, 30, lease=auditor)  # the lease of `away` ends after five minutes
    for _ in range(6):
        ground.clock.move(timedelta(minutes=4))
        with archive.writing() as writing:
            note_lease(writing, away, until=writing.now + POLICY.cache.lease)
            ended += tend(writing, POLICY)
    quiet = enrolled(archive)
    ended += live(archive, ground, 15, lease=quiet)

    assert ended == 0
    with archive.reading() as reading:
        assert len(uptime(reading)) > 5
        assert rows.count_overdue(reading) == 0


def test_leases_that_follow_each_other_are_one(ground: Ground) -> None:
    """Renewals lengthen a lease; one taken after it ran out is another."""
    archive = ground.open()
    machine = enrolled(archive)
    live(archive, ground, 3, lease=machine)
    ground.clock.move(timedelta(hours=1))

    with archive.writing() as writing:
        note_lease(writing, machine, until=writing.now + POLICY.cache.lease)

    with archive.reading() as reading:
        assert [round((end - begin).total_seconds() / 60) for begin, end in leases(reading)[machine]] == [8, 5]


def test_what_has_run_out_is_forgotten(ground: Ground) -> None:
    """Tokens, used proofs and codes go when their time is over, without anybody asking for a new one."""
    archive = ground.open()
    machine = enrolled(archive)
    with archive.writing() as writing:
        soon = writing.now + timedelta(minutes=5)
        rows.add_token(writing, "token", machine, expires_at=soon)
        rows.use_assertion(writing, "proof", expires_at=soon)
        code = rows.add_code(writing, "c" * 32, "somebody", expires_at=soon, by="")
        assert [one.id for one in rows.living_codes(writing)] == [code]

    live(archive, ground, 7)

    with archive.reading() as reading:
        for table in (schema.token, schema.assertion, schema.enrolment_code):
            assert reading.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0


def test_a_code_is_withdrawn_by_its_id(ground: Ground) -> None:
    """A withdrawn code enrols nobody; the others still do, and an id that is none changes nothing."""
    archive = ground.open()
    with archive.writing() as writing:
        until = writing.now + timedelta(days=1)
        first, second = (rows.add_code(writing, letter * 32, letter, expires_at=until, by="boss") for letter in "ab")

    with archive.writing() as writing:
        gone = [rows.withdraw_code(writing, code) for code in (first, first, "", "zz", "0" * 32)]
        used = rows.use_code(writing, "a" * 32), rows.use_code(writing, "b" * 32)

    assert gone == ["a", None, None, None, None]
    assert used == (None, "b")
    assert first != second
