"""The files of messages."""

from wabiz_tui.desk.calls.door import Door


class Media(Door):
    async def media(self, message: str) -> bytes:
        return await self._opened_session().link.media(message)
