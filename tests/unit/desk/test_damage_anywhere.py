"""Whatever happens to the files of a cache while no desk runs: the next one opens, and holds what a sync from nothing would."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.desk_bench import COLD, opened
from tests.support.desk_hub import FakeDevice, FakeHub
from tests.support.desk_samples import conversation, ident, message
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

PAGE = 4096
MESSAGES = 60
LONG = "and more and more " * 700
"""Fills pages of its own."""
Held = dict[str, object]


class Template(NamedTuple):
    """A hub and a home filled from it: as it is after an orderly end, and after a kill, when the log holds what the file does not."""

    hub: FakeHub
    device: FakeDevice
    ended: Path
    killed: Path
    held: Held

    @contextmanager
    def copied(self, *, is_killed: bool) -> Generator[Paths]:
        """A home of its own, for a hub that knows of nothing that happened to another."""
        self.device.epoch, self.device.is_reset = 1, False
        self.device.shares = {1: self.device.shares[0]}
        self.device.shares[0] = self.device.shares[1]
        self.device.receipts = []
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            shutil.copytree(self.killed if is_killed else self.ended, home, ignore=_sockets)
            yield paths_under(home)


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]


async def what_it_holds(desk: LocalDesk) -> Held:
    rows = await desk.conversations()
    draft = await desk.draft(ident(1))
    return {
        "conversations": sorted((row.id, row.status, row.name or "") for row in rows),
        "messages": {row.id: await desk.messages(row.id) for row in rows},
        "found": await desk.search("word7"),
        "draft": None if draft is None else draft.text,
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("damage")
    now = datetime.now(UTC)

    async def fill() -> Held:
        paths = paths_under(folder / "home")
        async with opened(hub, paths, config=COLD) as desk:
            await desk.save_draft(ident(1), "kept")
            held = await what_it_holds(desk)
            shutil.copytree(folder / "home", folder / "killed", ignore=_sockets)
        shutil.copytree(folder / "home", folder / "ended", ignore=_sockets)
        return held

    with FakeHub().serve() as hub:
        for number in range(1, 4):
            hub.put(conversation(number, last_at=now, window_until=now + timedelta(hours=20)))
        long = (message(n, 1 + n % 3, f"word{n} {LONG if n % 9 == 0 else ''}", sent_at=now - timedelta(minutes=n)) for n in range(MESSAGES))
        hub.put(*long)
        held = asyncio.run(fill())
        (device,) = hub.devices.values()
        device.shares[0] = device.shares[1]
        yield Template(hub, device, folder / "ended", folder / "killed", held)


def flip(data: st.DataObject, file: Path) -> None:
    raw = bytearray(file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, max(len(raw) - 1, 0)), min_size=1, max_size=8)):
        if place < len(raw):
            raw[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(raw)


def overwrite(data: st.DataObject, file: Path) -> None:
    """With zeros or noise, over any stretch."""
    raw = bytearray(file.read_bytes())
    start = data.draw(st.integers(0, max(len(raw) - 1, 0)))
    if data.draw(st.booleans()):
        start -= start % PAGE
    length = min(data.draw(st.sampled_from([1, 100, PAGE, 3 * PAGE, 1 << 30])), len(raw) - start)
    raw[start : start + length] = bytes(length) if data.draw(st.booleans()) else os.urandom(length)
    file.write_bytes(raw)


def cut(data: st.DataObject, file: Path) -> None:
    size = file.stat().st_size
    os.truncate(file, data.draw(st.one_of(st.just(0), st.integers(0, size), st.integers(0, size // PAGE).map(lambda pages: pages * PAGE))))


def lengthen(data: st.DataObject, file: Path) -> None:
    with file.open("ab") as end:
        end.write(data.draw(st.sampled_from([b"\0" * PAGE, b"\0", os.urandom(PAGE), os.urandom(24 + PAGE)])))


def swap(data: st.DataObject, file: Path) -> None:
    raw = bytearray(file.read_bytes())
    pages = len(raw) // PAGE
    if pages > 1:
        one, other = (data.draw(st.integers(0, pages - 1)) * PAGE for _ in range(2))
        raw[one : one + PAGE], raw[other : other + PAGE] = raw[other : other + PAGE], raw[one : one + PAGE]
        file.write_bytes(raw)


def put_header(data: st.DataObject, file: Path) -> None:
    raw = file.read_bytes()
    file.write_bytes(data.draw(st.binary(min_size=16, max_size=100)) + raw[16:])


def remove(_: st.DataObject, file: Path) -> None:
    file.unlink()


def put_anothers(_: st.DataObject, file: Path) -> None:
    file.unlink()
    Database(file.with_name("another.db"), Secret(bytes(range(32))), Kind.CACHE).close()
    file.with_name("another.db").replace(file)


def put_folder(data: st.DataObject, file: Path) -> None:
    file.unlink()
    file.mkdir()
    if data.draw(st.booleans()):
        (file / "a letter").write_text("of somebody else", encoding="utf-8")


def put_link(data: st.DataObject, file: Path) -> None:
    moved = file.with_name("moved")
    file.replace(moved)
    file.symlink_to(data.draw(st.sampled_from([moved, file.parent, Path("/dev/zero"), Path("/nowhere")])))


def put_pipe(_: st.DataObject, file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGES: list[Callable[[st.DataObject, Path], None]] = [
    flip, overwrite, cut, lengthen, swap, put_header, remove, put_anothers, put_folder, put_link, put_pipe,
]  # fmt: skip


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), is_killed=st.booleans())
def test_any_damage_costs_a_sync_and_nothing_else(template: Template, data: st.DataObject, is_killed: bool) -> None:
    """Bytes flipped, stretches overwritten, files cut, pages swapped, another's file, a folder, a link, a pipe in its place, of the cache
    and of its log: the desk opens in time, everything is there as it was, and the draft too."""
    with template.copied(is_killed=is_killed) as paths:
        for _ in range(data.draw(st.integers(1, 2))):
            files = sorted(file for file in paths.cache.glob("cache-1.db*") if file.is_file() and not file.is_symlink())
            if files:
                data.draw(st.sampled_from(DAMAGES))(data, data.draw(st.sampled_from(files)))
        asyncio.run(_open_and_compare(template, paths))
        assert all(file.is_file() and not file.is_symlink() for file in paths.cache.glob("cache-*"))


async def _open_and_compare(template: Template, paths: Paths) -> None:
    async with asyncio.timeout(30), opened(template.hub, paths, config=COLD) as desk:
        assert await what_it_holds(desk) == template.held
        assert (await desk.purge()).removed == 0
