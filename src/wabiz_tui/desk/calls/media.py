"""The files of messages."""

from wabiz_tui.desk.calls.door import Door
from wabiz_tui.model.desk import Lent, MediaFile, MediaUse


class Media(Door):
    async def fetch_media(self, message: str) -> MediaFile:
        session = self._used()
        return await session.mended(lambda: session.media.fetch(message))

    async def read_media(self, message: str, *, offset: int = 0, limit: int = 1 << 20, use: MediaUse = "inline") -> bytes:
        session = self._used()
        return await session.mended(lambda: session.media.read(message, offset=offset, limit=limit, use=use))

    async def lend_media(self, message: str) -> Lent:
        session = self._used()
        return await session.mended(lambda: session.media.lend(message))

    async def return_media(self, message: str) -> None:
        self._opened_session().media.take_back(message)
