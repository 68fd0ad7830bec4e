"""Customers and what was said: contacts, conversations, messages, statuses, events, files."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import id_key, metadata, ms, tenant_key

number = sa.Table(
    "number",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("display", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)

contact = sa.Table(
    "contact",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("is_group", sa.Boolean, nullable=False),
    sa.Column("merged_into", sa.String(64)),
    ms("created_ms", nullable=False),
    ms("last_seen_ms"),
)

# The values of aliases are personal data: only keyed hashes of them are here, the values are in the contact's sealed record.
alias = sa.Table(
    "alias",
    metadata,
    tenant_key(),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("contact", sa.String(64), nullable=False),
    ms("from_ms", nullable=False),
    sa.Index("alias_by_contact", "tenant", "contact"),
)

alias_past = sa.Table(
    "alias_past",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("hash", sa.LargeBinary(16), nullable=False),
    sa.Column("contact", sa.String(64), nullable=False),
    ms("from_ms", nullable=False),
    ms("to_ms", nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Index("alias_past_by_hash", "tenant", "hash"),
)

# What a merge moved, so that it can be undone: ids only.
contact_merge = sa.Table(
    "contact_merge",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("kept", sa.String(64), nullable=False),
    sa.Column("merged", sa.String(64), nullable=False),
    sa.Column("moved", sa.Text, nullable=False),
    ms("at_ms", nullable=False),
)

conversation = sa.Table(
    "conversation",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("contact", sa.String(64), nullable=False),
    sa.Column("episode", sa.String(64), nullable=False),
    sa.Column("unread", sa.Integer, nullable=False),
    ms("last_ms"),
    sa.Column("last_message", sa.String(64)),
    ms("window_until_ms"),
    ms("waiting_since_ms"),
    ms("created_ms", nullable=False),
    sa.Index("conversation_by_contact", "tenant", "contact", "number"),
)

episode = sa.Table(
    "episode",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("assignee", sa.String(64)),
    sa.Column("assigned_by", sa.String(64)),
    sa.Column("team", sa.String(64)),
    sa.Column("priority", sa.String(16), nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    ms("opened_ms", nullable=False),
    ms("resolved_ms"),
    ms("snoozed_until_ms"),
    ms("asked_ms"),
    ms("first_response_ms"),
    sa.Index("episode_by_conversation", "tenant", "conversation"),
    sa.Index("episode_by_status", "tenant", "status", "assignee"),
    sa.Index("episode_by_snooze", "tenant", "snoozed_until_ms"),
    sa.Index("episode_by_assignee", "tenant", "assignee"),
)

message = sa.Table(
    "message",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("direction", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    ms("sent_ms", nullable=False),
    sa.Column("is_unread", sa.Boolean, nullable=False),
    sa.Column("author", sa.String(64)),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("delivery", sa.Text),
    ms("archived_ms", nullable=False),
    sa.Index("message_by_conversation", "tenant", "conversation", "sent_ms", "id"),
    postgresql_partition_by="LIST (month)",
)

# Uniqueness of wamids lives here, so that `message` can be partitioned by month. The hash is keyed: a wamid holds a phone number.
message_key = sa.Table(
    "message_key",
    metadata,
    tenant_key(),
    sa.Column("wamid_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("message", sa.String(64), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Index("message_key_by_message", "tenant", "message"),
)

# Every status ever told, once; `message` is empty until the message it speaks of is known.
status = sa.Table(
    "status",
    metadata,
    tenant_key(),
    sa.Column("identity", sa.LargeBinary(16), primary_key=True),
    sa.Column("wamid_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("message", sa.String(64)),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    ms("at_ms", nullable=False),
    sa.Index("status_by_wamid", "tenant", "wamid_hash"),
)

# Reactions, edits and revokes whose target is not here yet: applied when it comes.
awaited = sa.Table(
    "awaited",
    metadata,
    tenant_key(),
    sa.Column("target_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("message", sa.String(64), primary_key=True),
)

event = sa.Table(
    "event",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("identity", sa.LargeBinary(16), nullable=False),
    sa.Column("field", sa.String(128), nullable=False),
    sa.Column("number", sa.String(64)),
    sa.Column("month", sa.String(7), nullable=False),
    ms("at_ms", nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("event_by_identity", "tenant", "identity", unique=True),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    tenant_key(),
    sa.Column("entry", sa.BigInteger, primary_key=True),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    ms("at_ms", nullable=False),
)

fold_position = sa.Table("fold_position", metadata, tenant_key(), sa.Column("entry", sa.BigInteger, nullable=False))

media = sa.Table(
    "media",
    metadata,
    tenant_key(),
    sa.Column("message", sa.String(64), primary_key=True),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    ms("next_try_ms", nullable=False),
    ms("expires_ms", nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Index("media_by_state", "tenant", "state", "next_try_ms"),
)

# Which messages hold a file of Meta's: whoever may see one of them may have the file.
media_use = sa.Table(
    "media_use",
    metadata,
    tenant_key(),
    sa.Column("media_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("message", sa.String(64), primary_key=True),
    sa.Index("media_use_by_message", "tenant", "message"),
)
