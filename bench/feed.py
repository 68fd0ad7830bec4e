"""The feed: one change to many listeners, against a bare server of events; and from a webhook into a desk's cache.

Listeners are agents, four a device, over real sockets, all read by this one process: what is measured is the last of them, from
the first byte of the webhook's post. The bare server writes an event of the same size, and neither parses nor keeps anything.
Beside a desk the listeners are read by processes of their own, half of them opened before its line and half after.
"""

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
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx

from bench.support.desks import open_sync
from bench.support.hubs import APP_SECRET, Device, Hub, add_person, cpu_of, enrol, hub_process, memory
from bench.support.load import signed
from bench.support.traffic import NUMBER, WABA
from wabiz_tui.model.codec import encode

PER_DEVICE = 4
KIB = 1024


class Listener(asyncio.Protocol):
    """Reads a stream and says when an event with the awaited words has come."""

    def __init__(self, request: bytes, crowd: Crowd) -> None:
        self._request, self._crowd = request, crowd
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined] uvloop's own class

    def data_received(self, data: bytes) -> None:
        text = self._tail + data
        if self._crowd.awaited and self._crowd.awaited in text:
            self._crowd.heard()
            self._tail = b""
            return
        if b": wabiz" in text or b": bare" in text:
            self._crowd.heard_hello()
            self._tail = b""
            return
        self._tail = text[-4096:]


class Crowd:
    def __init__(self) -> None:
        self.awaited = b""
        self.hellos = 0
        self.times: list[float] = []
        self._missing = 0
        self._all = asyncio.Event()

    def expect(self, words: bytes, count: int) -> None:
        self.awaited, self._missing, self.times = words, count, []
        self._all.clear()

    def heard(self) -> None:
        self.times.append(time.perf_counter())
        self._missing -= 1
        if self._missing == 0:
            self._all.set()

    def heard_hello(self) -> None:
        self.hellos += 1

    async def all_heard(self) -> None:
        async with asyncio.timeout(60):
            await self._all.wait()


async def gather(port: int, requests: list[bytes], crowd: Crowd) -> list[asyncio.BaseTransport]:
    loop = asyncio.get_running_loop()
    made: list[asyncio.BaseTransport] = []
    for start in range(0, len(requests), 50):
        chunk = requests[start : start + 50]
        lines = await asyncio.gather(
            *(loop.create_connection(lambda request=request: Listener(request, crowd), "127.0.0.1", port) for request in chunk)
        )
        made += [transport for transport, _ in lines]
        async with asyncio.timeout(60):
            while crowd.hellos < len(made):  # noqa: ASYNC110 each listener counts itself
                await asyncio.sleep(0.01)
    return made


def webhook(number: int) -> tuple[bytes, bytes]:
    """A whole signed request, and the words it can be known by."""
    words = f"word-{number}-{os.urandom(6).hex()}"
    message = {
        "from": f"1650{number:07d}", "id": f"wamid.{os.urandom(20).hex()}", "timestamp": str(int(time.time())), "type": "text",
        "text": {"body": f"Hello, my order has not come yet, could you look into it? {words}"},
    }  # fmt: skip
    value = {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": message["from"]}], "messages": [message],
    }  # fmt: skip
    body = encode({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": value}]}]})
    return signed([body], APP_SECRET.encode())[0], words.encode()


async def fan_out(port: int, crowd: Crowd, count: int, rounds: int, posts: list[tuple[bytes, bytes]]) -> tuple[float, float]:
    """Median seconds until the first and the last had it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    first: list[float] = []
    last: list[float] = []
    for request, words in posts[:rounds]:
        crowd.expect(words, count)
        started = time.perf_counter()
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        await crowd.all_heard()
        first.append(crowd.times[0] - started)
        last.append(crowd.times[-1] - started)
        await asyncio.sleep(0.2)
    writer.close()
    return statistics.median(first), statistics.median(last)


@contextlib.contextmanager
def bare_server() -> Generator[tuple[int, int]]:
    """Port and process id."""
    process = subprocess.Popen([sys.executable, "-m", "bench.peers.sse_server"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        process.terminate()
        process.wait(10)


async def measure(port: int, pid: int, requests: list[bytes], posts: list[tuple[bytes, bytes]]) -> tuple[float, float, float, float]:
    """First, last, KiB a listener, and seconds of CPU a change."""
    crowd = Crowd()
    before = memory(pid)
    lines = await gather(port, requests, crowd)
    await asyncio.sleep(1.0)
    each = (memory(pid) - before) / len(lines) / KIB
    worked = cpu_of(pid)
    first, last = await fan_out(port, crowd, len(lines), len(posts), posts)
    worked = (cpu_of(pid) - worked) / len(posts)
    for line in lines:
        line.close()  # type: ignore[attr-defined] uvloop's own class
    await asyncio.sleep(0.5)
    return first, last, each, worked


def stream_request(device: Device, since: int) -> bytes:
    return f"GET /v1/changes/stream?since={since} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {device.token}\r\n\r\n".encode()


def devices_for(http: httpx.Client, hub: Hub, count: int) -> list[Device]:
    admin = enrol(http, hub, hub.code)
    return [add_person(http, hub, admin, f"Agent {number}", "agent") for number in range(count)]


def head_of(http: httpx.Client, hub: Hub, device: Device) -> int:
    return int(http.get(f"{hub.url}/v1/changes?since=0&limit=1", headers=device.headers).json()["head"])


async def with_listeners(folder: Path, counts: list[int], rounds: int) -> None:
    with hub_process(folder) as hub, httpx.Client(timeout=60, trust_env=False) as http:
        devices = devices_for(http, hub, max(counts) // PER_DEVICE)
        warm = await measure(hub.port, hub.pid, [stream_request(devices[0], 0)], [webhook(0)])
        del warm
        for count in counts:
            since = head_of(http, hub, devices[0])
            requests = [stream_request(device, since) for device in devices for _ in range(PER_DEVICE)][:count]
            posts = [webhook(number) for number in range(rounds)]
            ours = await measure(hub.port, hub.pid, requests, posts)
            plain = devices[0].headers | {"Accept-Encoding": "identity"}
            told = await asyncio.to_thread(http.get, f"{hub.url}/v1/changes?since={since}&limit=5000", headers=plain)
            size = len(told.content) // rounds
            with bare_server() as (port, pid):
                bodies = [words + b"x" * size for _, words in posts]
                bare_posts = [
                    (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), words)
                    for body, (_, words) in zip(bodies, posts, strict=True)
                ]
                bare = await measure(port, pid, [b"GET / HTTP/1.1\r\n\r\n"] * count, bare_posts)
            print(
                f"{count:5} listeners   hub first {ours[0] * 1e3:6.1f} ms, last {ours[1] * 1e3:6.1f} ms, {ours[2]:5.1f} KiB each   "
                f"bare first {bare[0] * 1e3:5.1f}, last {bare[1] * 1e3:5.1f} ms   ratio of the last {ours[1] / bare[1]:.2f}; "
                f"CPU a change: hub {ours[3] * 1e3:.1f} ms, bare {bare[3] * 1e3:.1f} ms"
            )


@contextlib.contextmanager
def crowd_apart(port: int, requests: list[bytes]) -> Generator[None]:
    """These streams are open, and read by another process."""
    process = subprocess.Popen([sys.executable, "-m", "bench.feed", "--crowd", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([request.decode() for request in requests]).encode() + b"\n")
    process.stdin.flush()
    try:
        if process.stdout.readline() != b"ready\n":
            raise SystemExit("The listeners did not come to listen.")
        yield
    finally:
        process.terminate()
        process.wait(10)


async def as_crowd(port: int) -> None:
    """The other side of `crowd_apart`: until it is ended."""
    await gather(port, [request.encode() for request in json.loads(sys.stdin.readline())], Crowd())
    print("ready", flush=True)
    await asyncio.Event().wait()


async def to_a_cache(folder: Path, listeners: int, rounds: int) -> None:
    with hub_process(folder) as hub, httpx.Client(timeout=60, trust_env=False) as http, contextlib.ExitStack() as crowds:
        devices = devices_for(http, hub, listeners // PER_DEVICE + 1)
        since = head_of(http, hub, devices[0])
        requests = [stream_request(device, since) for device in devices[1:] for _ in range(PER_DEVICE)]
        crowds.enter_context(crowd_apart(hub.port, requests[::2]))
        async with open_sync(hub, devices[0], folder / "desk") as desk:
            crowds.enter_context(crowd_apart(hub.port, requests[1::2]))
            await desk.following()
            reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
            waits: list[float] = []
            answers: list[float] = []
            for number in range(rounds):
                request, _ = webhook(number % 50)
                desk.expect()
                started = time.perf_counter()
                writer.write(request)
                await reader.readuntil(b"\r\n\r\n")
                answers.append(time.perf_counter() - started)
                waits.append(await desk.applied_at() - started)
                await asyncio.sleep(0.02)
            own = statistics.median(answers) + statistics.median(desk.applies)
            ordered = sorted(waits)
            p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
            print(
                f"webhook to cache, {listeners} listeners: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms; hub answers in "
                f"{statistics.median(answers) * 1e3:.1f} ms, desk applies in {statistics.median(desk.applies) * 1e3:.1f} ms: "
                f"ratio {p50 / own:.2f} and {p99 / own:.2f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, nargs="*", default=[500, 1000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cache-rounds", type=int, default=200)
    parser.add_argument("--cache-listeners", type=int, default=200)
    parser.add_argument("--crowd", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    run: Any = asyncio.run
    with contextlib.suppress(ImportError):
        import uvloop

        run = uvloop.run
    if options.crowd is not None:
        run(as_crowd(options.crowd))
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.listeners:
            run(with_listeners(Path(folder), options.listeners, options.rounds))
    with tempfile.TemporaryDirectory() as folder:
        if options.cache_rounds:
            run(to_a_cache(Path(folder), options.cache_listeners, options.cache_rounds))


if __name__ == "__main__":
    main()
