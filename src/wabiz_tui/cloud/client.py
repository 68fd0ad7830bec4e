"""A thin Cloud API client: one method a call, each a line of Meta's contract."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from wabiz_tui.cloud.transport import MAX_MEDIA, Transport, Upload
from wabiz_tui.graph.reading import Json, list_of, load_object, number_of, object_of, word
from wabiz_tui.graph.requests import build_read
from wabiz_tui.graph.responses import Accepted, parse_accepted
from wabiz_tui.model.errors import BadInput, CloudError

VERSION = "v26.0"
NUMBER_FIELDS = "id,display_phone_number,verified_name,status,quality_rating,throughput,platform_type"
_MAX_PAGES = 100


class MediaInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a file can be fetched. `url` dies after five minutes."""

    id: str
    url: str
    mime_type: str = ""
    sha256: str = ""
    size: int = 0


class CloudClient:
    """Every method raises CloudError as cloud/transport.py tells it; answers that are not of the documented form raise BadInput."""

    def __init__(self, transport: Transport, version: str = VERSION) -> None:
        self._transport = transport
        self.version = version

    async def send(self, number: str, body: dict[str, Any], *, headers: Mapping[str, str] | None = None) -> Accepted:
        """Send a message from a phone_number_id. Accepted is not delivered; after is_uncertain never send again by machine."""
        answer = await self._transport.request("POST", self._path(number, "messages"), body=body, headers=headers)
        return parse_accepted(answer.body)

    async def mark_read(self, number: str, message_id: str, *, typing: bool = False) -> None:
        """Marks everything up to `message_id` read, and cannot be undone."""
        await self._transport.request("POST", self._path(number, "messages"), body=build_read(message_id, typing))

    async def media_info(self, media: str, *, number: str | None = None) -> MediaInfo:
        """With `number` Meta refuses media that is not of that phone_number_id."""
        answer = await self._get(self._path(media), {"phone_number_id": number} if number else {})
        size = number_of(answer.get("file_size"))
        info = MediaInfo(
            id=word(answer.get("id")) or media,
            url=word(answer.get("url")),
            mime_type=word(answer.get("mime_type")),
            sha256=word(answer.get("sha256")),
            size=int(size) if size is not None else 0,
        )
        if not info.url:
            raise BadInput("WhatsApp's answer names no URL for the file.")
        return info

    async def download_media(self, media: str, *, number: str | None = None, limit: int = MAX_MEDIA) -> AsyncIterator[bytes]:
        """The file's bytes in chunks. A dead URL (404) is asked for anew once (cloud-api §2)."""
        is_again = False
        while True:
            info = await self.media_info(media, number=number)
            try:
                async with self._transport.download(info.url, limit=limit) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except CloudError as error:
                if error.http_status != 404 or is_again:
                    raise
                is_again = True
            else:
                return

    async def upload_media(self, number: str, content: bytes, mime_type: str, filename: str) -> str:
        """The id of the uploaded file, kept by Meta for 30 days and usable from this number."""
        upload = Upload(filename, mime_type, content)
        form = {"messaging_product": "whatsapp", "type": mime_type}
        answer = await self._transport.request("POST", self._path(number, "media"), form=form, upload=upload)
        media = word(load_object(answer.body).get("id"))
        if not media:
            raise BadInput("WhatsApp's answer to the upload names no id.")
        return media

    async def delete_media(self, media: str) -> None:
        await self._transport.request("DELETE", self._path(media))

    async def number_info(self, number: str, *, fields: str = NUMBER_FIELDS) -> dict[str, Any]:
        return await self._get(self._path(number), {"fields": fields})

    async def numbers(self, waba: str, *, fields: str = NUMBER_FIELDS) -> list[dict[str, Any]]:
        return await self._pages(self._path(waba, "phone_numbers"), {"fields": fields})

    async def templates(self, waba: str) -> list[dict[str, Any]]:
        """All templates, of any status."""
        return await self._pages(self._path(waba, "message_templates"), {"limit": "100"})

    async def subscribe(self, waba: str) -> None:
        """Have the account's webhooks sent to the token's app."""
        await self._transport.request("POST", self._path(waba, "subscribed_apps"))

    async def block(self, number: str, user: str, *, is_blocked: bool = True) -> None:
        """Block or unblock a phone number, wa_id or BSUID (told apart by its dot)."""
        key = "user_id" if "." in user else "user"
        body = {"messaging_product": "whatsapp", "block_users": [{key: user}]}
        await self._transport.request("POST" if is_blocked else "DELETE", self._path(number, "block_users"), body=body)

    def _path(self, *parts: str) -> str:
        return "/".join((self.version, *(quote(part, safe="") for part in parts)))

    async def _get(self, path: str, params: Mapping[str, str]) -> Json:
        return load_object((await self._transport.request("GET", path, params=params)).body)

    async def _pages(self, path: str, params: dict[str, str]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for _ in range(_MAX_PAGES):
            page = await self._get(path, params)
            items += [object_of(item) for item in list_of(page.get("data")) if isinstance(item, dict)]
            paging = object_of(page.get("paging"))
            after = word(object_of(paging.get("cursors")).get("after"))
            if not after or "next" not in paging:
                return items
            params = {**params, "after": after}
        raise BadInput("WhatsApp's list does not end.")
