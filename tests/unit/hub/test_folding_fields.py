"""What the fields beside `messages` do to the archive: history's files, calls, wishes and merges that only a person decides on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_archive import HandClock, open_archive
from tests.support.hub_served import body_of, text_value, value_of
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.archive.contacts import find_contact, load_contacts
from wabiz_tui.hub.archive.conversations import conversations_with, load_conversations
from wabiz_tui.hub.archive.events import load_events
from wabiz_tui.hub.archive.files import due_media
from wabiz_tui.hub.archive.messages import find_by_wamid, load_message
from wabiz_tui.hub.archive.store import Archive, Reading, changes_since
from wabiz_tui.hub.ingest.folding import fold_part
from wabiz_tui.model.content import Media
from wabiz_tui.model.values import Conversation

WHO = "447700900123"


def tell(archive: Archive, clock: HandClock, *bodies: bytes) -> None:
    for raw in bodies:
        for part in parse(raw, received_at=clock.now()):
            archive.write_now(lambda writing, part=part: fold_part(writing, part))


def historic(clock: HandClock, *, is_file: bool) -> bytes:
    told: dict[str, Any] = {"from": WHO, "id": "wamid.M", "timestamp": str(int(clock.now().timestamp()) - 86_400)}
    if is_file:
        file = {"id": "77", "mime_type": "image/jpeg", "sha256": "x"}
        return body_of(value_of(messages=[{**told, "type": "image", "image": file}]), field="history")
    message = {**told, "type": "media_placeholder", "history_context": {"status": "READ"}}
    return body_of(value_of(history=[{"metadata": {"phase": 0}, "threads": [{"id": WHO, "messages": [message]}]}]), field="history")


@pytest.mark.parametrize("order", [[False, True], [True, False], [False, True, True, False], [False, False, True]])
def test_a_file_of_a_history_takes_its_placeholders_place(tmp_path: Path, order: list[bool]) -> None:
    """Whichever comes first and however often, there is one message, it is the file, and it is fetched once."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    tell(archive, clock, *(historic(clock, is_file=is_file) for is_file in order))

    message = archive.read_now(lambda reading: load_message(reading, find_by_wamid(reading, "wamid.M") or ""))
    due = archive.read_now(due_media)
    archive.close()
    assert message is not None
    assert isinstance(message.content, Media)
    assert message.content.id == "77"
    assert [one.message for one in due] == [message.id]


def conversation_with(archive: Archive) -> Conversation | None:
    def work(reading: Reading) -> Conversation | None:
        contact = find_contact(reading, Identity(wa_id=WHO)) or ""
        found = load_conversations(reading, conversations_with(reading, [contact]).get(contact, []))
        return next((one.value for one in found.values()), None)

    return archive.read_now(work)


def test_a_customers_call_opens_the_window(tmp_path: Path) -> None:
    """Twice told, answered or not, and with older texts after it: 24 hours from the call; nothing is unread for it."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    call = {"id": "wacid.1", "from": WHO, "event": "connect", "timestamp": str(int(clock.now().timestamp())), "direction": "USER_INITIATED"}
    raw = body_of(value_of(calls=[call]), field="calls")
    tell(archive, clock, raw, raw)
    first = conversation_with(archive)
    tell(archive, clock, body_of(text_value("before", wamid="wamid.1", sender=WHO, at=clock.now() - timedelta(hours=2))), raw)

    second = conversation_with(archive)
    archive.close()
    assert first is not None
    assert second is not None
    assert first.window_until == second.window_until == clock.now() + timedelta(hours=24)
    assert (first.unread, second.unread, first.id) == (0, 1, second.id)


@pytest.mark.parametrize(("status", "is_open"), [("RINGING", False), ("REJECTED", False), ("ACCEPTED", True)])
def test_a_call_of_ours_opens_the_window_once_accepted(tmp_path: Path, status: str, is_open: bool) -> None:
    """A business call that the customer does not take changes nothing."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    told = {"id": "wacid.1", "type": "call", "status": status, "timestamp": str(int(clock.now().timestamp())), "recipient_id": WHO}
    tell(archive, clock, body_of(value_of(statuses=[told]), field="calls"))

    found = conversation_with(archive)
    archive.close()
    assert (found is not None and found.window_until is not None) == is_open


def test_wishes_of_several_people_are_each_ones_own(tmp_path: Path) -> None:
    """One webhook with the wishes of two, one of them known by user id alone and neither seen before."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    base = {"category": "marketing_messages", "detail": "", "timestamp": int(clock.now().timestamp())}
    wishes = [{**base, "wa_id": WHO, "value": "stop"}, {**base, "user_id": "GB.7", "value": "resume"}, {**base, "value": "stop"}]
    tell(archive, clock, body_of(value_of(user_preferences=wishes), field="user_preferences"))

    def work(reading: Reading) -> list[bool]:
        people = [find_contact(reading, one) or "" for one in (Identity(wa_id=WHO), Identity(user_id="GB.7"))]
        stored = load_contacts(reading, people)
        return [stored[one].record.marketing_opt_out for one in people]

    told = archive.read_now(work)
    archive.close()
    assert told == [True, False]


def test_a_merge_with_an_old_history_is_proposed(tmp_path: Path) -> None:
    """Half a year of silence behind a bare number: the two stay apart, and one event says so to people."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    old = clock.now() - timedelta(days=400)
    tell(archive, clock, body_of(text_value("old", wamid="wamid.1", sender=WHO, at=old)))
    stamp = str(int(clock.now().timestamp()))
    hidden = {"from_user_id": "GB.1", "id": "wamid.2", "timestamp": stamp, "type": "text", "text": {"body": "new"}}
    shown = {**hidden, "id": "wamid.3", "from": WHO}
    for message in (hidden, shown, shown):
        tell(archive, clock, body_of(value_of(messages=[message])))

    def work(reading: Reading) -> tuple[int, list[str]]:
        rows = changes_since(reading, 0, 1000)
        events = load_events(reading, [row.id for row in rows if row.entity == "event"])
        messages = [load_message(reading, find_by_wamid(reading, wamid) or "") for wamid in ("wamid.1", "wamid.2", "wamid.3")]
        return len({one.conversation for one in messages if one is not None}), [event.summary for event in events.values()]

    found = archive.read_now(work)
    archive.close()
    assert found == (2, ["two contacts may be the same person"])
