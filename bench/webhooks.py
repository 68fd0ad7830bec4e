"""Webhooks over HTTP: signed bodies of about 1 KB, durable before the answer, against pywa's server, which stores nothing."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path

import uvloop

from bench.peers import pywa_server
from bench.support.load import Load, cores, free_port, pinned, post_all, signed
from bench.support.traffic import NUMBER, WABA, traffic
from tests.support.postgresql import cluster

HERE = Path(__file__).parent
WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]
SECRET = "a bench's app secret"  # noqa: S105 of a hub that lives for minutes
SECRETS = {"BENCH_TOKEN": "none", "BENCH_SECRET": SECRET, "BENCH_VERIFY": "verify"}
AT_ONCE = 64
ALONE = 0.02
"""Seconds between webhooks that come alone: what the one before set going is over by then."""


@contextlib.contextmanager
def hub(archive: str | None, core: int | None) -> Generator[int]:
    """A hub of its own over a new archive; its port."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | SECRETS | {"WABIZ_HOME": folder}
        address = archive or str(Path(folder) / "archive.db")
        ids = ["--waba-id", WABA, "--phone-number-id", NUMBER, "--graph-url", "http://127.0.0.1:9"]
        names = ["--graph-token-env", "BENCH_TOKEN", "--app-secret-env", "BENCH_SECRET", "--verify-token-env", "BENCH_VERIFY"]
        made = [*WABIZ, "hub", "init", "--archive", address, *ids, *names]
        subprocess.run(made, env=environment, check=True, stdout=subprocess.DEVNULL)
        serving = [*WABIZ, "hub", "serve", "--config", str(Path(folder) / "hub.toml"), "--port", "0"]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(pinned(serving, core), env=environment, stdout=subprocess.PIPE, stderr=log)
        try:
            assert process.stdout is not None
            yield int(json.loads(process.stdout.readline())["listening"].rpartition(":")[2])
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def pywa(core: int | None) -> Generator[int]:
    port = free_port()
    command = pinned([sys.executable, str(HERE / "peers" / "pywa_server.py"), str(port)], core)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        process.stdin.write(SECRET + "\n")
        process.stdin.close()
        for _ in range(600):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(
                    f"http://127.0.0.1:{port}{pywa_server.PATH}?hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1"
                ),
            ):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def run(port: int, requests: list[bytes], *, at_once: int, pause: float = 0.0) -> Load:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        load = runner.run(post_all(port, requests, at_once=at_once, pause=pause))
    assert not load.refused, f"{load.refused} were refused"
    return load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhooks", type=int, default=30_000)
    parser.add_argument("--alone", type=int, default=300, help="webhooks that come alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--archive", choices=("sqlcipher", "postgresql"), default="sqlcipher")
    options = parser.parse_args()
    ours_core, load_core = cores()
    if load_core is not None:
        os.sched_setaffinity(0, {load_core})
    bodies = traffic(options.webhooks + options.alone, longer=400)
    secret = SECRET.encode()
    ours_requests, peer_requests = signed(bodies, secret), signed(bodies, secret, path=pywa_server.PATH)
    print(f"# bodies of {statistics.mean(map(len, bodies)):.0f} bytes, {AT_ONCE} connections, {options.rounds} rounds", file=sys.stderr)
    rows: list[tuple[Load, Load, Load, Load]] = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(cluster(is_durable=True)) if options.archive == "postgresql" else None
        for _ in range(options.rounds):
            with hub(None if server is None else server.url(server.database()), ours_core) as port:
                alone = run(port, ours_requests[options.webhooks :], at_once=1, pause=ALONE)
                ours = run(port, ours_requests[: options.webhooks], at_once=AT_ONCE)
            with pywa(ours_core) as port:
                peer_alone = run(port, peer_requests[options.webhooks :], at_once=1, pause=ALONE)
                peer = run(port, peer_requests[: options.webhooks], at_once=AT_ONCE)
            rows.append((ours, peer, alone, peer_alone))
            print(f"# hub {ours.rate:.0f}/s, pywa {peer.rate:.0f}/s", file=sys.stderr)

    def told(name: str, ours: list[float], peer: list[float], unit: str, scale: float) -> None:
        ratio = statistics.median(a / b for a, b in zip(ours, peer, strict=True))
        print(f"{name:28} {statistics.median(ours) * scale:9.2f} {unit:4} pywa {statistics.median(peer) * scale:9.2f}   ratio {ratio:.2f}")

    told("acknowledged, durable", [row[0].rate for row in rows], [row[1].rate for row in rows], "/s", 1)
    told("  p99", [row[0].wait_at(0.99) for row in rows], [row[1].wait_at(0.99) for row in rows], "ms", 1e3)
    told("alone, p50", [row[2].wait_at(0.5) for row in rows], [row[3].wait_at(0.5) for row in rows], "ms", 1e3)


if __name__ == "__main__":
    main()
