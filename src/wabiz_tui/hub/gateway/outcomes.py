"""What became of a message: for programs that hear no webhooks, by its wamid or, while nobody knows that, by the hub's own id."""

from typing import Any

from wabiz_tui.hub.archive.conversations import load_conversation
from wabiz_tui.hub.archive.messages import find_by_wamid, load_message
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.gateway.answers import Answered
from wabiz_tui.hub.gateway.sender import Sender, require
from wabiz_tui.model.codec import encode
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.values import Direction, Message


def message_history(reading: Reading, sender: Sender, number: str, named: str) -> Answered:
    """`GET /{number}/message_history?message_id=`, from the archive: an empty list alike for what is not there and what the sender may
    not see. Raises CloudError 10 without the permission to send."""
    require(sender, "message.send")
    found = named if is_id(named) else find_by_wamid(reading, named) if named else None
    message = load_message(reading, found) if found is not None else None
    stored = load_conversation(reading, message.conversation) if message is not None else None
    is_seen = stored is not None and sender.can_see(stored) and stored.value.number == number and sender.has_number(number)
    shown = [_told(message)] if message is not None and message.direction is Direction.OUTGOING and is_seen else []
    return Answered(200, encode({"data": shown}))


def _told(message: Message) -> dict[str, Any]:
    delivery = message.delivery
    events = [] if delivery is None else sorted(delivery.at.items(), key=lambda one: one[1])
    told: dict[str, Any] = {
        "id": message.id,
        "message_id": message.wamid or "",
        "delivery_status": "" if delivery is None else delivery.state.upper(),
        "events": {"data": [{"delivery_status": state.upper(), "timestamp": int(at.timestamp())} for state, at in events]},
    }
    if delivery is not None and delivery.error is not None:
        told["error_description"] = delivery.error.details or delivery.error.title
    theirs = (message.extra or {}).get("biz_opaque_callback_data")
    return told if theirs is None else told | {"biz_opaque_callback_data": theirs}
