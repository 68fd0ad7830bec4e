"""Parse: webhooks a second, as a ratio to bare msgspec.json.decode of the same bytes, and to pywa's parsing of them."""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from bench.support.payloads import batch, mixed
from wabiz_tui.graph.webhooks import parse

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def pywa_parse() -> Callable[[bytes], Any] | None:
    """pywa's own way from a body to its update object, without its queues, hashes, listeners and logs; None where it is not installed."""
    try:
        from pywa import WhatsApp
        from pywa.types.base_update import RawUpdate
    except ImportError:
        return None
    logging.disable(logging.CRITICAL)
    client = WhatsApp(phone_id=None, token="x", filter_updates=False)  # noqa: S106 - no call leaves this process
    kind_of, classes = client._get_handler_type, client._handlers_to_updates

    def parse_one(raw: bytes) -> Any:
        update = RawUpdate(raw, hmac_header=None, update_hash="")
        handler = kind_of(update)
        return None if handler is None else classes[handler].from_update(client=client, update=update)

    return parse_one


def is_read(job: Callable[[bytes], Any], body: bytes) -> bool:
    try:
        return job(body) is not None
    except (KeyError, IndexError, TypeError, ValueError):
        return False


def seconds(job: Callable[[bytes], Any], bodies: list[bytes], repeats: int) -> float:
    begun = time.process_time()
    for _ in range(repeats):
        for body in bodies:
            job(body)
    return (time.process_time() - begun) / repeats


def summary(values: list[float]) -> str:
    return f"{min(values):10.2f} {statistics.median(values):10.2f} {max(values):10.2f}"


def compare(title: str, jobs: dict[str, Callable[[bytes], Any]], bodies: list[bytes], *, rounds: int, repeats: int) -> None:
    """Jobs take turns within each round, so that a slow moment of the machine falls on all of them."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            taken[name].append(seconds(job, bodies, repeats))
    print(f"\n{title}: {len(bodies)} bodies, {sum(map(len, bodies)) / len(bodies):.0f} bytes each, {rounds} rounds")
    print(f"{'':28}{'min':>10} {'median':>10} {'max':>10}")
    for name, times in taken.items():
        print(f"{name + ' bodies/s':28}{summary([len(bodies) / each for each in times])}")
    ours = taken["wabiz"]
    for name, times in taken.items():
        if name != "wabiz":
            print(f"{'wabiz / ' + name + ' time':28}{summary([a / b for a, b in zip(ours, times, strict=True)])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    jobs: dict[str, Callable[[bytes], Any]] = {
        "bare decode": msgspec.json.decode,
        "wabiz": lambda raw: parse(raw, received_at=RECEIVED),
    }
    foreign = pywa_parse()
    if foreign is None:
        print("pywa is not installed: its column is left out")
    single = mixed(options.bodies)
    for body in single:
        assert len(parse(body, received_at=RECEIVED)) == 1
    compare("mixed, one message or status a body", jobs, single, rounds=options.rounds, repeats=2)
    if foreign is not None:
        read = [body for body in single if is_read(foreign, body)]
        print(f"\npywa reads {len(read)} of the {len(single)} bodies; those are compared")
        compare("the same, beside pywa", jobs | {"pywa": foreign}, read, rounds=options.rounds, repeats=1)
    # pywa reads the first message of a body only, so a batch cannot be compared with it.
    compare("batch of 1000 in one body", jobs, [batch(1000)], rounds=options.rounds, repeats=4)


if __name__ == "__main__":
    main()
