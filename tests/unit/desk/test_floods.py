"""What one client does to a desk is felt by nobody else: floods, half frames, noise, and more connections than it takes."""

import asyncio
import os
import socket
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.frames import pack
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.process.server import MAX_CLIENTS
from wabiz_tui.desk.process.serving import MAX_REQUEST, MAX_UNANSWERED, MAX_UNSENT, Connection
from wabiz_tui.desk.process.socket_file import connect as connect_socket
from wabiz_tui.desk.process.socket_file import socket_path
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        served.put(conversation(1), *(message(n, 1, f"word{n} and some more " * 20) for n in range(400)))
        yield served


@asynccontextmanager
async def running(hub: FakeHub, paths: Paths) -> AsyncGenerator[DeskClient]:
    """A desk in its own process, open and filled, and its first client."""
    await enrol(hub, paths)
    desk = await connect(paths, passphrase=Secret(PASSPHRASE.text()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})
    try:
        await desk.sync()
        yield desk
    finally:
        await desk.end()
        await desk.close()


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def request(number: int, call: str, **arguments: object) -> bytes:
    return framed(pack({"type": "request", "id": number, "call": call, "args": arguments}))


def peak_of(pid: int) -> int:
    """The most that the process held, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


CLIENTS = 3
FLOODS: dict[str, Callable[[], bytes]] = {
    "requests without reading": lambda: b"".join(request(n, "messages", conversation=ident(1)) for n in range(5_000)),
    "searches without reading": lambda: b"".join(request(n, "search", words=f"word{n}", limit=50) for n in range(5_000)),
    "the largest requests": lambda: request(1, "unlock", passphrase="x" * (MAX_REQUEST - 200)) * MAX_UNANSWERED,
    "half a frame": lambda: request(1, "status")[:9],
    "half of the largest frame": lambda: MAX_REQUEST.to_bytes(4, "big") + b"{" * (MAX_REQUEST // 2),
    "a frame beyond the largest": lambda: (MAX_REQUEST + 1).to_bytes(4, "big") + b"{" * 1_000,
    "noise": lambda: os.urandom(200_000),
    "deep nesting": lambda: framed(b"[" * 900_000),
}


def flood(path: Path, what: bytes, held: ExitStack) -> None:
    """As much of it as the desk takes, by several; the connections stay."""
    for _ in range(CLIENTS):
        client = held.enter_context(connect_socket(path))
        client.settimeout(0.2)
        # It is read no faster than it is answered, or has been let go.
        with suppress(TimeoutError, ConnectionError):
            client.sendall(what)


async def typical(call: Callable[[], Awaitable[object]], *, times: int) -> float:
    took: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await call()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def forget_peak(pid: int) -> None:
    """From here on the peak is counted anew (proc(5), clear_refs), where the kernel lets us."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


async def test_whoever_floods_the_desk_holds_up_nobody(hub: FakeHub, tmp_path: Path) -> None:
    """Another client is answered all the while, behind what each may have asked at most, and the desk holds no more than a few
    answers of the largest size."""
    paths = paths_under(tmp_path / "home")
    async with running(hub, paths) as desk:
        turn = await typical(lambda: desk.messages(ident(1)), times=9)
        forget_peak(desk.hello.pid)
        before = peak_of(desk.hello.pid)
        for make in FLOODS.values():
            what = make()
            with ExitStack() as held:
                flooding = asyncio.create_task(asyncio.to_thread(flood, socket_path(paths), what, held))
                async with asyncio.timeout(30):
                    waited = await typical(desk.counts, times=25)
                await flooding
                assert waited < CLIENTS * MAX_UNANSWERED * turn
        assert peak_of(desk.hello.pid) - before < 3 * MAX_UNSENT


async def test_the_desk_says_when_it_takes_nobody_more(hub: FakeHub, tmp_path: Path) -> None:
    """One more than it serves hears what to do, and nothing is started in the desk's place; when somebody has left, there is room."""
    paths = paths_under(tmp_path / "home")
    environment = os.environ | {"WABIZ_HOME": str(paths.config)}
    async with running(hub, paths) as desk:
        with ExitStack() as held:
            others = [held.enter_context(connect_socket(socket_path(paths))) for _ in range(MAX_CLIENTS - 1)]
            for attempt in (DeskClient.open(socket_path(paths)), connect(paths, environment=environment)):
                with pytest.raises(WabizError, match="close one that is not needed") as refused:
                    await attempt
                assert (refused.value.code, refused.value.exit_status) == ("too_many_clients", 1)
            assert not (await desk.status()).locked
            others[0].close()
            client = await _one_more(paths)
            assert client.hello.pid == desk.hello.pid
            await client.close()


async def _one_more(paths: Paths) -> DeskClient:
    """As soon as the desk has noticed who left."""
    async with asyncio.timeout(20):
        while True:
            with suppress(WabizError):
                return await DeskClient.open(socket_path(paths))
            await asyncio.sleep(0.01)


async def test_requests_that_wait_take_a_bounded_size() -> None:
    """However many of the largest a client sends: the next is read when earlier ones have been answered."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    go_on, is_full, asked = asyncio.Event(), asyncio.Event(), 0

    async def call(_client: Connection, _name: str, raw: msgspec.Raw) -> None:
        nonlocal asked
        asked += len(bytes(raw))
        if asked > 3 * MAX_REQUEST:
            is_full.set()
        await go_on.wait()

    serving = asyncio.create_task(Connection(reader, writer, call=call, broken=lambda _call, _error: None).serve())
    what = request(1, "save_draft", text="x" * (MAX_REQUEST - 200)) * MAX_UNANSWERED
    with theirs:
        # Its answers are read by nobody, but are small.
        sending = asyncio.create_task(asyncio.to_thread(theirs.sendall, what))
        await asyncio.wait_for(is_full.wait(), 30)
        await asyncio.wait((sending,), timeout=0.1)
        assert not sending.done()
        assert asked < 6 * MAX_REQUEST
        go_on.set()
        await asyncio.wait_for(sending, 30)
    await asyncio.wait_for(serving, 30)
