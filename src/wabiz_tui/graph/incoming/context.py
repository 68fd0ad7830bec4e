"""What a message says of its surroundings: which message it answers, whether it was forwarded, which advertisement led to it."""

from typing import Any

from wabiz_tui.graph.parsed import Forwarded
from wabiz_tui.graph.reading import Json, object_of, without, word, word_or_none
from wabiz_tui.model.values import Referral

_REFERRAL_WORDS = ("source_url", "source_id", "source_type", "headline", "body", "ctwa_clid")


def read_context(value: Any) -> tuple[Json | None, str | None, Forwarded | None]:
    """What is left of `context`, the quoted message's id, the forwarding.

    `context` is no sign of a reply: it may only say that the message was forwarded, or name a product (cloud-api §7).
    """
    if not isinstance(value, dict):
        return None, None, None
    context = object_of(value)
    often, once = context.get("frequently_forwarded") is True, context.get("forwarded") is True
    reply_to = word_or_none(context.get("id")) or word_or_none(context.get("message_id"))
    held = [key for key in ("forwarded", "frequently_forwarded") if context.get(key) is True and not (often and key == "forwarded")]
    held += [key for key in ("id", "message_id") if reply_to is not None and word(context.get(key)) == reply_to]
    return without(context, *held) or None, reply_to, "often" if often else "once" if once else None


def read_referral(value: Any) -> Referral | None:
    """The advertisement or post of a click-to-WhatsApp message; what is not among its six words is in `other`."""
    if not isinstance(value, dict):
        return None
    referral = object_of(value)
    words = {key: text for key in _REFERRAL_WORDS if (text := word(referral.get(key)))}
    return Referral(other=without(referral, *words) or None, **words)
