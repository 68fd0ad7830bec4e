"""The outbox file: letters the agent wrote and the hub has not yet given back, their files' keys, and drafts; it outlives every epoch.

Under another key this one file is encrypted anew: the files beside it have keys of their own in it.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any, Literal

import msgspec

from wabiz_tui.desk.cache.attachments import FOLDER, Attachment, add_attachment, give_to, let_go, load_attachment, note_media, stray_files
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.times import from_ms, to_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import Text
from wabiz_tui.model.desk import Draft
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import DeliveryState, Message

State = Literal["queued", "sending", "accepted", "uncertain", "failed", "settled"]
_sql = load_queries("outbox.sql")


ASKED_KEY = "asked_key"
"""In `meta`, once the file was put under another key: what the fingerprints of the letters before that were made with."""


def asked_key(key: Secret) -> bytes:
    """What the fingerprints of letters are made with, for a file that began under `key`."""
    return hmac.digest(key.reveal(), b"wabiz/outbox/asked/v1", hashlib.sha256)


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sent: from which number, which words, with which file (an attachment's id); and how the screen shows it."""

    number: str
    text: str
    shown: Message
    reply_to: str | None = None
    file: str = ""
    sha256: str = ""
    """The hash of the file, so that the same key with another file is refused."""


class Letter(msgspec.Struct, frozen=True):
    """One thing to be sent. `content` is gone once the feed has brought the message; `attempts` counts those that may have arrived."""

    id: str
    key: str
    conversation: str
    state: State
    not_before: datetime
    attempts: int
    content: Content | None
    message: str | None

    @property
    def has_to_go(self) -> bool:
        return self.state in ("queued", "sending")


class Letters:
    """Every change is on the disk when its call returns."""

    def __init__(self, path: Path, key: Secret) -> None:
        """Open or create. Raises what Database raises."""
        self._database = Database(path, key, Kind.OUTBOX)
        self._hash_key = self._database.read_now(_kept_asked_key) or asked_key(key)

    @property
    def path(self) -> Path:
        return self._database.path

    @property
    def files(self) -> Path:
        """The folder of the letters' sealed files."""
        return self.path.parent / FOLDER

    def close(self) -> None:
        self._database.close()

    async def add(self, letter: Letter, attachment: Attachment | None = None) -> tuple[Letter, bool]:
        """The letter as it now stands, and whether it is new: the same key gives the earlier one. Raises UsageError for the same
        key with other words."""

        def work(connection: Connection) -> tuple[Letter, bool]:
            earlier = self._under_key(connection, letter)
            if earlier is not None:
                return earlier, False
            self._put(connection, letter)
            if attachment is not None:
                add_attachment(connection, letter.id, attachment)
            return letter, True

        return await self._database.write(work)

    async def replace(self, earlier: str, letter: Letter) -> bool:
        """The new letter in place of one that failed or is uncertain, with its file; False when that one is so no more."""

        def work(connection: Connection) -> bool:
            if connection.execute(_sql["discard"], {"id": earlier}).rowcount == 0:
                return False
            self._put(connection, letter)
            give_to(connection, earlier, letter.id)
            return True

        return await self._database.write(work)

    async def find(self, identifier: str) -> Letter | None:
        """By its own id, or by the hub's id of its message."""
        return await self._database.read(lambda connection: _one(connection, "by_id", {"id": identifier}))

    async def find_by_key(self, key: str) -> Letter | None:
        return await self._database.read(lambda connection: _one(connection, "by_key", {"key": key}))

    async def of_conversation(self, conversation: str) -> list[Letter]:
        """Those the feed has not brought, in the order they were written."""
        return await self._database.read(lambda connection: _many(connection, "open_of_conversation", {"conversation": conversation}))

    async def all_open(self) -> list[Letter]:
        return await self._database.read(lambda connection: _many(connection, "open_letters", {}))

    async def heads(self) -> list[Letter]:
        """The next letter of each conversation, due or not."""
        return await self._database.read(lambda connection: _many(connection, "heads", {}))

    async def move(self, letter: Letter, *, has_left: bool = False) -> None:
        """Record its state, time, shown form and the hub's id. What is settled stays so: the feed was quicker. The file of what the
        hub has taken loses its key."""
        parameters = {
            "id": letter.id,
            "state": letter.state,
            "attempts": int(has_left),
            "not_before": to_ms(letter.not_before),
            "value": encode(letter.content),
            "message": letter.message,
        }

        def work(connection: Connection) -> None:
            connection.execute(_sql["move"], parameters)
            if letter.state == "accepted":
                let_go(connection)

        await self._database.write(work)

    async def take_back(self, identifier: str) -> bool:
        """Remove a letter that has certainly not left; False when it may have."""
        return await self._remove("take_back", identifier)

    async def discard(self, identifier: str) -> bool:
        """Remove a failed or uncertain letter; False when it is neither."""
        return await self._remove("discard", identifier)

    async def attachment(self, identifier: str) -> Attachment | None:
        return await self._database.read(lambda connection: load_attachment(connection, identifier))

    async def note_media(self, identifier: str, media: str, *, until: datetime) -> None:
        """Meta has the file under this id."""
        await self._database.write(lambda connection: note_media(connection, identifier, media, until))

    async def stray_files(self) -> list[Path]:
        """Files that belong to no letter. They are noise already, since their keys are gone."""
        return await self._database.read(lambda connection: stray_files(connection, self.files))

    async def settle(self, arrived: list[Message]) -> None:
        """The feed has brought these messages: their words leave the outbox. One that the hub itself has not sent yet stays,
        for the answer to our asking is still to come."""
        keys = [{"key": message.key, "message": message.id} for message in arrived if message.key is not None and not _is_queued(message)]
        if keys:

            def work(connection: Connection) -> None:
                connection.executemany(_sql["settle"], keys)
                let_go(connection)

            await self._database.write(work)

    async def forget_settled(self, before: datetime) -> None:
        """The keys of letters written before then; until that time the same key still gives the same message."""
        await self._database.write(lambda connection: connection.execute(_sql["forget_settled"], {"before": to_ms(before)}))

    async def draft(self, conversation: str) -> Draft | None:
        def work(connection: Connection) -> Draft | None:
            row = connection.execute(_sql["get_draft"], {"conversation": conversation}).fetchone()
            return None if row is None else Draft(conversation, row[0], row[1], from_ms(row[2]))

        return await self._database.read(work)

    async def save_draft(self, draft: Draft) -> None:
        """An empty text removes it."""
        values = {"conversation": draft.conversation, "text": draft.text, "reply_to": draft.reply_to}
        saved_at = 0 if draft.saved_at is None else to_ms(draft.saved_at)

        def work(connection: Connection) -> None:
            if draft.text:
                connection.execute(_sql["put_draft"], {**values, "saved_at": saved_at})
            else:
                connection.execute(_sql["delete_draft"], {"conversation": draft.conversation})

        await self._database.write(work)

    async def scrub(self) -> None:
        """Destroy what deleted words left in pages and log (secure_delete has zeroed the rows themselves)."""
        await self._database.vacuum()

    async def count_drafts(self) -> int:
        return await self._database.read(lambda connection: int(connection.execute(_sql["count_drafts"]).fetchone()[0]))

    async def get_meta(self, name: str) -> bytes | None:
        def work(connection: Connection) -> bytes | None:
            row = connection.execute(_sql["get_meta"], {"name": name}).fetchone()
            return None if row is None else bytes(row[0])

        return await self._database.read(work)

    async def set_meta(self, name: str, value: bytes) -> None:
        await self._database.write(lambda connection: connection.execute(_sql["set_meta"], {"name": name, "value": value}))

    async def _remove(self, query: str, identifier: str) -> bool:
        def work(connection: Connection) -> bool:
            is_gone = connection.execute(_sql[query], {"id": identifier}).rowcount > 0
            let_go(connection)
            return is_gone

        return await self._database.write(work)

    def _under_key(self, connection: Connection, letter: Letter) -> Letter | None:
        row = connection.execute(_sql["by_key"], {"key": letter.key}).fetchone()
        if row is not None and not hmac.compare_digest(bytes(row[8]), self._asked(letter)):
            raise UsageError("That key was used for another message; give each message its own.", code="key_reused")
        return None if row is None else _letter(row)

    def _put(self, connection: Connection, letter: Letter) -> None:
        content = letter.content
        assert content is not None  # noqa: S101 a new letter has words
        values = {
            "id": letter.id,
            "key": letter.key,
            "conversation": letter.conversation,
            "written_at": to_ms(content.shown.sent_at),
            "not_before": to_ms(letter.not_before),
            "asked": self._asked(letter),
            "value": encode(content),
        }
        connection.execute(_sql["add"], values)

    def _asked(self, letter: Letter) -> bytes:
        content = letter.content
        assert content is not None  # noqa: S101 a new letter has words
        asked: list[object] = [letter.conversation, content.text, content.reply_to]
        if not isinstance(content.shown.content, Text):
            asked += [content.shown.content, content.sha256]
        return hmac.digest(self._hash_key, encode(asked), hashlib.sha256)


def _kept_asked_key(connection: Connection) -> bytes | None:
    row = connection.execute(_sql["get_meta"], {"name": ASKED_KEY}).fetchone()
    return None if row is None else bytes(row[0])


def _is_queued(message: Message) -> bool:
    return message.delivery is not None and message.delivery.state is DeliveryState.QUEUED


def _one(connection: Connection, query: str, parameters: dict[str, Any]) -> Letter | None:
    row = connection.execute(_sql[query], parameters).fetchone()
    return None if row is None else _letter(row)


def _many(connection: Connection, query: str, parameters: dict[str, Any]) -> list[Letter]:
    return [_letter(row) for row in connection.execute(_sql[query], parameters)]


def _letter(row: Row | tuple[Any, ...]) -> Letter:
    identifier, key, conversation, state, not_before, attempts, value, message = tuple(row)[:8]
    content = decode(value, Content) if value else None
    return Letter(identifier, key, conversation, state, from_ms(not_before), attempts, content, message)


KEPT_AFTER = timedelta(days=30)
"""How long the key of a settled letter is remembered."""
