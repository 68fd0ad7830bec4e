"""The rows of the files this machine holds: which message, which sealed file, under which key, until when."""

from datetime import timedelta
from sqlite3 import Connection
from typing import NamedTuple

from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.times import find_key, to_key, to_ms
from wabiz_tui.model.content import Media
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Message

_sql = load_queries("media.sql")
_MILLISECOND = timedelta(milliseconds=1)
_LOOKED_AT = 200
"""Messages of a conversation among which files are looked for ahead of being asked for."""


class HeldFile(NamedTuple):
    """A sealed file of this machine: `name` in the media folder, `size` and `sha256` of what is sealed in it."""

    message: str
    name: str
    key: Secret
    size: int
    sha256: bytes


def find(connection: Connection, message: str, *, now: int) -> HeldFile | None:
    row = connection.execute(_sql["find"], {"message": find_key(message), "now": now}).fetchone()
    return None if row is None else HeldFile(message, str(row[0]), Secret(bytes(row[1])), int(row[2]), bytes(row[3]))


def put(connection: Connection, held: HeldFile, message: Message, *, now: int, span: timedelta) -> None:
    """`span` is how long after its message's time the policy lets a file stay."""
    sent_at = to_ms(message.sent_at)
    row = {
        "message": to_key(held.message),
        "name": held.name,
        "key": held.key.reveal(),
        "size": held.size,
        "sha256": held.sha256,
        "sent_at": sent_at,
        "used_at": now,
        "expires_at": sent_at + span // _MILLISECOND,
    }
    connection.execute(_sql["put"], row)


def touch(connection: Connection, message: str, *, now: int) -> None:
    """It was used: it goes later than others when room is needed."""
    connection.execute(_sql["touch"], {"message": find_key(message), "now": now})


def forget(connection: Connection, message: str) -> None:
    connection.execute(_sql["delete"], {"message": find_key(message)})


def retime(connection: Connection, span: timedelta) -> int:
    """Each file's end, by the policy as it is; how many it moved."""
    return connection.execute(_sql["retime"], {"span": span // _MILLISECOND}).rowcount


def names(connection: Connection) -> set[str]:
    """Of all sealed files that some row names, due or not."""
    return {str(row[0]) for row in connection.execute(_sql["names"])}


def make_room(connection: Connection, wanted: int, *, limit: int) -> list[str]:
    """Drop the least used rows until `wanted` more bytes are within `limit`; the names of their files."""
    held = int(connection.execute(_sql["held"]).fetchone()[1])
    dropped: list[str] = []
    for message, name, size in connection.execute(_sql["least_used"]).fetchall():
        if held + wanted <= limit:
            break
        connection.execute(_sql["delete"], {"message": message})
        dropped.append(str(name))
        held -= int(size)
    return dropped


def wanted_ahead(connection: Connection, conversation: str, *, me: str, everybody: bool, since: int, now: int) -> list[Message]:
    """Messages of a conversation with a file at the hub that is not here, newest first; only if it is `me`'s, or `everybody`'s count."""
    at = {"conversation": find_key(conversation), "me": me, "everybody": everybody, "since": since, "now": now, "limit": _LOOKED_AT}
    found = (stored(bytes(row[0]), Message) for row in connection.execute(_sql["wanted_ahead"], at).fetchall())
    return [message for message in found if isinstance(message.content, Media) and message.content.stored == "stored"]
