"""Erasing messages and people on both engines: nothing of them is left, nothing brings it back, and no crash leaves half of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.contract.archive.conftest import Ground
from tests.support.hub_folding import fold_bodies, fold_values
from tests.support.hub_served import status_value, text_value, value_of
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.auditlog import read_entries
from wabiz_tui.hub.archive.contacts import find_contact, load_contacts
from wabiz_tui.hub.archive.conversations import conversations_with, load_conversations
from wabiz_tui.hub.archive.erasure import erasing
from wabiz_tui.hub.archive.erasure.erasing import Erased, erase_contact, erase_messages, finish_erasures
from wabiz_tui.hub.archive.erasure.resealing import SEALED
from wabiz_tui.hub.archive.events import load_events
from wabiz_tui.hub.archive.files import keep_file, read_file, settle_media, unit_of_media
from wabiz_tui.hub.archive.messages import add_message, find_by_wamid, load_message, page_of_messages
from wabiz_tui.hub.archive.sealing import contact_unit, month_of, text_unit
from wabiz_tui.hub.archive.sends import ERASED, add_send, digest, find_send, settle_send
from wabiz_tui.hub.archive.store import Archive, Reading, Writing, changes_since, feed_head
from wabiz_tui.hub.archive.uploads import FileFacts, add_upload, find_upload, note_media_use
from wabiz_tui.hub.audit import Act
from wabiz_tui.model.content import Image, plain_text
from wabiz_tui.model.values import Direction, Message

ADA, BOB = "447700900123", "447700900124"
ACT = Act("message.erased", by="an-officer")


class Killed(BaseException):
    """The process ends here."""


def say(archive: Archive, text: str, *, sender: str = ADA, ago: timedelta = timedelta(minutes=1)) -> dict[str, Any]:
    return text_value(text, wamid=f"wamid.{text}", sender=sender, at=archive.clock.now() - ago)


def image(archive: Archive, name: str, *, sender: str = ADA) -> dict[str, Any]:
    at = int(archive.clock.now().timestamp())
    told = {"from": sender, "id": f"wamid.{name}", "timestamp": str(at), "type": "image", "image": {"id": name, "mime_type": "image/jpeg"}}
    return value_of(messages=[told], contacts=[{"profile": {"name": "Ada"}, "wa_id": sender}])


def found(archive: Archive, text: str) -> Message | None:
    def work(reading: Reading) -> Message | None:
        message = find_by_wamid(reading, f"wamid.{text}")
        return None if message is None else load_message(reading, message)

    return archive.read_now(work)


def need(archive: Archive, text: str) -> Message:
    message = found(archive, text)
    assert message is not None
    return message


def contact_of(archive: Archive, wa_id: str) -> str:
    contact = archive.read_now(lambda reading: find_contact(reading, Identity(wa_id=wa_id)))
    assert contact is not None
    return contact


def texts_of(archive: Archive, wa_id: str) -> list[str]:
    def work(reading: Reading) -> list[str]:
        contact = find_contact(reading, Identity(wa_id=wa_id))
        conversations = [] if contact is None else conversations_with(reading, [contact]).get(contact, [])
        return [plain_text(one.content) for each in conversations for one in page_of_messages(reading, each, before=None, limit=99)]

    return archive.read_now(work)


def erase(archive: Archive, *texts: str) -> Erased:
    ids = [need(archive, text).id for text in texts]
    return archive.write_now(lambda writing: erase_messages(writing, ids, ACT))


def rows_with(archive: Archive, *ids: str) -> list[str]:
    """The tables that still name one of these ids, but for the feed, which tells that it is gone, and the audit log."""
    with archive.reading() as reading:
        return [
            table.name
            for table in schema.metadata.sorted_tables
            if table.name not in ("change", "audit_entry")
            and any(one in repr(row) for row in reading.connection.execute(sa.select(table)) for one in ids)
        ]


def test_an_erased_message_is_gone_and_its_neighbours_stay(ground: Ground) -> None:
    """Row, statuses and preview go; the rest of the unit opens under a new key, the old key is nowhere, the feed tells a removal
    and the log who did it."""
    archive = ground.open()
    fold_values(archive, say(archive, "stays"), say(archive, "goes"), status_value("wamid.goes", "read", archive.clock.now()))
    message = need(archive, "goes")
    unit = text_unit(message.conversation, month_of(message.sent_at))
    old = archive.keys.find(unit)
    head = archive.read_now(feed_head)

    erased = erase(archive, "goes")

    assert (erased.messages, erased.resealed) == (1, 1)
    for hub in (archive, ground.open(seed=2)):
        assert found(hub, "goes") is None
        assert plain_text(need(hub, "stays").content) == "stays"
        assert len(hub.keys.find_all(unit)) == 1
        assert hub.keys.find(unit) != old
        stored = hub.read_now(lambda reading: load_conversations(reading, [message.conversation]))[message.conversation].value
        assert (stored.preview, stored.unread) == ("stays", 1)
        assert stored.window_until is not None
    assert rows_with(archive, message.id) == []
    told = archive.read_now(lambda reading: changes_since(reading, head, 99))
    assert ("message", message.id) in [(row.entity, row.id) for row in told]
    last = archive.read_now(lambda reading: read_entries(reading, 0, 99))[-1].record
    assert '"action":"message.erased"' in last
    assert "goes" not in last


def test_nothing_brings_an_erased_message_back(ground: Ground) -> None:
    """Redelivered, told by a late status, echoed, imported as history, or edited: it is not there; a new message is."""
    archive = ground.open()
    first = say(archive, "goes")
    fold_values(archive, say(archive, "stays"), first)
    erase(archive, "goes")
    at = int(archive.clock.now().timestamp())
    edit = {"from": ADA, "id": "wamid.edit", "timestamp": str(at), "type": "edit",
            "edit": {"original_message_id": "wamid.goes", "message": {"type": "text", "text": {"body": "goes on"}}}}  # fmt: skip
    echo = {"from": "15550783881", "to": ADA, "id": "wamid.goes", "timestamp": str(at), "type": "text", "text": {"body": "goes"}}
    thread = {"id": ADA, "messages": [{"from": ADA, "id": "wamid.goes", "timestamp": str(at), "type": "text", "text": {"body": "goes"}}]}
    history = {"history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 100}, "threads": [thread]}]}

    again = ground.open(seed=2)
    fold_values(again, first, status_value("wamid.goes", "read", again.clock.now()), value_of(messages=[edit]))
    fold_values(again, value_of(message_echoes=[echo]), field="smb_message_echoes")
    fold_values(again, value_of(**history), field="history")
    fold_values(again, say(again, "new"))

    assert sorted(texts_of(again, ADA)) == ["new", "stays"]
    with again.reading() as reading:
        for table in (schema.status, schema.awaited):
            assert reading.connection.execute(sa.select(table)).all() == []
        events = load_events(reading, [row.id for row in reading.connection.execute(sa.select(schema.event.c.id))])
        assert "goes" not in repr(events)


def test_edits_and_reactions_go_with_their_message(ground: Ground) -> None:
    """An edit holds the words anew, so it goes too; and an erased reaction is no longer shown on what it was about."""
    archive = ground.open()
    at = archive.clock.now()

    def about(kind: str, wamid: str, body: dict[str, Any]) -> dict[str, Any]:
        told = {"from": ADA, "id": wamid, "timestamp": str(int(at.timestamp())), "type": kind, kind: body}
        return value_of(messages=[told], contacts=[{"profile": {"name": "Ada"}, "wa_id": ADA}])

    fold_values(
        archive,
        say(archive, "goes"),
        say(archive, "stays"),
        about("edit", "wamid.e", {"original_message_id": "wamid.goes", "message": {"type": "text", "text": {"body": "goes on"}}}),
        about("reaction", "wamid.r", {"message_id": "wamid.stays", "emoji": "👍"}),
    )
    assert need(archive, "stays").reactions == {"customer": "👍"}

    assert erase(archive, "goes").messages == 2
    assert erase(archive, "r").messages == 1

    assert [found(archive, name) for name in ("goes", "e", "r")] == [None] * 3
    assert need(archive, "stays").reactions == {}


def test_an_erased_contact_leaves_nothing_and_may_write_again(ground: Ground) -> None:
    """Conversations, messages, aliases, events and quarantined bodies that name them are gone with their keys; another's stay. What
    they write afterwards is a new contact's; history from before does not come back."""
    archive = ground.open()
    event = {
        "user_preferences": [{"wa_id": ADA, "detail": "x", "category": "marketing_messages", "value": "stop", "timestamp": 1790000000}]
    }
    fold_values(archive, say(archive, "one"), say(archive, "two"), say(archive, "of bob", sender=BOB), image(archive, "picture"))
    fold_values(archive, value_of(**event), field="user_preferences")
    fold_bodies(archive, b'{"entry": [ "' + ADA.encode() + b'" ', b'{"entry": [ "' + BOB.encode() + b'" ')
    contact, conversation = contact_of(archive, ADA), need(archive, "one").conversation
    ids = [contact, conversation, *(need(archive, name).id for name in ("one", "two", "picture"))]
    with archive.reading() as reading:
        before = len(reading.connection.execute(sa.select(schema.quarantine)).all())

    erased = archive.write_now(lambda writing: erase_contact(writing, contact, Act("contact.erased", about=contact)))

    assert erased == Erased(messages=3, conversations=1, contacts=1, events=1, bodies=1, resealed=erased.resealed)
    assert rows_with(archive, *ids) == []
    assert archive.keys.names(f"unit/{conversation}/") == archive.keys.names(contact_unit(contact)) == []
    assert texts_of(archive, BOB) == ["of bob"]
    ground.clock.move(timedelta(minutes=5))
    thread = {"id": ADA, "messages": [{"from": ADA, "id": "wamid.old", "timestamp": "1790000000", "type": "text", "text": {"body": "old"}}]}
    history = {"history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 100}, "threads": [thread]}]}
    fold_values(archive, value_of(**history), field="history")
    fold_values(archive, value_of(**event), field="user_preferences")
    assert archive.read_now(lambda reading: find_contact(reading, Identity(wa_id=ADA))) is None
    fold_values(archive, say(archive, "hello again", ago=timedelta()))
    assert texts_of(archive, ADA) == ["hello again"]
    assert contact_of(archive, ADA) != contact
    with archive.reading() as reading:
        assert len(reading.connection.execute(sa.select(schema.quarantine)).all()) == before - 1


def test_files_of_an_erased_message_are_gone_and_others_open(ground: Ground) -> None:
    """The sealed file is unlinked; another of the same unit opens under the new key."""
    archive = ground.open()
    fold_values(archive, image(archive, "goes"), image(archive, "stays"))
    goes, stays = need(archive, "goes"), need(archive, "stays")
    for message in (goes, stays):
        unit = archive.read_now(lambda reading, one=message.id: unit_of_media(reading, one)) or ""
        keep_file(archive, message.id, unit, message.id.encode())
        archive.write_now(lambda writing, one=message.id: settle_media(writing, one, "stored", size=32))

    erase(archive, "goes")

    unit = archive.read_now(lambda reading: unit_of_media(reading, stays.id)) or ""
    assert read_file(archive, stays.id, unit) == stays.id.encode()
    assert [path.name for path in archive.place.media.rglob("*") if path.is_file()] == [stays.id]
    assert len(archive.keys.find_all(unit)) == 1


def test_a_send_that_was_erased_is_not_repeated_and_tells_nothing(ground: Ground) -> None:
    """Its row under the idempotency key stays, emptied, also when Meta's answer comes late; what was uploaded for it is gone."""
    archive = ground.open()
    fold_values(archive, say(archive, "stays"))

    def send(writing: Writing) -> str:
        message = Message(
            id=writing.new_id(),
            conversation=conversation,
            direction=Direction.OUTGOING,
            content=Image(id="9001", mime_type="image/jpeg"),
            sent_at=writing.now,
        )
        add_message(writing, message)
        facts = FileFacts("image/jpeg", 9, "00", "a name.jpg")
        add_upload(writing, "9001", caller="me", number="1", facts=facts)
        note_media_use(writing, "9001", message.id)
        add_send(writing, "me", "a key", digest(b"words"), message.id, has_to_wait=False)
        return message.id

    conversation = need(archive, "stays").conversation
    sent = archive.write_now(send)

    archive.write_now(lambda writing: erase_messages(writing, [sent], ACT))
    archive.write_now(lambda writing: settle_send(writing, sent, http_status=200, answer=b"447700900123"))

    with archive.reading() as reading:
        row = find_send(reading, "me", "a key")
        assert find_upload(reading, "9001") is None
    assert row is not None
    assert (row.body_hash, row.state, row.http_status) == (ERASED, "settled", 410)
    assert b"4477" not in (row.answer or b"")


def dies_before_content(archive: Archive, patch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise Killed

    patch.setattr(archive.shares, "commit", die)  # the last step before the content's own commit


def dies_after_content(_archive: Archive, patch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    patch.setattr(erasing, "_finish", die)


def dies_after_files(_archive: Archive, patch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> int:
        raise Killed

    patch.setattr(erasing, "remove_files", die)


@pytest.mark.parametrize("dies", [dies_before_content, dies_after_content, dies_after_files])
def test_an_erasure_cut_short_is_finished_at_the_next_start(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, dies: Callable[[Archive, pytest.MonkeyPatch], None]
) -> None:
    """Killed between the keys' commit and the content's, or after both: until the next start everything that stays can be read, and
    then it is as if nothing had happened, with one entry in the log."""
    archive = ground.open()
    fold_values(archive, say(archive, "stays"), say(archive, "goes"), say(archive, "of bob", sender=BOB))
    message, contact = need(archive, "goes"), contact_of(archive, BOB)
    unit = text_unit(message.conversation, month_of(message.sent_at))
    works: tuple[Callable[[Writing], Erased], ...] = (
        lambda writing: erase_messages(writing, [message.id], ACT),
        lambda writing: erase_contact(writing, contact, Act("contact.erased", about=contact)),
    )
    for work in works:
        with monkeypatch.context() as patch:
            dies(archive, patch)
            with pytest.raises(Killed):
                archive.write_now(work)
    again = ground.open(seed=2)
    assert plain_text(need(again, "stays").content) == "stays"

    assert finish_erasures(again) == 2

    assert plain_text(need(again, "stays").content) == "stays"
    assert (found(again, "goes"), found(again, "of bob")) == (None, None)
    assert rows_with(again, message.id, contact) == []
    assert (len(again.keys.find_all(unit)), again.keys.names(contact_unit(contact)), finish_erasures(again)) == (1, [], 0)
    records = [row.record for row in again.read_now(lambda reading: read_entries(reading, 0, 99))]
    assert [sum(f'"action":"{action}"' in record for record in records) for action in ("message.erased", "contact.erased")] == [1, 1]


def test_another_process_seals_nothing_under_a_destroyed_key(ground: Ground) -> None:
    """A hub that has a unit's key in memory reads and writes on after another hub erased from that unit."""
    first, second = ground.open(), ground.open(seed=2)
    fold_values(first, say(first, "stays"), say(first, "goes"))
    assert plain_text(need(second, "stays").content) == "stays"

    erase(first, "goes")

    assert plain_text(need(second, "stays").content) == "stays"
    fold_values(second, say(second, "later"))
    third = ground.open(seed=3)
    assert sorted(texts_of(third, ADA)) == ["later", "stays"]


def test_every_sealed_table_is_known_to_erasure() -> None:
    """A table whose sealed values an erasure would not seal anew could become unreadable: each is named, or sealed by contact, or
    the business's own and under keys that no erasure renews."""
    sealed = {table.name for table in schema.metadata.sorted_tables if "sealed" in table.c}

    assert sealed - {one.table.name for one in SEALED} <= {"contact", "canned", "macro"}


def test_erasing_what_is_not_there_does_nothing(ground: Ground) -> None:
    """Unknown ids leave no entry, no tombstone and no change."""
    archive = ground.open()

    assert archive.write_now(lambda writing: erase_messages(writing, ["nothing"], ACT)) == Erased()
    assert archive.write_now(lambda writing: erase_contact(writing, "nobody", ACT)) == Erased()

    assert archive.keys.note_names("") == []
    assert archive.read_now(lambda reading: (feed_head(reading), load_contacts(reading, ["nobody"]))) == (0, {})
