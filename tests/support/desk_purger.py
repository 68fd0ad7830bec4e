"""A purger with real files under keys of its own, and a hub of a few lines in its process: for many purges in little time."""

import asyncio
import base64
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from tests.support.desk_forensics import pages
from tests.support.desk_samples import StillClock, ident
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.writing import Item
from wabiz_tui.desk.keys.bundle import Bundle
from wabiz_tui.desk.purge.purge import Purger
from wabiz_tui.desk.purge.receipts import Receipts
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.sync.rules import Rules
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ShareReply, SignedPolicy, SignedReceipt
from wabiz_tui.policy.document import parse_policy
from wabiz_tui.proof.signing import public_key

SEED = Secret(b"s" * 32)
PUBLIC = public_key(SEED)
_UNSIGNED = SignedPolicy("", "")


def rules_of(text: str, version: int = 1) -> Rules:
    return Rules(version, parse_policy(text, file="policy.toml"), _UNSIGNED)


class PretendVault:
    """Keys by epoch, as the vault holds them; each is made of nothing but its epoch and a secret of this test."""

    def __init__(self) -> None:
        self.keys: dict[int, Secret] = {}
        self.outbox = Secret(b"x" * 32)

    def take_share(self, reply: ShareReply) -> Secret:
        self.keys[reply.epoch] = Secret(base64.b64decode(reply.share))
        return self.keys[reply.epoch]

    def drop_epochs(self, up_to: int) -> None:
        for epoch in [epoch for epoch in self.keys if epoch <= up_to]:
            self.keys.pop(epoch).forget()

    async def open_bundle(self, passphrase: Secret | None) -> Bundle:
        del passphrase
        return Bundle(local=Secret(b"l" * 32), seed=Secret(SEED.reveal()))


class PretendLink:
    """The hub's part: shares, and the receipts it took."""

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self.epoch = 1
        self.taken: list[SignedReceipt] = []

    async def share(self, epoch: int | None = None) -> ShareReply:
        wanted = self.epoch if epoch is None else epoch
        share = base64.b64encode(wanted.to_bytes(32, "big")).decode()
        return ShareReply(wanted, share, share, 3600, self._clock.now())

    async def begin_epoch(self, after: int) -> ShareReply:
        self.epoch = after + 1
        return await self.share()

    async def receipts(self, device: str) -> list[SignedReceipt]:
        del device
        return list(self.taken)

    async def send_receipt(self, signed: SignedReceipt) -> None:
        self.taken.append(signed)


class PurgeBench:
    """`home` holds what a desk's home does: the folders cache and data."""

    def __init__(self, home: Path, policy: str, clock: StillClock) -> None:
        self.home, self.clock = home, clock
        for folder in (home / "cache", home / "data"):
            folder.mkdir(parents=True)
        self.rules = rules_of(policy)
        self.turn = asyncio.Lock()
        self.vault, self.link = PretendVault(), PretendLink(clock)
        self.vault.keys[1] = Secret((1).to_bytes(32, "big"))
        self.shelf = Shelf(home / "cache")
        self.letters = Letters(home / "data" / "outbox.db", self.vault.outbox)
        self.refused: list[WabizError] = []
        self.overfull: list[datetime] = []
        self.purger = Purger(
            self._open(1, self.shelf.path(1)),
            vault=cast("Any", self.vault),
            shelf=self.shelf,
            link=cast("Any", self.link),
            letters=self.letters,
            receipts=Receipts(home / "data", device=ident(5), tenant="1"),
            turn=self.turn,
            rules=lambda: self.rules,
            now=clock.now,
            open_cache=self._open,
            told=lambda _: None,
            damaged=self.refused.append,
            overfull=lambda: self.overfull.append(self.clock.now()),
        )

    def _open(self, epoch: int, path: Path) -> Cache:
        return Cache(path, self.vault.keys[epoch], epoch=epoch, now=self.clock.now, me=ident(7))

    @property
    def cache(self) -> Cache:
        return self.purger.cache

    async def apply(self, items: Iterable[Item]) -> None:
        async with self.turn:
            await self.cache.apply(list(items), self.rules.holding, cursor=1)

    async def set_policy(self, text: str) -> None:
        self.rules = rules_of(text, self.rules.version + 1)
        async with self.turn:
            await self.cache.apply([], self.rules.holding, cursor=1, policy=_UNSIGNED)

    def close(self) -> None:
        self.cache.close()
        self.letters.close()

    def plain(self) -> Iterator[bytes]:
        """Every page of every database of the home that any key which still exists opens, and every file as it lies there."""
        keys = [key.reveal() for key in (*self.vault.keys.values(), self.vault.outbox)]
        for path in sorted(found for found in self.home.rglob("*") if found.is_file()):
            yield path.read_bytes()
            if path.suffix in (".db", ".part"):
                for key in keys:
                    yield from pages(path, key)


def forms_of(marker: str) -> list[bytes]:
    """As text, folded as the full-text index has it, as UTF-16 and escaped in JSON. Its end alone: an index leaves out of a term what
    it has in common with the one before."""
    end = marker[3:]
    escaped = "".join(character if character.isascii() else f"\\u{ord(character):04x}" for character in end)
    return [end.encode(), end.lower().encode(), end.encode("utf-16-le"), end.encode("utf-16-be"), escaped.encode()]


def found_in(plain: bytes, marker: str) -> bool:
    return any(form in plain for form in forms_of(marker))
