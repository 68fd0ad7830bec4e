"""The Cloud API client: one entrance, a room for each of Meta's subjects, one line of Meta's contract a method."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from wabiz_tui.cloud.accounts import Accounts, Apps
from wabiz_tui.cloud.calls import Calls
from wabiz_tui.cloud.media import MediaFiles
from wabiz_tui.cloud.messages import Messages
from wabiz_tui.cloud.multipart import Source
from wabiz_tui.cloud.numbers import Numbers
from wabiz_tui.cloud.pacing import Pacing
from wabiz_tui.cloud.patience import Patience, Persistence
from wabiz_tui.cloud.profiles import Profiles
from wabiz_tui.cloud.templates import Templates
from wabiz_tui.cloud.transport import MAX_MEDIA, Transport
from wabiz_tui.cloud.uploads import Uploads
from wabiz_tui.cloud.usage import Usage
from wabiz_tui.cloud.users import Users
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.model.clock import Clock

VERSION = "v26.0"
"""The newest that is confirmed (cloud-api §1). Always sent: a path without a version gets the app's default."""


class CloudClient:
    """Every method raises the kinds of cloud/outcomes.py, and BadInput for answers that are not of the documented form.

    With `pacing` sends wait for their turn within Meta's limits. With `patience` questions are asked again and writes repeated
    where that cannot make a second message (cloud/patience.py); without, every call is made once. The transport stays its
    maker's to close.
    """

    def __init__(
        self,
        transport: Transport,
        version: str = VERSION,
        *,
        pacing: Pacing | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport = transport
        calls = Calls(transport, version, Persistence(patience, clock=clock, chance=chance, sleep=sleep))
        self.version, self.pacing = version, pacing
        self.messages = Messages(calls, pacing)
        self.media = MediaFiles(calls)
        self.uploads = Uploads(calls)
        self.templates = Templates(calls)
        self.numbers = Numbers(calls)
        self.profiles = Profiles(calls)
        self.users = Users(calls)
        self.accounts = Accounts(calls)
        self.apps = Apps(calls)

    @property
    def usage(self) -> Usage | None:
        """What Meta last told of its hourly quota for management calls."""
        return self._transport.usage

    async def send(self, number: str, body: dict[str, Any], *, headers: Mapping[str, str] | None = None) -> Accepted:
        """`messages.send`."""
        return await self.messages.send(number, body, headers=headers)

    async def mark_read(self, number: str, message_id: str, *, typing: bool = False) -> None:
        """`messages.mark_read`."""
        await self.messages.mark_read(number, message_id, typing=typing)

    async def upload_media(self, number: str, content: Source, mime_type: str, filename: str) -> str:
        """`media.upload`, judged by Meta alone."""
        return await self.media.upload(number, content, mime_type, filename, is_checked=False)

    def download_media(self, media: str, *, number: str | None = None, limit: int = MAX_MEDIA) -> AsyncGenerator[bytes, None]:
        """`media.download`."""
        return self.media.download(media, number=number, limit=limit)
