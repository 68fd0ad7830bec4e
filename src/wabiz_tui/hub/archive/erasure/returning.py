"""Whether what a webhook brings was erased before: redelivered, told late, imported as history, or echoed by a phone."""

from wabiz_tui.graph.identity import aliases_of, spellings
from wabiz_tui.graph.parsed import EchoedMessage, HistoryMessage, IncomingMessage, StatusUpdate
from wabiz_tui.hub.archive.contacts import alias_hash
from wabiz_tui.hub.archive.erasure.finding import target_of
from wabiz_tui.hub.archive.events import event_hash
from wabiz_tui.hub.archive.messages import wamid_hash
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.archive.times import to_ms


def is_erased(reading: Reading, part: IncomingMessage | EchoedMessage | HistoryMessage) -> bool:
    """Also of what speaks of an erased message (an edit would bring its words back), and of history from before a person was erased.

    What an erased person writes is taken whenever it comes, as from a new contact, unless it was erased itself."""
    if not reading.tombstones.has_any():
        return False
    target = target_of(part.content)
    wamids = (part.wamid,) if target is None else (part.wamid, target)
    if any(reading.tombstones.until("wamid", wamid_hash(reading, wamid)) is not None for wamid in wamids):
        return True
    return isinstance(part, HistoryMessage) and _is_history_of_erased(reading, part)


def is_status_of_erased(reading: Reading, part: StatusUpdate, message: str | None) -> bool:
    """`message` is the one of ours that the status names, though it is not there."""
    if not reading.tombstones.has_any():
        return False
    if message is not None and reading.tombstones.until("message", reading.sealer.lookup("message", message)) is not None:
        return True
    return reading.tombstones.until("wamid", wamid_hash(reading, part.wamid)) is not None


def is_erased_event(reading: Reading, identity: str) -> bool:
    return reading.tombstones.has_any() and reading.tombstones.until("event", event_hash(reading, identity)) is not None


def _is_history_of_erased(reading: Reading, part: HistoryMessage) -> bool:
    hashes = [alias_hash(reading, spelling) for alias in aliases_of(part.contact) for spelling in spellings(alias)]
    until = [at for one in hashes if (at := reading.tombstones.until("alias", one)) is not None]
    return bool(until) and to_ms(part.sent_at) <= max(until)
