"""The delivery ladder: one mark per state, and the sentence for what went wrong."""

from typing import Final

from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Delivery, DeliveryState
from wabiz_tui.tui.wording.spans import Span

TICKS: Final[dict[DeliveryState, tuple[str, str]]] = {
    DeliveryState.QUEUED: ("◷", "muted"),
    DeliveryState.ACCEPTED: ("·", "muted"),
    DeliveryState.SENT: ("✓", "muted"),
    DeliveryState.DELIVERED: ("✓✓", "muted"),
    DeliveryState.READ: ("✓✓", "read"),
    DeliveryState.PLAYED: ("✓✓", "read"),
    DeliveryState.FAILED: ("✗", "bad.strong"),
    DeliveryState.UNCERTAIN: ("?", "warn.strong"),
}
WORDS: Final = {
    DeliveryState.QUEUED: "queued",
    DeliveryState.ACCEPTED: "accepted",
    DeliveryState.SENT: "sent",
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.READ: "read",
    DeliveryState.PLAYED: "played",
    DeliveryState.FAILED: "failed",
    DeliveryState.UNCERTAIN: "uncertain",
}


def tick(state: DeliveryState, *, ground: str = "") -> Span:
    glyph, role = TICKS[state]
    return Span(glyph, role, ground)


def sentence(delivery: Delivery) -> str:
    """What the agent must know of a message that did not simply arrive; empty for all others."""
    if delivery.state is DeliveryState.UNCERTAIN:
        return "May have been sent: the answer was lost. A status from WhatsApp settles it. Ctrl+R sends it again."
    if delivery.state is DeliveryState.QUEUED:
        return safe_line(delivery.sentence, limit=300)
    if delivery.state is not DeliveryState.FAILED:
        return ""
    error = delivery.error
    reason = delivery.sentence or (error and (error.details or error.message or error.title)) or "WhatsApp gave no reason."
    code = f" (code {error.code})" if error is not None and error.code else ""
    return f"Not sent: {safe_line(reason, limit=300)}{code} Ctrl+R tries again."
