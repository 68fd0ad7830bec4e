"""What a soak asked and what of it was acknowledged, and how the archive differs from that."""

from __future__ import annotations

import asyncio
import collections
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wabiz_tui.graph.parsed import StatusUpdate
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.app import join
from wabiz_tui.hub.archive.messages import find_by_wamid, load_messages
from wabiz_tui.hub.archive.statuses import is_known_status
from wabiz_tui.hub.archive.store import Reading, changes_since, feed_head
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import load_settings
from wabiz_tui.hub.parts import Hub
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.values import Direction, Message


class Ledger:
    """What was asked, and what of it was acknowledged."""

    def __init__(self) -> None:
        self.posted: set[int] = set()
        self.acknowledged: set[int] = set()
        self.repeated = 0
        self.answers: dict[str, tuple[int, Any]] = {}
        """Idempotency key → the last answer it got."""
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.acts: collections.Counter[str] = collections.Counter()


def differences(home: Path, ledger: Ledger, secrets: dict[str, str], bodies: list[bytes], sent: list[dict[str, Any]]) -> list[str]:
    """Every difference between the ledger and the archive of the hub in `home`, which is ended, in words. `sent` is what Meta accepted."""
    settings = load_settings(home / "hub.toml")
    hub = join(settings, load_secrets(settings.secret_places, secrets), clock=SystemClock(), random_bytes=os.urandom)
    try:
        asyncio.run(_fold_the_rest(hub))
        return hub.archive.read_now(lambda reading: _differences(reading, ledger, bodies, sent))
    finally:
        asyncio.run(_close(hub))


async def _fold_the_rest(hub: Hub) -> None:
    """What was acknowledged and not yet folded is in the journal, and safe there."""
    while await hub.intake.fold_once():
        pass


async def _close(hub: Hub) -> None:
    hub.journal.stop()
    hub.archive.close()
    await hub.transport.close()


def _differences(reading: Reading, ledger: Ledger, bodies: list[bytes], sent: list[dict[str, Any]]) -> list[str]:
    wrong: list[str] = []
    messages = _all_messages(reading)
    wamids = collections.Counter(message.wamid for message in messages if message.wamid)
    wrong += [f"archived {count} times: {wamid}" for wamid, count in wamids.items() if count > 1]
    posted: set[str] = set()
    for index, body in enumerate(bodies):
        for part in parse(body, received_at=SystemClock().now()):
            wamid = getattr(part, "wamid", None)
            if wamid is None:
                continue
            if isinstance(part, StatusUpdate):
                if index in ledger.acknowledged and not is_known_status(reading, part):
                    wrong.append(f"acknowledged status is not there: {wamid} {part.state}")
                continue
            if index in ledger.posted:
                posted.add(wamid)
            if index in ledger.acknowledged and find_by_wamid(reading, wamid) is None:
                wrong.append(f"acknowledged message is not there: {wamid}")
    wrong += _wrong_sends(messages, ledger, sent)
    accepted = {str(record["wamid"]) for record in sent}
    strangers = [wamid for wamid in wamids if wamid not in posted and wamid not in accepted and not _is_hello(messages, wamid)]
    wrong += [f"nobody posted this: {wamid}" for wamid in strangers]
    return wrong


def _is_hello(messages: list[Message], wamid: str) -> bool:
    return any(message.wamid == wamid and message.direction is Direction.INCOMING for message in messages)


def _wrong_sends(messages: list[Message], ledger: Ledger, sent: list[dict[str, Any]]) -> Iterator[str]:
    """Each key left at most once, each accepted send is archived with its wamid, and what was answered is what is archived."""
    ours = {message.key: message for message in messages if message.key}
    texts = collections.Counter(str(record["text"]) for record in sent)
    yield from (f"sent {count} times: {text}" for text, count in texts.items() if count > 1)
    by_wamid = {message.wamid: message for message in messages if message.wamid}
    for record in sent:
        message = by_wamid.get(record["wamid"])
        if message is None:
            yield f"accepted by Meta, but not archived under its wamid: {record['wamid']}"
        elif message.delivery is None or message.delivery.state.value not in ("accepted", "sent", "delivered", "read"):
            yield f"accepted by Meta, but archived as {message.delivery and message.delivery.state.value}: {record['wamid']}"
    for key, (status, answer) in ledger.answers.items():
        message = ours.get(key)
        if message is None and status == 200:
            yield f"answered, but not archived: {key}"
        elif message is not None and status == 200 and answer["messages"][0]["id"] != message.wamid:
            yield f"answered with another wamid than the archived: {key}"
    if len(ours) != len([message for message in messages if message.key]):
        yield "two messages under one key"


def _all_messages(reading: Reading) -> list[Message]:
    found: list[Message] = []
    since, head = 0, feed_head(reading)
    while since < head:
        rows = changes_since(reading, since, 2000)
        since = rows[-1].seq if rows else head
        found += load_messages(reading, [row.id for row in rows if row.entity == "message"]).values()
    return found
