"""Folding on both engines: the same archive however a journal is cut, of any month, and through a whole hub."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.archive.conftest import ENGINES, Ground
from tests.support.hub_dump import dump, webhooks
from tests.support.hub_served import body_of, served_hub, status_value, text_value, value_of
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.archive.journal import JournalEntry
from wabiz_tui.hub.archive.messages import load_messages, page_of_messages
from wabiz_tui.hub.archive.store import Archive, Reading, Writing, changes_since
from wabiz_tui.hub.ingest.batches import fold_batch
from wabiz_tui.hub.ingest.folding import fold_part
from wabiz_tui.hub.ingest.intake import parse_all
from wabiz_tui.model.values import Message

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RECEIVED_MS = int(NOW.timestamp() * 1000)


def fold(archive: Archive, bodies: Sequence[bytes], size: int) -> list[tuple[int, str]]:
    lots = parse_all([JournalEntry(number, raw, RECEIVED_MS) for number, raw in enumerate(bodies, 1)])
    batches = [lots[start : start + size] for start in range(0, len(lots), size)]
    return [one for batch in batches for one in archive.write_now(lambda writing, batch=batch: fold_batch(writing, batch))]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(journal=st.lists(webhooks(), min_size=15, max_size=60), size=st.integers(1, 30))
def test_both_engines_hold_the_same(new_ground: Callable[[str], Ground], journal: list[bytes], size: int) -> None:
    """One journal makes the same archive on either engine, in one batch or in any."""
    dumps: list[dict[str, list[str]]] = []
    for engine in ENGINES:
        archive = new_ground(engine).open()
        fold(archive, journal, size if engine == "postgresql" else len(journal))
        dumps.append(dump(archive))

    assert dumps[0] == dumps[1]


def messages_of(reading: Reading) -> list[Message]:
    ids = [row.id for row in changes_since(reading, 0, 1000) if row.entity == "message"]
    return sorted(load_messages(reading, ids).values(), key=lambda message: message.sent_at)


def test_history_of_any_month_is_taken(ground: Ground) -> None:
    """Messages of three years, newest first and one batch after another, are all there and page in the order of their times."""
    archive = ground.open()
    times = [NOW - timedelta(days=31 * place) for place in range(36)]
    bodies = [body_of(text_value(f"{at:%Y-%m}", wamid=f"wamid.{at:%Y%m}", sender="447700900001", at=at)) for at in times]

    bad = fold(archive, bodies, 5)

    messages = archive.read_now(messages_of)
    page = archive.read_now(lambda reading: page_of_messages(reading, messages[0].conversation, before=None, limit=50))
    assert bad == []
    assert [message.sent_at for message in messages] == times[::-1]
    assert page == messages


def test_months_may_begin_within_a_transaction(ground: Ground) -> None:
    """A transaction that wrote messages of one month goes on with another that was never seen."""
    archive = ground.open()

    def work(writing: Writing) -> None:
        for month in ("2019-03", "2019-04", "2019-05"):
            at = datetime.fromisoformat(f"{month}-01T12:00:00+00:00")
            body = body_of(text_value(month, wamid=f"wamid.{month}", sender="447700900001", at=at))
            for part in parse(body, received_at=NOW):
                fold_part(writing, part)
            writing.connection.execute(sa.text("SELECT count(*) FROM message"))  # has what is on the shelves written

    archive.write_now(work)

    assert [f"{message.sent_at:%Y-%m}" for message in archive.read_now(messages_of)] == ["2019-03", "2019-04", "2019-05"]


def test_a_webhook_no_database_takes_stops_no_other(ground: Ground) -> None:
    """A name longer than its column and a zero byte inside one are folded or put aside; what is beside them in the batch is archived."""
    archive = ground.open()

    def text(wamid: str, **metadata: str) -> bytes:
        value = text_value(wamid, wamid=wamid, sender="447700900001", at=NOW)
        return body_of({**value, "metadata": {**value["metadata"], **metadata}})

    bodies = [text("wamid.1"), text("wamid.long", phone_number_id="9" * 300), text("wamid.zero", phone_number_id="1\0"), text("wamid.2")]

    bad = {number for number, _ in fold(archive, bodies, 10)}

    taken = {message.wamid for message in archive.read_now(messages_of)}
    assert taken >= {"wamid.1", "wamid.2"}
    assert len(taken) + len(bad) == 4


async def test_a_hub_serves_it(ground: Ground, tmp_path: Path) -> None:
    """Set up, enrolled, a customer's message with its ticks and an answer through the gateway: seen by an agent, on either engine."""
    async with served_hub(tmp_path / "home", archive=ground.hub_address, waba_id="77") as served:
        agent = await served.person(await served.admin(), "Agent", "agent")
        at = served.clock.now()
        await served.incoming("Hello there", at=at)
        echo: dict[str, Any] = {"from": "1", "to": "447700900123", "id": "wamid.E", "timestamp": str(int(at.timestamp())), "type": "text"}
        await served.webhook(value_of(message_echoes=[{**echo, "text": {"body": "from the phone"}}]), field="smb_message_echoes")
        await served.webhook(status_value("wamid.E", "read", at))
        sent = await agent.send({"messaging_product": "whatsapp", "to": "447700900123", "type": "text", "text": {"body": "our answer"}})

        messages = {message["content"]["body"]: message for message in (await agent.seen("message")).values()}
        [conversation] = (await agent.seen("conversation")).values()

        assert sent.status_code == 200, sent.text
        assert set(messages) == {"Hello there", "from the phone", "our answer"}
        assert messages["from the phone"]["delivery"]["state"] == "read"
        assert messages["our answer"]["wamid"] == "wamid.SENT1"
        assert conversation["unread"] == 1
