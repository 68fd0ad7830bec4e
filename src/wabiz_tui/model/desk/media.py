"""The files of messages."""

from typing import Protocol

from wabiz_tui.model.desk.values import Lent, MediaFile, MediaUse


class Media(Protocol):
    """Through the hub; sealed on this machine, as long as the policy lets it lie here.

    Each raises Denied where the policy does not allow the use, NotFound for a message this machine does not hold or that has no
    file, Unreachable where the file is not here and the hub does not answer, BadInput for a file that is not what was announced."""

    async def fetch_media(self, message: str) -> MediaFile:
        """Have the file here. Takes as long as the line needs."""
        ...

    async def read_media(self, message: str, *, offset: int = 0, limit: int = 1 << 20, use: MediaUse = "inline") -> bytes:
        """At most a mebibyte of the file, from `offset` on; nothing beyond its end."""
        ...

    async def lend_media(self, message: str) -> Lent:
        """A readable file for a viewer, in memory, until it is returned, the time is over or the desk is locked."""
        ...

    async def return_media(self, message: str) -> None:
        """The viewer is done with it."""
        ...
