"""The files that go with letters: a row each in the outbox, with the key of the sealed file beside it."""

from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple

from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.times import from_ms, to_ms
from wabiz_tui.model.secret import Secret

FOLDER = "outbox-files"
_sql = load_queries("outbox.sql")


class Attachment(NamedTuple):
    """`sha256` in hexadecimal, `media` Meta's id of the file, to be sent until `media_until`."""

    id: str
    key: Secret
    size: int
    sha256: str
    mime_type: str
    name: str
    media: str | None = None
    media_until: datetime | None = None


def add_attachment(connection: Connection, letter: str, attachment: Attachment) -> None:
    values = attachment._asdict() | {"letter": letter, "key": attachment.key.reveal(), "media_until": None}
    connection.execute(_sql["add_attachment"], values)


def load_attachment(connection: Connection, identifier: str) -> Attachment | None:
    row = connection.execute(_sql["get_attachment"], {"id": identifier}).fetchone()
    if row is None:
        return None
    key, size, sha256, mime_type, name, media, until = row
    return Attachment(identifier, Secret(bytes(key)), size, sha256, mime_type, name, media, None if until is None else from_ms(until))


def note_media(connection: Connection, identifier: str, media: str, until: datetime) -> None:
    connection.execute(_sql["note_media"], {"id": identifier, "media": media, "until": to_ms(until)})


def give_to(connection: Connection, letter: str, other: str) -> None:
    """The file goes with another letter from here on."""
    connection.execute(_sql["give_attachment"], {"letter": letter, "other": other})


def let_go(connection: Connection) -> None:
    """Forget the keys of files whose letters have gone or are with the hub: what is left of the files is noise."""
    connection.execute(_sql["forget_attachments"])


def stray_files(connection: Connection, folder: Path) -> list[Path]:
    """The files in `folder` that have no row."""
    known = {str(row[0]) for row in connection.execute(_sql["all_attachments"])}
    return [path for path in folder.iterdir() if path.name not in known] if folder.is_dir() else []
