"""Statuses in the archive: each told fact once, joined to its message now or when that becomes known."""

from wabiz_tui.graph.parsed import StatusUpdate
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.messages import Filed, wamid_hash
from wabiz_tui.hub.archive.sealing import month_of, text_unit, waiting_unit
from wabiz_tui.hub.archive.shelves import Sealing, Shelved
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.model.values import Message

# Found by their wamid only while they wait for its message.
STATUSES = Shelved(
    schema.status,
    "identity",
    group="wamid_hash",
    belongs=lambda row: row["message"] is None,
    belonging=schema.status.c.message.is_(None),
    sealing=Sealing(StatusUpdate, unit=lambda row: row["unit"], about=lambda row: f"status/{row['identity'].hex()}"),
)


def is_known_status(reading: Reading, update: StatusUpdate) -> bool:
    return reading.shelf(STATUSES).get(status_hash(reading, update)) is not None


def add_status(writing: Writing, update: StatusUpdate, message: Filed | None) -> None:
    """Keep a status: with its message's content, or apart while the message is unknown."""
    row = {
        "identity": status_hash(writing, update),
        "wamid_hash": wamid_hash(writing, update.wamid),
        "message": None if message is None else message.id,
        "unit": waiting_unit(month_of(update.at)) if message is None else text_unit(message.conversation, message.month),
        "at_ms": to_ms(update.at),
    }
    writing.shelf(STATUSES).add(row, update)


def take_waiting(writing: Writing, wamid: str, message: Message) -> list[StatusUpdate]:
    """The statuses that came before their message: they are its own from now on."""
    shelf, unit = writing.shelf(STATUSES), text_unit(message.conversation, month_of(message.sent_at))
    found: list[StatusUpdate] = []
    for row in sorted(shelf.group(wamid_hash(writing, wamid)), key=lambda row: row["identity"]):
        update = shelf.value(row["identity"])
        if update is not None:
            found.append(update)
            shelf.change(row["identity"], message=message.id, unit=unit)
            shelf.replace(row["identity"], update)
    return found


def status_event(update: StatusUpdate) -> str:
    """The identity of the event that shows a status while its message is not known."""
    return f"status:{update.identity}"


def status_hash(reading: Reading, update: StatusUpdate) -> bytes:
    return reading.sealer.lookup("status", update.identity)
