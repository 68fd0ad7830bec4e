"""Hand a letter to the hub: its file first, from where it was cut; then the message, under the letter's key."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from wabiz_tui.desk.cache.attachments import Attachment
from wabiz_tui.desk.cache.letters import Letter, Letters
from wabiz_tui.desk.link import post
from wabiz_tui.desk.link.link import Accepted, Link
from wabiz_tui.desk.media.sealed import SealedReader
from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import CloudError, Conflict, DamagedStore, NotFound, StoreError, TooMany, Unreachable, WabizError
from wabiz_tui.model.wire import NewUpload, UploadStanding

_MEDIA_LIFE = timedelta(days=30) - timedelta(hours=12)
"""Meta keeps an uploaded file for 30 days (cloud-api §2)."""
_TIMES_ANEW = 3
_LOST = ("unknown_upload", "upload_incomplete", "upload_damaged")


class Post:
    """Called with a letter. Until its file is with Meta nothing of it has left: what fails then is never uncertain."""

    def __init__(self, link: Link, letters: Letters, *, now: Callable[[], datetime]) -> None:
        self._link, self._letters, self._now = link, letters, now
        self._forgetting: set[asyncio.Task[None]] = set()

    def forget(self, file: str) -> None:
        """Tell the hub, when it can be reached at once, that nobody needs what it may hold of this file; otherwise it forgets by itself."""
        task = asyncio.create_task(self._forget(file), name="forget upload")
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)

    async def _forget(self, file: str) -> None:
        with suppress(WabizError):
            await post.forget_upload(self._link, file)

    async def stop(self) -> None:
        tasks = list(self._forgetting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __call__(self, letter: Letter) -> Accepted:
        """Raises what link.post raises; NotFound when the file is gone from this machine."""
        content = letter.content
        assert content is not None  # noqa: S101 only letters with words are sent
        sent = content.shown.content
        if isinstance(sent, Media) and content.file:
            sent = msgspec.structs.replace(sent, id=await self._uploaded(content.file, content.number))
        return await post.send(self._link, letter.conversation, content.number, sent, key=letter.key, reply_to=content.reply_to)

    async def _uploaded(self, file: str, number: str) -> str:
        attachment = await self._letters.attachment(file)
        if attachment is None:
            raise NotFound("The file of this message is not on this machine any more; send it again from the file.")
        if attachment.media is not None and attachment.media_until is not None and attachment.media_until > self._now():
            return attachment.media
        try:
            media = await self._bring(attachment, number)
        except TooMany:
            raise
        except Unreachable as error:
            # Without its cause: whatever became of the file, the message has not left.
            raise Unreachable(error.sentence) from None
        except CloudError as error:
            if not error.is_uncertain:
                raise
            raise CloudError(error.sentence, graph_code=error.graph_code, http_status=error.http_status, is_transient=True) from error
        except DamagedStore as error:
            raise NotFound("The file of this message cannot be read any more on this machine; send it again from the file.") from error
        await self._letters.note_media(file, media, until=self._now() + _MEDIA_LIFE)
        return media

    async def _bring(self, attachment: Attachment, number: str) -> str:
        """What the hub has lost meanwhile is brought again, a few times."""
        for is_last in (False,) * (_TIMES_ANEW - 1) + (True,):
            try:
                await self._bring_pieces(attachment)
                return await post.pass_on(self._link, number, attachment.id)
            except (NotFound, Conflict):
                if is_last:
                    raise
            except CloudError as error:
                if is_last or error.code not in _LOST:
                    raise
        raise AssertionError("the last time returns or raises")

    async def _bring_pieces(self, attachment: Attachment) -> None:
        wanted = NewUpload(attachment.id, attachment.mime_type, attachment.size, attachment.sha256, attachment.name)
        standing = await _asked(post.begin_upload(self._link, wanted))
        if standing.media or standing.received >= standing.size:
            return
        reader = await asyncio.to_thread(SealedReader, self._letters.files / attachment.id, attachment.key, attachment.size)
        try:
            while standing.received < standing.size:
                piece = await asyncio.to_thread(reader.read, standing.received, standing.piece)
                standing = await _asked(post.bring_piece(self._link, attachment.id, standing.received, piece))
        finally:
            reader.close()


async def _asked(answer: Awaitable[UploadStanding]) -> UploadStanding:
    """A hub whose own disk is full, or whose archive is away, is one that cannot be used now."""
    try:
        return await answer
    except StoreError as error:
        raise Unreachable(f"The hub cannot take the file now: {error.sentence}") from error
