"""The archive's tables, in SQLAlchemy Core for both engines; every key starts with the tenant (the WABA), so that it shards.

Times are milliseconds since 1970 UTC (`_ms`). What a customer or an agent wrote, and who the customer is, stands only in
`sealed` columns (see sealing.py); every other column is an id, a count, a time or a word of a closed set.
"""

import sqlalchemy as sa

metadata = sa.MetaData()


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", sa.String(64), primary_key=True)


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(64), primary_key=True)


def _ms(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


head = sa.Table("feed_head", metadata, _tenant(), sa.Column("seq", sa.BigInteger, nullable=False))

change = sa.Table(
    "change",
    metadata,
    _tenant(),
    sa.Column("entity", sa.String(16), primary_key=True),
    _id(),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index("change_by_seq", "tenant", "seq", unique=True),
)

number = sa.Table(
    "number", metadata, _tenant(), _id(), sa.Column("display", sa.String(64), nullable=False), sa.Column("name", sa.Text, nullable=False)
)

contact = sa.Table(
    "contact",
    metadata,
    _tenant(),
    _id(),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("is_group", sa.Boolean, nullable=False),
    sa.Column("merged_into", sa.String(64)),
    _ms("created_ms", nullable=False),
    _ms("last_seen_ms"),
)

# The values of aliases are personal data: only keyed hashes of them are here, the values are in the contact's sealed record.
alias = sa.Table(
    "alias",
    metadata,
    _tenant(),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("contact", sa.String(64), nullable=False),
    _ms("from_ms", nullable=False),
    sa.Index("alias_by_contact", "tenant", "contact"),
)

alias_past = sa.Table(
    "alias_past",
    metadata,
    _tenant(),
    _id(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("hash", sa.LargeBinary(16), nullable=False),
    sa.Column("contact", sa.String(64), nullable=False),
    _ms("from_ms", nullable=False),
    _ms("to_ms", nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Index("alias_past_by_hash", "tenant", "hash"),
)

# What a merge moved, so that it can be undone: ids only.
contact_merge = sa.Table(
    "contact_merge",
    metadata,
    _tenant(),
    _id(),
    sa.Column("kept", sa.String(64), nullable=False),
    sa.Column("merged", sa.String(64), nullable=False),
    sa.Column("moved", sa.Text, nullable=False),
    _ms("at_ms", nullable=False),
)

conversation = sa.Table(
    "conversation",
    metadata,
    _tenant(),
    _id(),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("contact", sa.String(64), nullable=False),
    sa.Column("episode", sa.String(64), nullable=False),
    sa.Column("unread", sa.Integer, nullable=False),
    _ms("last_ms"),
    sa.Column("last_message", sa.String(64)),
    _ms("window_until_ms"),
    _ms("waiting_since_ms"),
    _ms("created_ms", nullable=False),
    sa.Index("conversation_by_contact", "tenant", "contact", "number"),
)

episode = sa.Table(
    "episode",
    metadata,
    _tenant(),
    _id(),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("assignee", sa.String(64)),
    sa.Column("team", sa.String(64)),
    sa.Column("priority", sa.String(16), nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    _ms("opened_ms", nullable=False),
    _ms("resolved_ms"),
    _ms("snoozed_until_ms"),
    sa.Index("episode_by_conversation", "tenant", "conversation"),
)

message = sa.Table(
    "message",
    metadata,
    _tenant(),
    _id(),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("direction", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    _ms("sent_ms", nullable=False),
    sa.Column("is_unread", sa.Boolean, nullable=False),
    sa.Column("author", sa.String(64)),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("delivery", sa.Text),
    _ms("archived_ms", nullable=False),
    sa.Index("message_by_conversation", "tenant", "conversation", "sent_ms", "id"),
    postgresql_partition_by="LIST (month)",
)

# Uniqueness of wamids lives here, so that `message` can be partitioned by month. The hash is keyed: a wamid holds a phone number.
message_key = sa.Table(
    "message_key",
    metadata,
    _tenant(),
    sa.Column("wamid_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("message", sa.String(64), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Index("message_key_by_message", "tenant", "message"),
)

# Every status ever told, once; `message` is empty until the message it speaks of is known.
status = sa.Table(
    "status",
    metadata,
    _tenant(),
    sa.Column("identity", sa.LargeBinary(16), primary_key=True),
    sa.Column("wamid_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("message", sa.String(64)),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    _ms("at_ms", nullable=False),
    sa.Index("status_by_wamid", "tenant", "wamid_hash"),
)

# Reactions, edits and revokes whose target is not here yet: applied when it comes.
awaited = sa.Table(
    "awaited",
    metadata,
    _tenant(),
    sa.Column("target_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("message", sa.String(64), primary_key=True),
)

event = sa.Table(
    "event",
    metadata,
    _tenant(),
    _id(),
    sa.Column("identity", sa.LargeBinary(16), nullable=False),
    sa.Column("field", sa.String(128), nullable=False),
    sa.Column("number", sa.String(64)),
    sa.Column("month", sa.String(7), nullable=False),
    _ms("at_ms", nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("event_by_identity", "tenant", "identity", unique=True),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    _tenant(),
    sa.Column("entry", sa.BigInteger, primary_key=True),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    _ms("at_ms", nullable=False),
)

fold_position = sa.Table("fold_position", metadata, _tenant(), sa.Column("entry", sa.BigInteger, nullable=False))

media = sa.Table(
    "media",
    metadata,
    _tenant(),
    sa.Column("message", sa.String(64), primary_key=True),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    _ms("next_try_ms", nullable=False),
    _ms("expires_ms", nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Index("media_by_state", "tenant", "state", "next_try_ms"),
)

person = sa.Table(
    "person",
    metadata,
    _tenant(),
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("teams", sa.Text, nullable=False),
    _ms("created_ms", nullable=False),
)

enrolment_code = sa.Table(
    "enrolment_code",
    metadata,
    _tenant(),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.String(64), nullable=False),
    _ms("expires_ms", nullable=False),
    _ms("used_ms"),
)

device = sa.Table(
    "device",
    metadata,
    _tenant(),
    _id(),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary(32), nullable=False),
    sa.Column("cache_id", sa.String(32), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("policy", sa.Integer, nullable=False),
    sa.Column("receipt_number", sa.Integer, nullable=False),
    sa.Column("receipt_hash", sa.String(64), nullable=False),
    _ms("enrolled_ms", nullable=False),
    _ms("seen_ms"),
    _ms("lease_until_ms"),
    _ms("last_receipt_ms"),
    _ms("revoked_ms"),
)

epoch = sa.Table(
    "epoch",
    metadata,
    _tenant(),
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    _ms("begun_ms", nullable=False),
    _ms("destroyed_ms"),
    sa.Column("reason", sa.String(32)),
)

token = sa.Table(
    "token",
    metadata,
    _tenant(),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("device", sa.String(64), nullable=False),
    _ms("expires_ms", nullable=False),
    sa.Index("token_by_device", "tenant", "device"),
)

assertion = sa.Table(
    "assertion", metadata, _tenant(), sa.Column("hash", sa.LargeBinary(32), primary_key=True), _ms("expires_ms", nullable=False)
)

receipt = sa.Table(
    "receipt",
    metadata,
    _tenant(),
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("signed", sa.Text, nullable=False),
    _ms("received_ms", nullable=False),
)

policy = sa.Table(
    "policy",
    metadata,
    _tenant(),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("approved_by", sa.String(64)),
    _ms("at_ms", nullable=False),
    _ms("waits_until_ms"),
)

# A send under its caller's idempotency key. `answer` is the Graph-shaped answer once there is one.
outgoing = sa.Table(
    "outgoing",
    metadata,
    _tenant(),
    sa.Column("caller", sa.String(64), primary_key=True),
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("body_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("message", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("http_status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    _ms("at_ms", nullable=False),
    sa.Index("outgoing_by_message", "tenant", "message", unique=True),
)

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    _tenant(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary(32), nullable=False),
    sa.Column("commitment", sa.LargeBinary(32), nullable=False),
    _ms("at_ms", nullable=False),
)

audit_node = sa.Table(
    "audit_node",
    metadata,
    _tenant(),
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
)

# Readings that the log tells once a day: a hash of who, what and when.
audit_once = sa.Table("audit_once", metadata, _tenant(), sa.Column("hash", sa.LargeBinary(32), primary_key=True))

# Other programs that send through the gateway. Of their key only a hash is here; numbers and permissions are JSON lists.
integration = sa.Table(
    "integration",
    metadata,
    _tenant(),
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    sa.Column("rate", sa.Integer, nullable=False),
    sa.Column("any_hour", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    _ms("created_ms", nullable=False),
    _ms("revoked_ms"),
)

# Files uploaded through the gateway, found by a keyed hash of Meta's media id; type, size and hash of the file are sealed.
upload = sa.Table(
    "upload",
    metadata,
    _tenant(),
    sa.Column("media_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("caller", sa.String(64), nullable=False),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    _ms("at_ms", nullable=False),
)

# Which messages hold a file of Meta's: whoever may see one of them may have the file.
media_use = sa.Table(
    "media_use",
    metadata,
    _tenant(),
    sa.Column("media_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("message", sa.String(64), primary_key=True),
)
