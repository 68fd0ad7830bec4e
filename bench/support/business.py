"""A machine with many conversations in its cache, filled the true way: signed webhooks, hub, feed, desk."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.feed_sync import fill
from bench.support.hubs import enrol, hub_process, person_code
from wabiz_tui.cli.demo.stage import NUMBER_ID, WABA_ID, Seat, Stage
from wabiz_tui.hub.archive.store import Archive

BATCH = 500
WORDS = ("the", "order", "has", "not", "arrived", "yet", "can", "you", "tell", "me", "when", "it", "will", "be", "here", "please")


def webhook(first: int, count: int, now: float) -> bytes:
    """`count` customers from number `first` on, each writing one text, as one webhook."""
    people = range(first, first + count)
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER_ID},
        "contacts": [{"profile": {"name": f"Customer {n:05d}"}, "wa_id": f"4915{n:08d}"} for n in people],
        "messages": [
            {
                "from": f"4915{n:08d}",
                "id": f"wamid.BENCH{n:08d}",
                "timestamp": str(int(now - n * 11)),
                "type": "text",
                "text": {"body": " ".join(WORDS[(n + k) % len(WORDS)] for k in range(5 + n % 9))},
            }
            for n in people
        ],
    }
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": WABA_ID, "changes": [{"field": "messages", "value": value}]}]}
    ).encode()


@contextmanager
def filled(conversations: int) -> Iterator[tuple[Stage, Seat]]:
    """A stage and an agent's machine whose cache holds that many conversations."""
    with Stage(keep=False, seed=1, scenario=None) as stage:
        admin = stage.seat("admin", stage.admin_code)
        agent = stage.person(admin, "Robin", "agent")
        secret = stage.app_secret.reveal()
        started, now = time.monotonic(), time.time()
        for first in range(0, conversations, BATCH):
            body = webhook(first, min(BATCH, conversations - first), now)
            signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
            request = urllib.request.Request(
                f"{stage.hub.url}/webhooks/whatsapp", data=body, headers={"X-Hub-Signature-256": f"sha256={signature}"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 200
        held = 0
        while held < conversations:
            agent.run("sync")
            held = int(agent.records("status")[0]["conversations"])
        print(f"# {held} conversations through webhook, hub, feed and desk in {time.monotonic() - started:.0f} s", file=sys.stderr)
        yield stage, agent


def _fill(archive: Archive, messages: int) -> None:
    fill(archive, messages)


@contextmanager
def holding(messages: int, folder: Path) -> Iterator[Seat]:
    """An agent's machine whose cache holds that many messages, fifty a conversation, synced from a hub that goes on serving."""
    folder.mkdir()
    with (
        hub_process(folder, fill=lambda archive: _fill(archive, messages), most_messages=2 * messages) as hub,
        httpx.Client(timeout=60, trust_env=False) as http,
    ):
        seat = Seat("Robin", folder / "agent")
        code = person_code(http, hub, enrol(http, hub, hub.code), "Robin", "agent")
        seat.run("enroll", hub.url, code, "--name", "bench")
        try:
            started = time.monotonic()
            while (held := int(seat.records("status")[0]["messages"])) < messages:
                seat.run("sync")
            print(f"# {held} messages synced in {time.monotonic() - started:.0f} s", file=sys.stderr)
            yield seat
        finally:
            seat.run("wipe", "--yes", check=False)


@contextmanager
def passphrase_pipe(seat: Seat) -> Iterator[int]:
    """A descriptor from which a child reads the seat's passphrase."""
    reading, writing = os.pipe()
    os.write(writing, seat.passphrase().encode() + b"\n")
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)
