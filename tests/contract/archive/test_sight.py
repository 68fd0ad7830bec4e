"""What comes into somebody's sight and what leaves it, as the feed of each engine tells it."""

from datetime import timedelta

import msgspec

from tests.contract.archive.conftest import Ground
from tests.support.desk_samples import ident
from tests.support.hub_served import body_of, text_value
from wabiz_tui.hub.archive.conversations import note_message, set_assignee, set_status
from wabiz_tui.hub.archive.journal import JournalEntry
from wabiz_tui.hub.archive.people import add_person
from wabiz_tui.hub.archive.sight import note_person_changed
from wabiz_tui.hub.archive.store import Archive, changes_since, feed_head
from wabiz_tui.hub.ingest.batches import fold_batch
from wabiz_tui.hub.ingest.folding import reopen
from wabiz_tui.hub.ingest.intake import parse_all
from wabiz_tui.model.content import Text
from wabiz_tui.model.values import Direction, Message, Person

SAM, KIM = Person("sam", "Sam", "agent"), Person("kim", "Kim", "agent")


def told(archive: Archive, since: int) -> list[str]:
    return sorted({row.entity for row in archive.read_now(lambda reading: changes_since(reading, since, 1000))})


def head(archive: Archive) -> int:
    return archive.read_now(feed_head)


def with_one_message(ground: Ground, *, age: timedelta = timedelta(0)) -> tuple[Archive, str]:
    """An archive with two agents and one message; its conversation."""
    archive = ground.open()
    raw = body_of(text_value("Hello", wamid="wamid.A", sender="447700900123", at=ground.clock.now() - age))
    [lot] = parse_all([JournalEntry(1, raw, int(ground.clock.now().timestamp() * 1000))])
    with archive.writing() as writing:
        for person in (SAM, KIM):
            add_person(writing, person)
        fold_batch(writing, [lot])
    [row] = [row for row in archive.read_now(lambda reading: changes_since(reading, 0, 100)) if row.entity == "conversation"]
    return archive, row.id


def test_what_is_taken_goes_and_what_is_let_go_comes_with_all_of_it(ground: Ground) -> None:
    """Taking tells only that conversation and contact changed; letting go tells the messages a cache may hold anew."""
    archive, conversation = with_one_message(ground)
    before = head(archive)
    with archive.writing() as writing:
        set_assignee(writing, conversation, SAM.id)
    taken, before = told(archive, before), head(archive)
    with archive.writing() as writing:
        set_assignee(writing, conversation, None)

    assert taken == ["contact", "conversation"]
    assert told(archive, before) == ["contact", "conversation", "message"]


def test_what_no_cache_may_hold_is_not_told_anew(ground: Ground) -> None:
    """Messages older than the cache window stay where they are when their conversation comes into sight."""
    archive, conversation = with_one_message(ground, age=timedelta(days=30))
    with archive.writing() as writing:
        set_assignee(writing, conversation, SAM.id)
    before = head(archive)
    with archive.writing() as writing:
        set_assignee(writing, conversation, None)

    assert told(archive, before) == ["contact", "conversation"]


def test_a_new_episode_is_everybodys(ground: Ground) -> None:
    """A resolved conversation that was one agent's comes into the others' sight, messages too, when it is opened again."""
    archive, conversation = with_one_message(ground)
    with archive.writing() as writing:
        set_assignee(writing, conversation, SAM.id)
        set_status(writing, conversation, "resolved")
    before = head(archive)
    with archive.writing() as writing:
        set_status(writing, conversation, "open")

    assert told(archive, before) == ["contact", "conversation", "message"]


def test_another_role_brings_and_takes_what_it_may_see(ground: Ground) -> None:
    """An agent made supervisor is told what others have; made an agent again, that it is gone, and no message is read for that."""
    archive, conversation = with_one_message(ground)
    with archive.writing() as writing:
        set_assignee(writing, conversation, SAM.id)
    lead = msgspec.structs.replace(KIM, role="supervisor")
    before = head(archive)
    with archive.writing() as writing:
        note_person_changed(writing, KIM, lead)
    raised, before = told(archive, before), head(archive)
    with archive.writing() as writing:
        note_person_changed(writing, lead, KIM)

    assert {"contact", "conversation", "message", "person"} <= set(raised)
    assert "message" not in told(archive, before)
    assert {"contact", "conversation", "person"} <= set(told(archive, before))


def test_what_goes_on_after_it_was_resolved_comes_with_its_contact(ground: Ground) -> None:
    """Machines let go of a resolved conversation with its contact: opened again by us, opened again by the customer, or going on without
    that by what was sent from the phone, it is told with its contact although it never left anybody's sight."""
    archive, conversation = with_one_message(ground)
    tellings: list[list[str]] = []
    for go_on in ("we", "customer", "phone"):
        with archive.writing() as writing:
            set_status(writing, conversation, "resolved")
        before = head(archive)
        with archive.writing() as writing:
            if go_on == "we":
                set_status(writing, conversation, "open")
            elif go_on == "customer":
                reopen(writing, conversation)
            else:
                note_message(writing, sent_from_the_phone(ground, conversation))
        tellings.append(told(archive, before))

    assert all({"contact", "conversation"} <= set(telling) for telling in tellings)


def sent_from_the_phone(ground: Ground, conversation: str) -> Message:
    return Message(ident(1), conversation, Direction.OUTGOING, Text("Bye"), ground.clock.now(), origin="phone_app")
