"""What comes from the phone app beside the hub, its history and its echoes: kept, and nothing more."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_archive import HandClock, open_archive
from tests.support.hub_served import body_of, text_value, value_of
from tests.unit.hub.test_folding_fields import WHO, conversation_with, tell
from wabiz_tui.hub.archive.messages import find_by_wamid


def historic(clock: HandClock) -> bytes:
    """Something the customer wrote two hours ago, as coexistence tells it."""
    stamp = str(int((clock.now() - timedelta(hours=2)).timestamp()))
    message: dict[str, Any] = {"from": WHO, "id": "wamid.H", "timestamp": stamp, "type": "text", "text": {"body": "earlier"}}
    thread = {"id": WHO, "messages": [{**message, "history_context": {"status": "READ"}}]}
    return body_of(value_of(history=[{"metadata": {"phase": 0, "chunk_order": 1, "progress": 100}, "threads": [thread]}]), field="history")


def echoed(clock: HandClock) -> bytes:
    stamp = str(int(clock.now().timestamp()))
    echo = {"from": "15550783881", "to": WHO, "id": "wamid.E", "timestamp": stamp, "type": "text", "text": {"body": "from the phone"}}
    return body_of(value_of(message_echoes=[echo]), field="smb_message_echoes")


@pytest.mark.parametrize("order", [(historic, echoed), (echoed, historic), (historic,), (echoed,)])
def test_history_and_echoes_raise_no_unread_and_open_no_window(tmp_path: Path, order: tuple[Any, ...]) -> None:
    """Though the customer wrote within the last day: only what comes live counts, and it counts alone."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    tell(archive, clock, *(make(clock) for make in order))
    before = conversation_with(archive)
    kept = [archive.read_now(lambda reading, one=wamid: find_by_wamid(reading, one)) for wamid in ("wamid.H", "wamid.E")]
    tell(archive, clock, body_of(text_value("now", wamid="wamid.L", sender=WHO, at=clock.now())))
    after = conversation_with(archive)
    archive.close()

    assert [one is not None for one in kept] == [historic in order, echoed in order]
    assert before is not None
    assert (before.unread, before.window_until) == (0, None)
    assert after is not None
    assert (after.unread, after.window_until) == (1, clock.now() + timedelta(hours=24))
