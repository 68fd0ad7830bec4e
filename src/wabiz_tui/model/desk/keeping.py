"""The life of the desk: its lock, its sync, its purge."""

from collections.abc import AsyncIterator
from typing import Protocol

from wabiz_tui.model.desk.values import DeskEvent, DeskStatus, PurgeOutcome
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import SignedReceipt


class Keeping(Protocol):
    """`sync` and `purge` take long; the rest is quick."""

    async def status(self) -> DeskStatus: ...

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        """Open the cache, from the kernel keyring or from local secret and hub share.

        Raises WrongKey, NoKeyStore, LeaseEnded, Unreachable, Revoked."""
        ...

    async def lock(self, reason: str = "asked") -> None:
        """Close the database, drop the keys, tell every client."""
        ...

    async def sync(self) -> int:
        """Return once the cache has reached the sequence the hub had at the call; that sequence. Raises Unreachable."""
        ...

    async def purge(self) -> PurgeOutcome:
        """Rebuild under the next epoch key now, whether or not anything is due."""
        ...

    async def rekey(self, passphrase: Secret | None = None, new_passphrase: Secret | None = None) -> DeskStatus:
        """Change the local secret, and with it every key of this device; to the store that config.toml asks for now. Where a
        passphrase keeps it, `passphrase` is needed, and `new_passphrase` replaces it. Every client is locked for a moment.

        Raises WrongKey, NoKeyStore, Unreachable, Conflict: then nothing is changed, save where the sentence says so."""
        ...

    async def receipts(self) -> list[SignedReceipt]:
        """This device's chain, oldest first."""
        ...

    async def activity(self) -> None:
        """A person pressed a key: the idle lock counts from here."""
        ...

    def listen(self) -> AsyncIterator[DeskEvent]:
        """Events from now on; ends when the desk ends."""
        ...

    async def close(self) -> None: ...
