"""Ingest: webhooks acknowledged and folded a second, against bare inserts of the same bodies into SQLCipher in shared commits."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.support.traffic import NUMBER, WABA, traffic
from tests.support.postgresql import Cluster, cluster
from wabiz_tui.hub.archive.engine.addresses import place_at
from wabiz_tui.hub.archive.engine.cipher import JOURNAL_ID, connect
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.ingest.intake import Intake, Ours
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.secret import Secret

AT_ONCE = 64
FILE_KEY, SEAL_KEY = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))


def bare(bodies: list[bytes]) -> float:
    """Seconds for the peer: one row a body, found by a hash of it, committed as often as so many connections would share a commit."""
    with tempfile.TemporaryDirectory() as folder:
        connection = connect(Path(folder) / "bare.db", FILE_KEY, application_id=JOURNAL_ID)
        connection.execute("CREATE TABLE webhook (seq INTEGER PRIMARY KEY, hash BLOB UNIQUE, at_ms INTEGER, body BLOB)")
        started = time.perf_counter()
        for start in range(0, len(bodies), AT_ONCE):
            rows = [(hashlib.blake2b(body, digest_size=16).digest(), start, body) for body in bodies[start : start + AT_ONCE]]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO webhook (hash, at_ms, body) VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        seconds = time.perf_counter() - started
        connection.close()
        return seconds


async def ours(bodies: list[bytes], server: Cluster | None) -> tuple[float, float, float]:
    """Seconds until all are durable in the journal, seconds until all are in the archive, and the hub's own of the latter."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "archive.db") if server is None else server.url(server.database())
        place = place_at(address, FILE_KEY, media=Path(folder))
        archive = Archive(place, SEAL_KEY, tenant=WABA, clock=clock, random_bytes=os.urandom)
        journal = archive.open_journal()
        intake = Intake(archive, journal, Metrics(), Ours(frozenset({WABA}), frozenset({NUMBER})))
        left = iter(bodies)

        async def sender() -> None:
            for body in left:
                await journal.append(body)

        started = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
        acknowledged = time.perf_counter() - started
        started, worked = time.perf_counter(), time.process_time()
        while await intake.fold_once():
            pass
        folded = time.perf_counter() - started, time.process_time() - worked
        journal.stop()
        archive.close()
        return acknowledged, *folded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhooks", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--archive", choices=("sqlcipher", "postgresql"), default="sqlcipher")
    options = parser.parse_args()
    bodies = traffic(options.webhooks)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(cluster(is_durable=True)) if options.archive == "postgresql" else None
        rows = [(bare(bodies), *asyncio.run(ours(bodies, server))) for _ in range(options.runs)]
    print(f"{'bare SQLCipher':15} {options.webhooks / statistics.median(row[0] for row in rows):8.0f} webhooks/s")
    for name, index in (("acknowledged", 1), ("folded", 2), ("folded, by CPU", 3)):
        rate = options.webhooks / statistics.median(row[index] for row in rows)
        ratio = statistics.median(row[0] / row[index] for row in rows)
        print(f"{name:15} {rate:8.0f} webhooks/s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
