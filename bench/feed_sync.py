"""First sync of a big inbox, hub and desk together, against plain SQLite that loads the same rows with full text.

The desk runs in a process of its own, so that its memory can be told from this one's; both memories are above what the process
had when it was idle. Where other work shares the machine, the ratio by CPU is the one to read: hub and desk work at the same
time, so the busier of them counts. The peer has the rows in memory already: nothing is fetched, unsealed, masked or decoded for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.support.desks import joined
from bench.support.hubs import Device, Hub, add_person, cpu_of, enrol, forget_peak, hub_process, memory
from bench.support.traffic import NUMBER
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.hub.archive.contacts import contact_of
from wabiz_tui.hub.archive.conversations import conversation_of
from wabiz_tui.hub.archive.messages import add_message
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import Text
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Direction, Message
from wabiz_tui.model.wire import EnrollReply

MIB = 1024 * 1024
PER_CONVERSATION, PER_COMMIT = 50, 5_000
_WORDS = (
    *("hello", "order", "parcel", "thanks", "please", "tomorrow", "address", "refund", "invoice", "delivery"),
    *("broken", "blue", "size", "when", "where", "could", "number", "street", "card"),
)


def fill(archive: Archive, count: int) -> list[Message]:
    """`count` messages of the last days, half of them ours, of as many people as write fifty each."""
    chance, made = random.Random(1), list[Message]()

    def write(writing: Writing, first: int, many: int) -> None:
        for number in range(first, first + many, PER_CONVERSATION):
            at = writing.now - timedelta(days=10) + timedelta(seconds=number)
            contact = contact_of(writing, Identity(wa_id=f"1650{number:07d}", name=f"Customer {number}"), at=at)
            conversation = conversation_of(writing, NUMBER, contact)
            for index in range(PER_CONVERSATION):
                is_ours = index % 2 == 1
                message = Message(
                    id=writing.new_id(),
                    conversation=conversation,
                    direction=Direction.OUTGOING if is_ours else Direction.INCOMING,
                    content=Text(" ".join(chance.choices(_WORDS, k=chance.randint(3, 24)))),
                    sent_at=at + timedelta(minutes=index),
                    wamid=f"wamid.{chance.getrandbits(160):040x}",
                    author_name="Sam" if is_ours else "",
                    origin="wabiz" if is_ours else "customer",
                )
                add_message(writing, message)
                made.append(message)

    for first in range(0, count, PER_COMMIT):
        archive.write_now(lambda writing, first=first: write(writing, first, min(PER_COMMIT, count - first)))
    return made


def plain_sqlite(messages: list[Message], folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of CPU, to load the same rows in commits of 5,000: an index of conversations, unique wamids, full text."""
    rows = [
        (bytes.fromhex(one.id), one.conversation, int(one.sent_at.timestamp() * 1000), one.wamid, encode(one), one.content.body)
        for one in messages
        if isinstance(one.content, Text)
    ]
    path = folder / "plain.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE message (doc INTEGER PRIMARY KEY, id BLOB, conversation TEXT, sent_at INTEGER, wamid TEXT UNIQUE, value BLOB);"
        "CREATE INDEX by_conversation ON message (conversation, sent_at);"
        "CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='unicode61 remove_diacritics 2');"
    )
    started, worked = time.perf_counter(), time.process_time()
    for first in range(0, len(rows), PER_COMMIT):
        chunk = rows[first : first + PER_COMMIT]
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", ((first + place, *row[:5]) for place, row in enumerate(chunk))
        )
        connection.executemany(
            "INSERT INTO words (rowid, body) VALUES (?, ?)", ((first + place, row[5]) for place, row in enumerate(chunk))
        )
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started, time.process_time() - worked
    connection.close()
    return seconds


async def desk_side(hub: Hub, device: Device, folder: Path) -> dict[str, Any]:
    async with joined(hub, device, folder) as (sync, desk):
        idle = memory(os.getpid())
        forget_peak(os.getpid())
        started, worked = time.perf_counter(), time.process_time()
        await sync.catch_up()
        seconds, own = time.perf_counter() - started, time.process_time() - worked
        messages, _ = await desk.cache.totals()
        return {
            "seconds": seconds, "cpu": own, "messages": messages, "applying": sum(desk.applies),
            "grown": memory(os.getpid(), "VmHWM") - idle,
        }  # fmt: skip


def in_a_process(hub: Hub, device: Device, folder: Path) -> dict[str, Any]:
    told = {"url": hub.url, "pid": hub.pid, "reply": json.loads(encode(device.reply)), "seed": device.seed.reveal().hex(), "token": ""}
    command = [sys.executable, "-m", "bench.feed_sync", "--desk", str(folder)]
    done = subprocess.run(command, input=json.dumps(told).encode(), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def as_desk(folder: Path) -> None:
    told = json.load(sys.stdin)
    device = Device(decode(json.dumps(told["reply"]), EnrollReply), Secret(bytes.fromhex(told["seed"])), "")
    print(json.dumps(asyncio.run(desk_side(Hub(told["url"], told["pid"], ""), device, folder))))


def measure(count: int, rounds: int) -> None:
    made: list[Message] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            hub_process(folder / "hub", fill=lambda archive: made.extend(fill(archive, count)), most_messages=2 * count) as hub,
            httpx.Client(timeout=120, trust_env=False) as http,
        ):
            admin = enrol(http, hub, hub.code)
            device = add_person(http, hub, admin, "Agent", "agent")
            ratios: list[tuple[float, float]] = []
            for number in range(rounds):
                idle, worked = hub.memory(), cpu_of(hub.pid)
                forget_peak(hub.pid)
                ours = in_a_process(hub, device, folder / f"desk{number}")
                grown, worked = hub.memory("VmHWM") - idle, cpu_of(hub.pid) - worked
                plain, plain_cpu = plain_sqlite(made, folder)
                ratios.append((plain / ours["seconds"], plain_cpu / max(worked, ours["cpu"])))
                print(
                    f"{ours['messages']} in {ours['seconds']:.1f} s, {ours['messages'] / ours['seconds']:.0f}/s; plain SQLite "
                    f"{count / plain:.0f}/s; ratio {ratios[-1][0]:.2f}; CPU: hub {worked:.1f} s, desk {ours['cpu']:.1f} s, plain "
                    f"{plain_cpu:.1f} s; ratio of the busier {ratios[-1][1]:.2f}; "
                    f"peak above idle: desk {ours['grown'] / MIB:.0f} MiB, hub {grown / MIB:.0f} MiB"
                )
            by_clock, by_cpu = (statistics.median(one) for one in zip(*ratios, strict=True))
            print(f"median ratio {by_clock:.2f}, by CPU {by_cpu:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--desk", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.desk is not None:
        as_desk(options.desk)
    else:
        measure(options.messages, options.rounds)


if __name__ == "__main__":
    main()
