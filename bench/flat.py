"""The whole hub under webhooks at a fixed rate, folding included: the highest rate at which its lag is flat.

Lag is what the hub itself tells in /readyz: the age of the oldest acknowledged webhook that is not in the archive yet. It is flat at
a rate when every webhook asked for was acknowledged and the lag of the last quarter is no more than a second above the first's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import urllib.request
from typing import NamedTuple

import uvloop

from bench.support.load import Load, cores, post_at_rate, signed
from bench.support.traffic import traffic
from bench.webhooks import SECRET, hub
from tests.support.postgresql import cluster

AT_ONCE = 64
_GROWTH = 1.0
_STEP = 0.8
_LOWEST = 100


class Held(NamedTuple):
    """How a hub stood a rate."""

    load: Load
    lags: list[float]
    """Seconds, one a second."""

    def is_flat(self, rate: float) -> bool:
        quarter = max(1, len(self.lags) // 4)
        begun, ended = max(self.lags[:quarter], default=0.0), max(self.lags[-quarter:], default=0.0)
        return not self.load.refused and self.load.rate >= rate * 0.98 and ended <= begun + _GROWTH


async def hold(port: int, requests: list[bytes], rate: float) -> Held:
    loop, lags, asked = asyncio.get_running_loop(), list[float](), set[asyncio.Future[None]]()

    def ask() -> None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=20) as answer:
            lags.append(float(json.load(answer)["journal"]["seconds"]))

    load = await post_at_rate(port, requests, rate=rate, at_once=AT_ONCE, each_second=lambda _: asked.add(loop.run_in_executor(None, ask)))
    await asyncio.gather(*asked)
    return Held(load, lags)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="start", type=int, default=4_000, help="the rate to begin with, webhooks a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--archive", choices=("sqlcipher", "postgresql"), default="sqlcipher")
    parser.add_argument("--all-cores", action="store_true", help="leave the hub all cores; else it has one, and the load another")
    options = parser.parse_args()
    ours_core, load_core = (None, None) if options.all_cores else cores()
    if load_core is not None:
        os.sched_setaffinity(0, {load_core})
    rate = options.start
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(cluster(is_durable=True)) if options.archive == "postgresql" else None
        while rate >= _LOWEST:
            requests = signed(traffic(rate * options.seconds, longer=400), SECRET.encode())
            address = None if server is None else server.url(server.database())
            with hub(address, ours_core) as port, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                held = runner.run(hold(port, requests, rate))
            waits = f"p50 {held.load.wait_at(0.5) * 1e3:.1f} ms, p99 {held.load.wait_at(0.99) * 1e3:.1f} ms"
            told = f"acknowledged {held.load.rate:.0f}/s, {waits}, lag at most {max(held.lags, default=0.0):.1f} s"
            print(f"{rate:6} /s for {options.seconds} s: {told}, {'flat' if held.is_flat(rate) else 'not flat'}", flush=True)
            if held.is_flat(rate):
                return
            rate = int(rate * _STEP)
    sys.exit("No rate was flat.")


if __name__ == "__main__":
    main()
