"""The archive's tables, in SQLAlchemy Core for both engines; every key starts with the tenant (the WABA), so that it shards.

Times are milliseconds since 1970 UTC (`_ms`). What a customer or an agent wrote, and who the customer is, stands only in
`sealed` columns (see sealing.py); every other column is an id, a count, a time or a word of a closed set.
"""

from wabiz_tui.hub.archive.schema.base import metadata
from wabiz_tui.hub.archive.schema.erasure import key_epoch, restoration
from wabiz_tui.hub.archive.schema.feed import change, head
from wabiz_tui.hub.archive.schema.gateway import outgoing, upload
from wabiz_tui.hub.archive.schema.people import assertion, device, enrolment_code, epoch, integration, lease, person, receipt, token, uptime
from wabiz_tui.hub.archive.schema.routines import auto_reply, breach, canned, episode_clock, macro, macro_run, turn
from wabiz_tui.hub.archive.schema.rule import audit_entry, audit_node, audit_once, policy
from wabiz_tui.hub.archive.schema.shifts import shift
from wabiz_tui.hub.archive.schema.talk import (
    alias,
    alias_past,
    awaited,
    contact,
    contact_merge,
    conversation,
    episode,
    event,
    fold_position,
    media,
    media_use,
    message,
    message_key,
    number,
    quarantine,
    status,
)
from wabiz_tui.hub.archive.schema.work import note_key, team

__all__ = (
    "alias",
    "alias_past",
    "assertion",
    "audit_entry",
    "audit_node",
    "audit_once",
    "auto_reply",
    "awaited",
    "breach",
    "canned",
    "change",
    "contact",
    "contact_merge",
    "conversation",
    "device",
    "enrolment_code",
    "episode",
    "episode_clock",
    "epoch",
    "event",
    "fold_position",
    "head",
    "integration",
    "key_epoch",
    "lease",
    "macro",
    "macro_run",
    "media",
    "media_use",
    "message",
    "message_key",
    "metadata",
    "note_key",
    "number",
    "outgoing",
    "person",
    "policy",
    "quarantine",
    "receipt",
    "restoration",
    "shift",
    "status",
    "team",
    "token",
    "turn",
    "upload",
    "uptime",
)
