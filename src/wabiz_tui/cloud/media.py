"""Files: up to Meta, and down from it, streamed both ways (M "Media"; cloud-api §2, §17)."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import BinaryIO

import msgspec

from wabiz_tui.cloud.calls import Calls
from wabiz_tui.cloud.multipart import Progress, Source, Upload
from wabiz_tui.cloud.outcomes import Refused, WrongHash, outcome
from wabiz_tui.cloud.transport import MAX_MEDIA, Download
from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import check_file, media_kind, refusing
from wabiz_tui.graph.responses import MediaInfo, parse_media_info, parse_uploaded
from wabiz_tui.model.errors import BadInput, CloudError, TooLarge

_TTL_MINUTES = (60, 43200)
_HEX = re.compile(r"[0-9A-Fa-f]{64}")


class Saved(msgspec.Struct, frozen=True):
    """What was written to a sink; `sha256` in hexadecimal."""

    size: int
    mime_type: str
    sha256: str


class MediaFiles:
    """A file that went up lives 30 days and can be sent from its number; one that came by webhook can be fetched for 7 days."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def upload(
        self,
        number: str,
        content: Source,
        mime_type: str,
        filename: str,
        *,
        size: int | None = None,
        ttl_minutes: int | None = None,
        progress: Progress | None = None,
        is_checked: bool = True,
    ) -> str:
        """The id of the uploaded file. `content` is bytes, a path, an open file, or an iterator with its `size`; it is never held
        in memory as a whole, nor sent twice. `ttl_minutes` is for numbers without storage at Meta.

        Raises Refused 131053 before anything is sent when type or size are not in Meta's list (`is_checked=False` leaves that to
        Meta, which takes some types it does not list). After Uncertain an upload may be repeated: nobody sees an orphan.
        """
        if ttl_minutes is not None and not _TTL_MINUTES[0] <= ttl_minutes <= _TTL_MINUTES[1]:
            raise BadInput(f"ttl_minutes must be {_TTL_MINUTES[0]} to {_TTL_MINUTES[1]}.")
        upload = Upload(filename, mime_type, content, size=size, progress=progress)
        if is_checked:
            _check(mime_type, upload.size)
        form = {"messaging_product": "whatsapp", "type": mime_type}
        if ttl_minutes is not None:
            form["ttl_minutes"] = str(ttl_minutes)
        answer = await self._calls.transport.request("POST", self._calls.path(number, "media"), form=form, upload=upload)
        return parse_uploaded(answer.body)

    async def info(self, media: str, *, number: str | None = None) -> MediaInfo:
        """With `number` Meta refuses media that is not of that phone_number_id."""
        params = {"phone_number_id": number} if number else None
        return parse_media_info(await self._calls.ask(media, params=params), media=media)

    @asynccontextmanager
    async def open(
        self, media: str, *, number: str | None = None, limit: int = MAX_MEDIA, sha256: str = "", progress: Progress | None = None
    ) -> AsyncGenerator[Download, None]:
        """A file by its id, to be iterated over once. A dead URL (404) is asked for anew once (cloud-api §2).

        Raises WrongHash at the end when the bytes are not those of `sha256` (from the webhook) or of Meta's own hash: throw away
        what came. TooLarge above `limit` bytes, Refused with `http_status` 404 when the id is dead, Unanswered when it breaks off.
        """
        async with AsyncExitStack() as stack:
            for is_last in (False, True):
                info = await self.info(media, number=number)
                if info.size > limit:
                    raise TooLarge(f"The file is larger than {limit} bytes.")
                try:
                    incoming = await stack.enter_async_context(self._calls.transport.download(info.url, limit=limit))
                except Refused as error:
                    if is_last or error.http_status != 404:
                        raise
                    continue
                yield await stack.enter_async_context(_checked(incoming, (info.sha256, sha256), progress))
                return

    @asynccontextmanager
    async def fetch(
        self, url: str, *, limit: int = MAX_MEDIA, sha256: str = "", progress: Progress | None = None
    ) -> AsyncGenerator[Download, None]:
        """A file by a URL out of a webhook, as `open`. Only Meta's hosts get the token; others are asked over https without it, at
        public addresses only, and anything else is BadInput."""
        async with self._calls.transport.download(url, limit=limit) as incoming, _checked(incoming, (sha256,), progress) as checked:
            yield checked

    async def download(
        self, media: str, *, number: str | None = None, limit: int = MAX_MEDIA, sha256: str = "", progress: Progress | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of `open`."""
        async with self.open(media, number=number, limit=limit, sha256=sha256, progress=progress) as incoming:
            async for chunk in incoming:
                yield chunk

    async def save(
        self,
        media: str,
        sink: BinaryIO,
        *,
        number: str | None = None,
        limit: int = MAX_MEDIA,
        sha256: str = "",
        progress: Progress | None = None,
    ) -> Saved:
        """`open`, written to `sink` in a thread. When it raises, what the sink holds is not the file."""
        digest, size = hashlib.sha256(), 0
        async with self.open(media, number=number, limit=limit, sha256=sha256, progress=progress) as incoming:
            async for chunk in incoming:
                digest.update(chunk)
                size += len(chunk)
                await asyncio.to_thread(sink.write, chunk)
            return Saved(size, incoming.mime_type, digest.hexdigest())

    async def delete(self, media: str, *, number: str | None = None) -> None:
        await self._calls.delete(media, params={"phone_number_id": number} if number else None)


def digest_of(text: str) -> bytes | None:
    """A SHA-256 as Meta writes it: base64 in webhooks, hexadecimal elsewhere (cloud-api §8). None for anything else."""
    told = text.strip()
    if _HEX.fullmatch(told):
        return bytes.fromhex(told)
    try:
        digest = base64.b64decode(told.rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == 32 else None


@asynccontextmanager
async def _checked(incoming: Download, hashes: Sequence[str], progress: Progress | None) -> AsyncGenerator[Download, None]:
    async with aclosing(_watched(incoming, [digest_of(told) for told in hashes], progress)) as pieces:
        yield Download(pieces, incoming.mime_type, incoming.size)


async def _watched(incoming: Download, digests: Sequence[bytes | None], progress: Progress | None) -> AsyncGenerator[bytes, None]:
    computed, received = hashlib.sha256(), 0
    async for piece in incoming:
        computed.update(piece)
        received += len(piece)
        yield piece
        if progress is not None:
            progress(received, incoming.size)
    for digest in digests:
        if digest is not None and not hmac.compare_digest(digest, computed.digest()):
            raise WrongHash("The file is not the one WhatsApp's hash names: fetch it again.")


def _check(mime_type: str, size: int) -> None:
    kind = media_kind(mime_type)
    if kind is None:
        details = f"Param file must be a file with one of the accepted types; {mime_type} is not"
        raise outcome(graph_error(131053, details), is_safe=False, hide=str)
    try:
        with refusing():
            check_file(kind, mime_type, size)
    except CloudError as error:
        failure = outcome(error, is_safe=False, hide=str)
    else:
        return
    raise failure
