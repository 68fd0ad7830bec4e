"""Fuzz: bent webhooks by the hundred thousand; nothing but the declared error, and what each cost at worst."""

from __future__ import annotations

import argparse
import resource
import time
from datetime import UTC, datetime

from bench.support.payloads import batch
from tests.support.webhook_mutations import Mutations
from tests.support.webhook_samples import all_bodies
from wabiz_tui.graph.parsed import Parsed
from wabiz_tui.graph.webhooks import parse, parse_tolerantly
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def peak_mebibytes() -> float:
    """The most memory this process has had so far, mutating and all."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(raw: bytes) -> tuple[list[Parsed] | None, float]:
    """What was read, or None where it was refused; and the seconds of CPU it took. Any other error ends the run."""
    begun = time.process_time()
    try:
        parsed = parse(raw, received_at=RECEIVED)
    except BadInput:
        return None, time.process_time() - begun
    return parsed, time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=30, help="how many of 1000 messages each, up to 3 MB, besides")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    samples = list(all_bodies().values())
    mutations = Mutations(samples, seed=options.seed)
    refused = parts = 0
    worst, slowest = 0.0, b""
    begun = time.monotonic()
    before = peak_mebibytes()
    for _ in range(options.bodies):
        raw = mutations.next()
        parsed, seconds = read(raw)
        if seconds > worst:
            worst, slowest = seconds, raw
        if parsed is None:
            refused += 1
            continue
        parts += len(parsed)
        written = encode(parsed)
        if encode(parse_tolerantly(raw, RECEIVED)) != written:
            raise AssertionError(f"the two readers differ on {raw!r}")
    print(f"{options.bodies} bodies in {time.monotonic() - begun:.0f} s, seed {options.seed}: {refused} refused as bad input")
    print(f"{parts} parts read from the others, each body as by the reader that has no quick way; nothing else was raised")
    print(f"worst {worst * 1000:.1f} ms of CPU, for {len(slowest)} bytes; peak memory {before:.0f} -> {peak_mebibytes():.0f} MiB")
    large(options.large, options.seed)


def large(count: int, seed: int) -> None:
    """Bodies of 1000 messages, bent; some are swollen to about 3 MB."""
    mutations = Mutations([batch(1000, seed=seed + index) for index in range(3)], seed=seed)
    worst, size, before = 0.0, 0, peak_mebibytes()
    for index in range(count):
        raw = mutations.next()
        if index % 3 == 0:
            raw = raw.replace(b'"body": "', b'"body": "' + b"y" * 6000)
        parsed, seconds = read(raw)
        if parsed is not None:
            encode(parsed)
        worst, size = max(worst, seconds), max(size, len(raw))
    memory = f"peak memory {before:.0f} -> {peak_mebibytes():.0f} MiB"
    print(f"{count} large bodies up to {size / 1e6:.1f} MB: worst {worst * 1000:.0f} ms of CPU; {memory}")


if __name__ == "__main__":
    main()
