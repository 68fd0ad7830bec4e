"""The files of messages on this machine: fetched from the hub when asked for, sealed under keys that the cache alone holds, bounded.

A file is on the disk before its row is, and its row goes before it does: what a kill leaves behind is a sealed file that no row
names, noise without a key, which `sweep` removes at the next start and after every purge.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Final, NamedTuple, Protocol, TypeVar

from wabiz_tui.desk.cache import media as rows
from wabiz_tui.desk.cache.database import MEMORY
from wabiz_tui.desk.cache.media import HeldFile
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.times import to_ms
from wabiz_tui.desk.files import check_private_folder, destroy
from wabiz_tui.desk.media.lending import Lender, lent_folder
from wabiz_tui.desk.media.memory import memory_folder
from wabiz_tui.desk.media.sealed import SealedReader, SealedWriter
from wabiz_tui.model.content import Media
from wabiz_tui.model.desk import Lent, MediaFile
from wabiz_tui.model.errors import BadInput, DamagedStore, Denied, NotFound, TooLarge, Unreachable, WabizError
from wabiz_tui.model.paths import make_private
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Message
from wabiz_tui.policy.document import MediaUse, Policy

T = TypeVar("T")
FOLDER: Final = "media"
MOST_HELD: Final = 512 * 1024 * 1024
"""Bytes of files on this machine; the least used go when another needs their room."""
LARGEST: Final = 128 * 1024 * 1024
"""Meta takes 100 MB at most (cloud-api, media types); what is larger is not what it says."""
_MOST_AT_ONCE = 1 << 20
_TRIES, _TRIES_IN_ALL = 4, 200
"""On a line that brought nothing since it was cut last, and on one that brings a little each time."""
_PATIENCE, _SLOWEST = 60.0, 2048
"""A fetch may take so many seconds, and one more for each so many bytes that came: who drips holds nobody up for ever."""
_USES: Final = ("off", "inline", "viewer", "save")
_REFUSED: Final = {
    "off": "The policy lets no customer's file onto this machine.",
    "inline": "The policy lets customers' files be seen inside wabiz only.",
    "viewer": "The policy lets customers' files be seen, not saved.",
}


class Downloads(Protocol):
    def __call__(self, message: str, *, start: int) -> AsyncGenerator[bytes]:
        """The bytes of a message's file from `start` on. Raises NotFound, Unreachable."""
        ...


class Of(NamedTuple):
    """What a store needs of the desk it belongs to."""

    cache: Callable[[], Cache]
    policy: Callable[[], Policy]
    download: Downloads
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    device: str
    turn: asyncio.Lock
    """Who writes to the cache holds it: what is written while a purge exchanges the cache would be lost."""


class MediaStore:
    """One an open desk. `clear` when it begins; `close` when it ends."""

    def __init__(self, folder: Path, of: Of, *, most_held: int = MOST_HELD) -> None:
        self._folder, self._of, self._most_held = folder, of, most_held
        self._fetching: dict[str, asyncio.Task[HeldFile]] = {}
        self._begun: set[str] = set()
        self._lender = Lender(lambda: lent_folder(of.device), now=of.now)

    def check(self, wanted: MediaUse) -> None:
        """Raises Denied where the policy allows less than `wanted`."""
        allowed = self._of.policy().privacy.media
        if _USES.index(allowed) < _USES.index(wanted):
            raise Denied(_REFUSED[allowed], code=f"media_{allowed}")

    async def fetch(self, message: str) -> MediaFile:
        """Have the file here, whole and compared with its hash. Raises NotFound, Unreachable, Denied, TooLarge, StoreFull, and BadInput
        for one that is not what WhatsApp announced."""
        self.check("inline")
        found = await self._message(message)
        held = await self._held(found)
        await self._touch(message)
        content = _media_of(found)
        return MediaFile(message, content.mime_type, content.filename, held.size, held.sha256.hex())

    async def read(self, message: str, *, offset: int, limit: int, use: MediaUse) -> bytes:
        """A part of the file; empty beyond its end. Raises what `fetch` raises."""
        self.check(use)
        found = await self._message(message)
        return await self._reading(found, lambda reader: reader.read(max(offset, 0), min(max(limit, 1), _MOST_AT_ONCE)))

    async def lend(self, message: str) -> Lent:
        """A file for a viewer, in memory, until `until`. Raises what `fetch` raises, and Denied where nothing lies in memory."""
        self.check("viewer")
        found = await self._message(message)

        async def fill(write: Callable[[bytes], None]) -> None:
            def copy(reader: SealedReader) -> None:
                for offset in range(0, reader.size, _MOST_AT_ONCE):
                    write(reader.read(offset, _MOST_AT_ONCE))

            await self._reading(found, copy)

        lent = await self._lender.lend(message, _media_of(found).mime_type, fill)
        await self._touch(message)
        return lent

    def take_back(self, message: str) -> None:
        self._lender.take_back((message,))

    async def clear(self) -> None:
        """At the start: nothing is lent, and nothing lies here that no row names."""
        self._lender.take_back()
        await self.retime()
        await self.sweep()

    async def close(self) -> None:
        """At the end: what is under way is given up, what is lent is taken back."""
        for task in list(self._fetching.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._lender.take_back()

    async def retime(self) -> None:
        """The policy may have changed how long files stay, and what may be done with them."""
        if _USES.index(self._of.policy().privacy.media) < _USES.index("viewer"):
            self._lender.take_back()
        span = self._span()
        await self._write(lambda connection: rows.retime(connection, span))

    def _span(self) -> timedelta:
        """How long after its message's time a file stays: not at all, where the policy lets none onto this machine."""
        policy = self._of.policy()
        return timedelta() if policy.privacy.media == "off" else policy.cache.media

    async def sweep(self) -> None:
        """Destroy every sealed file that no row names, and take back what is lent of messages that are gone."""
        cache = self._of.cache()
        for message in self._lender.lent:
            if await cache.message(message) is None:
                self._lender.take_back((message,))
        unnamed = await asyncio.to_thread(self._unnamed, await cache.database.read(rows.names))
        if unnamed:
            # A fetch that ended since the rows were read has a row by now; none of these is being fetched any more.
            await asyncio.to_thread(_destroy, unnamed, await cache.database.read(rows.names))

    def _unnamed(self, named: set[str]) -> list[Path]:
        folders = [folder for folder in (self._folder, self._find_memory()) if folder is not None and folder.is_dir()]
        found = [file for folder in folders for file in folder.iterdir()]
        return [file for file in found if file.stem not in named and file.stem not in self._begun]

    def _find_memory(self) -> Path | None:
        with suppress(Denied):
            return memory_folder(f"wabiz-{self._of.device[:16]}-{FOLDER}")
        return None

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._of.turn:
            return await self._of.cache().database.write(work)

    async def _touch(self, message: str) -> None:
        now = to_ms(self._of.now())
        await self._write(lambda connection: rows.touch(connection, message, now=now))

    async def _message(self, message: str) -> Message:
        found = await self._of.cache().message(message)
        if found is None:
            raise NotFound("This machine holds no such message; what is older than its cache has its files at the hub.")
        _media_of(found)
        return found

    async def _reading(self, found: Message, work: Callable[[SealedReader], T]) -> T:
        """`work` on the open file; a file that was damaged or removed here is fetched again once."""
        for is_last in (False, True):
            held = await self._held(found)
            try:
                return await asyncio.to_thread(_with_reader, self._place(held.name), held, work)
            except DamagedStore:
                await self._write(lambda connection: rows.forget(connection, found.id))
                await asyncio.to_thread(destroy, self._place(held.name))
                if is_last:
                    raise
        raise AssertionError("unreachable")

    async def _held(self, found: Message) -> HeldFile:
        now = to_ms(self._of.now())
        held = await self._of.cache().database.read(lambda connection: rows.find(connection, found.id, now=now))
        if held is not None:
            return held
        task = self._fetching.get(found.id)
        if task is None:
            task = self._fetching[found.id] = asyncio.create_task(self._fetch(found), name="media")
            task.add_done_callback(lambda _: self._fetching.pop(found.id, None))
        # Whoever asks for the same file meanwhile waits for the same fetch; one that leaves does not end it for the others.
        return await asyncio.shield(task)

    async def _fetch(self, found: Message) -> HeldFile:
        from wabiz_tui.cloud.media import digest_of

        content = _media_of(found)
        if content.size > LARGEST:
            raise TooLarge("The file is larger than any that WhatsApp takes; it is not fetched.")
        key, name = Secret(self._of.random_bytes(32)), self._of.random_bytes(16).hex()
        self._begun.add(name)
        try:
            place = await asyncio.to_thread(self._make_place, name)
            writer = await asyncio.to_thread(SealedWriter, place, key)
            try:
                digest = await self._take(found.id, writer, most=content.size or LARGEST)
                told = digest_of(content.sha256)
                is_short = told is None and content.size not in (0, writer.size)
                if is_short or told not in (None, digest):
                    raise _another()
                await asyncio.to_thread(writer.finish)
            finally:
                await asyncio.to_thread(writer.give_up)
            held = HeldFile(found.id, name, key, writer.size, digest)
            await self._keep(found, held)
            return held
        finally:
            self._begun.discard(name)

    async def _take(self, message: str, writer: SealedWriter, *, most: int) -> bytes:
        """Take the file from the hub, going on from where a line was cut; its SHA-256. Raises BadInput for more bytes than `most`."""
        loop, digest, tries = asyncio.get_running_loop(), hashlib.sha256(), 0
        began = loop.time()
        for left in reversed(range(_TRIES_IN_ALL)):
            before = writer.size
            try:
                async with aclosing(self._of.download(message, start=before)) as pieces:
                    async for piece in pieces:
                        if writer.size + len(piece) > most:
                            raise _longer(most)
                        if loop.time() - began > _PATIENCE + writer.size / _SLOWEST:
                            raise _TooSlow("The hub gives the file too slowly; try again later.")
                        digest.update(piece)
                        await asyncio.to_thread(writer.write, piece)
                return digest.digest()
            except Unreachable as error:
                tries = tries + 1 if writer.size == before else 1
                if isinstance(error, _TooSlow) or tries >= _TRIES or writer.size == 0 or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _keep(self, found: Message, held: HeldFile) -> None:
        now, span = to_ms(self._of.now()), self._span()

        def work(connection: Connection) -> list[str]:
            dropped = rows.make_room(connection, held.size, limit=self._most_held)
            rows.put(connection, held, found, now=now, span=span)
            return dropped

        for name in await self._write(work):
            await asyncio.to_thread(destroy, self._place(name))

    def _make_place(self, name: str) -> Path:
        place = self._place(name)
        check_private_folder(make_private(place.parent))
        return place

    def _place(self, name: str) -> Path:
        """A cache that the policy keeps in memory has its files there too."""
        in_memory = self._of.cache().path == MEMORY
        folder = memory_folder(f"wabiz-{self._of.device[:16]}-{FOLDER}") if in_memory else self._folder
        return folder / f"{name}.sealed"


class _TooSlow(Unreachable):
    """It comes, but not in a time that anybody would wait."""


def _longer(most: int) -> WabizError:
    if most == LARGEST:
        return TooLarge("The file is larger than any that WhatsApp takes; nothing of it was kept.")
    return _another()


def _another() -> BadInput:
    return BadInput("The file that came is not the one WhatsApp announced; nothing of it was kept.", code="media_hash")


def destroy_everything(folder: Path, device: str) -> int:
    """Every sealed file of this device and everything it lent, on the disk and in memory; how many files there were."""
    places = [folder]
    for name in (f"wabiz-{device[:16]}-{FOLDER}", f"wabiz-{device[:16]}"):
        with suppress(Denied):
            places.append(memory_folder(name))
    found = [file for place in places if place.is_dir() for file in place.iterdir() if file.is_file() or file.is_symlink()]
    for file in found:
        destroy(file)
    return len(found)


def _media_of(found: Message) -> Media:
    content = found.content
    if not isinstance(content, Media):
        raise NotFound("This message has no file.")
    return content


def _with_reader(place: Path, held: HeldFile, work: Callable[[SealedReader], T]) -> T:
    reader = SealedReader(place, held.key, held.size)
    try:
        return work(reader)
    finally:
        reader.close()


def _destroy(files: list[Path], named: set[str]) -> None:
    for file in files:
        if file.stem not in named:
            destroy(file)
