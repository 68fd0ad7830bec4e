"""Whose a message is around a number change: by its own time, never by when it came."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_archive import HandClock, open_archive
from tests.support.hub_served import body_of, status_value, value_of
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.archive.conversations import conversations_with, load_conversations
from wabiz_tui.hub.archive.messages import find_by_wamid, load_message
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.ingest.folding import fold_part

FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "meta-webhooks"
NAMES = [
    "order-message",
    "system-message",
    "text-message-from-click-to-whatsapp-ad",
    "contact-sharing-message",
    "interactive-list-reply-message",
    "unsupported-message",
]
AT = datetime(2026, 11, 22, 11, tzinfo=UTC)
OLD, NEW = "16505551234", "12195555358"


def text(wamid: str, minute: int, sender: str = OLD) -> dict[str, Any]:
    stamp = str(int((AT + timedelta(minutes=minute)).timestamp()))
    told = {"from": sender, "id": wamid, "timestamp": stamp, "type": "text", "text": {"body": wamid}}
    return value_of(messages=[told], contacts=[{"profile": {"name": "Ada"}, "wa_id": sender}])


def change(wamid: str, minute: int) -> dict[str, Any]:
    stamp = str(int((AT + timedelta(minutes=minute)).timestamp()))
    system = {"type": "user_changed_number", "body": f"User Ada changed from {OLD} to {NEW}", "wa_id": NEW}
    return value_of(messages=[{"from": OLD, "id": wamid, "timestamp": stamp, "type": "system", "system": system}])


def fold_all(archive: Archive, bodies: list[bytes]) -> None:
    for raw in bodies:
        for part in parse(raw, received_at=AT):
            archive.write_now(lambda writing, part=part: fold_part(writing, part))


def groups(archive: Archive, wamids: list[str]) -> set[frozenset[str]]:
    """The wamids by conversation."""

    def work(reading: Reading) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for wamid in wamids:
            message = load_message(reading, find_by_wamid(reading, wamid) or "")
            assert message is not None, wamid
            found.setdefault(message.conversation, set()).add(wamid)
        return found

    return {frozenset(several) for several in archive.read_now(work).values()}


@pytest.mark.shared
@pytest.mark.skipif(not FIXTURES.is_dir() and not os.environ.get("CI"), reason="Meta's fixtures do not stand beside this checkout")
def test_metas_examples_are_grouped_alike_in_any_order(tmp_path: Path) -> None:
    """What is dated before the change is its person's; the text from the old number after it is somebody else's."""
    bodies = {name: (FIXTURES / f"{name}.json").read_bytes() for name in NAMES}
    wamids = {name: json.loads(raw)["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for name, raw in bodies.items()}
    later = wamids["text-message-from-click-to-whatsapp-ad"]
    for seed in range(16):
        order = list(bodies.values()) * 2
        random.Random(seed).shuffle(order)
        home = tmp_path / str(seed)
        home.mkdir()
        archive = open_archive(home, seed=seed)
        fold_all(archive, order)

        assert groups(archive, list(wamids.values())) == {frozenset(set(wamids.values()) - {later}), frozenset({later})}, seed
        archive.close()


def test_conversations_around_a_change_stand_as_if_it_was_told_in_time(tmp_path: Path) -> None:
    """Both people's conversations have the same messages, unread, clock and window in every order, repeats and ticks among them."""
    told = [
        body_of(text("wamid.1", 0)),
        body_of(text("wamid.2", 5)),
        body_of(change("wamid.S", 10)),
        body_of(text("wamid.3", 20)),
        body_of(text("wamid.4", 25)),
        body_of(text("wamid.5", 30, NEW)),
        body_of(status_value("wamid.4", "read", AT + timedelta(minutes=26))),
    ]
    seen: set[tuple[Any, ...]] = set()
    for seed in range(12):
        order = told * 2
        random.Random(seed).shuffle(order)
        home = tmp_path / str(seed)
        home.mkdir()
        archive = open_archive(home, seed=seed, clock=HandClock(AT + timedelta(hours=1)))
        fold_all(archive, order)

        parts = groups(archive, ["wamid.1", "wamid.2", "wamid.S", "wamid.3", "wamid.4", "wamid.5"])
        assert parts == {frozenset({"wamid.1", "wamid.2", "wamid.S", "wamid.5"}), frozenset({"wamid.3", "wamid.4"})}, seed
        seen.add(archive.read_now(states))
        archive.close()

    assert len(seen) == 1, seen


def states(reading: Reading) -> tuple[Any, ...]:
    contacts = {
        message.conversation for wamid in ("wamid.1", "wamid.3") if (message := load_message(reading, find_by_wamid(reading, wamid) or ""))
    }
    loaded = load_conversations(reading, contacts)
    assert sum(len(several) for several in conversations_with(reading, {one.value.contact for one in loaded.values()}).values()) == 2
    values = sorted((one.value for one in loaded.values()), key=lambda one: str(one.last_at))
    return tuple(
        (one.unread, one.last_at, one.window_until, one.preview, one.waiting_since, found.phone if found else "")
        for one in values
        for found in [loaded[one.id].contact]
    )
