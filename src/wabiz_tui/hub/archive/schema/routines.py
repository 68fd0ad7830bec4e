"""What spares people work: canned responses, macros, the clocks of service levels, whose turn it is, automatic replies."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import id_key, metadata, ms, tenant_key

# Shortcut and text are sealed; the keyed hash of team and shortcut lets no team have one twice.
canned = sa.Table(
    "canned",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("name_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("canned_by_name", "tenant", "name_hash", unique=True),
)

macro = sa.Table(
    "macro",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("name_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("macro_by_name", "tenant", "name_hash", unique=True),
)

# A macro that was run under its caller's idempotency key. `answer` is there once its sends have theirs; it holds ids and codes.
macro_run = sa.Table(
    "macro_run",
    metadata,
    tenant_key(),
    sa.Column("caller", sa.String(64), primary_key=True),
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("run", sa.String(64), nullable=False),
    sa.Column("macro", sa.String(64), nullable=False),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("answer", sa.Text),
    ms("at_ms", nullable=False),
)

# How an episode stands with its service levels and its queue. There are rows only where the policy has levels or deals work out.
# `alarm_ms` is the next level to run out, `queued_ms` since when it waits to be given to somebody; `let_go_by` lists who did not want it.
episode_clock = sa.Table(
    "episode_clock",
    metadata,
    tenant_key(),
    sa.Column("episode", sa.String(64), primary_key=True),
    sa.Column("conversation", sa.String(64), nullable=False),
    ms("running_ms"),
    sa.Column("spent_ms", sa.BigInteger),
    ms("waiting_ms"),
    ms("response_due_ms"),
    ms("resolution_due_ms"),
    ms("alarm_ms"),
    sa.Column("had_by", sa.String(64)),
    ms("queued_ms"),
    sa.Column("let_go_by", sa.Text),
    sa.Index("episode_clock_by_alarm", "tenant", "alarm_ms"),
    sa.Index("episode_clock_by_queue", "tenant", "queued_ms"),
)

# A level that ran out, once: `begun_ms` is when its clock began.
breach = sa.Table(
    "breach",
    metadata,
    tenant_key(),
    sa.Column("episode", sa.String(64), primary_key=True),
    sa.Column("clock", sa.String(16), primary_key=True),
    sa.Column("begun_ms", sa.BigInteger, primary_key=True),
    sa.Column("conversation", sa.String(64), nullable=False),
    ms("due_ms", nullable=False),
    ms("at_ms", nullable=False),
    sa.Index("breach_by_time", "tenant", "due_ms"),
)

# When somebody was last given a conversation.
turn = sa.Table("turn", metadata, tenant_key(), sa.Column("person", sa.String(64), primary_key=True), ms("at_ms", nullable=False))

# The reply out of hours: one for a conversation in 24 hours, from the customer's message that asked for it.
auto_reply = sa.Table(
    "auto_reply",
    metadata,
    tenant_key(),
    sa.Column("conversation", sa.String(64), primary_key=True),
    sa.Column("asked_ms", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("message", sa.String(64)),
    ms("at_ms", nullable=False),
    sa.Index("auto_reply_by_state", "tenant", "state", "at_ms"),
)
