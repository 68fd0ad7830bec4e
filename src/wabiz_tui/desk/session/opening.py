"""Unlock: keys from the kernel or from key store and hub, the newest cache file that opens, the outbox."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wabiz_tui.desk.cache.database import MEMORY
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.rekeying import rekey_outbox
from wabiz_tui.desk.cache.salvage import mend
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import Enrolment, open_link
from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.keys.rotation import Rotation
from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.purge.asides import keep_from
from wabiz_tui.desk.purge.purge import lost
from wabiz_tui.desk.purge.receipts import Receipts
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.session.mending import OVERDUE
from wabiz_tui.desk.session.session import Hears, Session
from wabiz_tui.desk.sync.rules import read_rules
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import DamagedStore, Locked, NotFound, Unreachable, WrongKey
from wabiz_tui.model.paths import Paths, make_private
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ShareReply

if TYPE_CHECKING:
    from wabiz_tui.desk.link.line import Wire

OUTBOX = "outbox.db"
_QUIET = 0.7


class Setting(NamedTuple):
    """What an unlocking needs to know of its machine."""

    enrolment: Enrolment
    config: Config
    paths: Paths
    clock: DeskClock
    wire: "Wire | None" = None


async def open_session(setting: Setting, hears: Hears, passphrase: Secret | None, *, only_warm: bool = False) -> Session:
    """With `only_warm`, only if the kernel keeps the keys (raises Locked otherwise).

    Raises WrongKey, NoKeyStore, Unreachable, Revoked, ForeignFile, NewerSchema. On any of them nothing stays open."""
    for folder in (setting.paths.cache, setting.paths.data):
        check_private_folder(make_private(folder))
    opening = _Opening(setting)
    try:
        return await opening.open(hears, passphrase, only_warm=only_warm)
    except BaseException:
        await opening.undo()
        raise


class _Opening:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        enrolment, config, paths, clock = setting[:4]
        self._vault = Vault(enrolment, config=config, paths=paths, clock=clock)
        self._shelf = Shelf(paths.cache)
        self._link = open_link(
            enrolment.hub_url, enrolment.device, enrolment.tenant, self._seed, clock, config=config, paths=paths, wire=setting.wire
        )
        self._closers: list[Callable[[], None]] = []
        self._notice = ""
        self._is_refilled = False

    async def open(self, hears: Hears, passphrase: Secret | None, *, only_warm: bool) -> Session:
        if passphrase is not None:
            # A wrong one opens nothing, whatever the kernel still holds.
            await self._vault.check(passphrase)
        cache = self._open_warm()
        # Loading the HTTP library takes half a second of this process; after a warm start the screen is painted first.
        quiet = 0.0 if cache is None else _QUIET
        if cache is None and only_warm:
            raise Locked("The desk is locked; unlock it first.")
        if cache is None:
            cache = await self._open_cold(passphrase)
        letters = await asyncio.to_thread(self._open_letters)
        enrolment, config, paths, clock = self._setting[:4]
        session = Session(
            enrolment,
            cache=cache,
            letters=letters,
            vault=self._vault,
            shelf=self._shelf,
            link=self._link,
            receipts=Receipts(paths.data, device=enrolment.device, tenant=enrolment.tenant),
            clock=clock,
            hears=hears,
            open_cache=self._open_file,
        )
        session.notice = self._notice
        await session.start(quiet=quiet, is_refilled=self._is_refilled)
        session.rotate(Rotation(self._vault, enrolment, config, paths, passphrase))
        return session

    async def undo(self) -> None:
        for close in self._closers:
            await asyncio.to_thread(close)
        await self._link.close()
        self._vault.close()

    def _open_warm(self) -> Cache | None:
        """The newest file, if the kernel keeps its key. On this path nothing waits for anything."""
        if not self._vault.open_warm():
            return None
        newest = next(iter(self._shelf.epochs()), None)
        if newest is None or newest not in self._vault.keys:
            self._vault.close()
            return None
        try:
            return self._open_file(newest)
        except (WrongKey, DamagedStore):
            self._vault.close()
            return None

    async def _open_cold(self, passphrase: Secret | None) -> Cache:
        await self._vault.open_bundle(passphrase)
        try:
            reply = await self._link.share()
        except Unreachable as error:
            where = error.sentence.rstrip(".")
            raise Unreachable(f"{where}: without it the cache opens only within its lease, while this machine keeps the keys.") from error
        await asyncio.to_thread(self._shelf.clear_drafts)
        self._vault.take_share(reply)
        newest = next(iter(self._shelf.epochs()), None)
        if newest is None:
            cache = await asyncio.to_thread(self._open_file, reply.epoch, await self._place(reply.epoch))
            gone = self._shelf.lost()
            if gone is not None and gone < reply.epoch:
                await cache.owe_receipt(lost(gone, reply.epoch, 0, self._setting.clock.now()))
            return cache
        cache = await self._open_newest(newest, reply)
        return cache or await self._begin_empty(newest, self._link)

    async def _open_newest(self, newest: int, current: ShareReply) -> Cache | None:
        """The file of the newest epoch; None when its share is destroyed or it cannot be read."""
        if current.reset and newest < current.epoch:
            self._notice = OVERDUE
            return None
        if newest != current.epoch:
            try:
                self._vault.take_share(await self._link.share(newest))
            except NotFound:
                self._notice = "The hub has ended this cache's key; the cache is filled again."
                return None
        try:
            return await asyncio.to_thread(self._open_file, newest)
        except (WrongKey, DamagedStore):
            self._notice = "The cache could not be read; it is filled again from the hub."
            return None

    async def _begin_empty(self, unreadable: int, link: Link) -> Cache:
        self._is_refilled = True
        reply = await link.share()
        if reply.epoch <= unreadable:
            reply = await link.begin_epoch(reply.epoch)
        self._vault.take_share(reply)
        await asyncio.to_thread(self._shelf.lose, unreadable)
        cache = await asyncio.to_thread(self._open_file, reply.epoch, await self._place(reply.epoch))
        if reply.epoch > unreadable:
            await cache.owe_receipt(lost(unreadable, reply.epoch, 0, self._setting.clock.now()))
        await asyncio.to_thread(self._shelf.clear_drafts)
        return cache

    async def _place(self, epoch: int) -> Path:
        """Where a new cache begins: the policy may want none on the disk."""
        enrolment = self._setting.enrolment
        rules = read_rules(await self._link.policy(), policy_key=enrolment.policy_key, tenant=enrolment.tenant)
        return self._shelf.path(epoch) if rules.policy.cache.disk else MEMORY

    def _open_file(self, epoch: int, path: Path | None = None) -> Cache:
        """The file of an epoch, or a cache elsewhere."""
        place = path or self._shelf.path(epoch)
        now, me = self._setting.clock.now, self._setting.enrolment.person
        cache = self._vault.open_file(epoch, lambda key: Cache(place, key, epoch=epoch, now=now, me=me))
        self._closers.append(cache.close)
        return cache

    def _open_letters(self) -> Letters:
        path = self._setting.paths.data / OUTBOX
        key = self._vault.outbox
        assert key is not None  # noqa: S101 both ways of opening set it
        former = self._vault.former_outbox
        if former is not None:
            with suppress(WrongKey, DamagedStore):
                rekey_outbox(path, former, key)
        saved = mend(path, (key,) if former is None else (key, former))
        if saved is not None:
            self._notice = saved.notice
            keep_from(saved.aside, self._setting.clock.now())
        letters = Letters(path, key)
        self._closers.append(letters.close)
        return letters

    async def _seed(self) -> Secret:
        return (await self._vault.open_bundle(None)).seed
