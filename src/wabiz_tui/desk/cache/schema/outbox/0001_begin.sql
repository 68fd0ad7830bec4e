-- What an agent wrote and the hub does not have yet: it outlives every epoch of the cache.
-- Times are milliseconds since 1970 (UTC).

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE letters (
    -- Rising: the order in which the agent wrote, kept within each conversation.
    turn INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    -- queued, sending, accepted, uncertain, failed, settled (the feed has brought it; only its key is kept)
    state TEXT NOT NULL,
    written_at_ms INTEGER NOT NULL,
    not_before_ms INTEGER NOT NULL,
    -- How often it may have reached the hub; 0 means that it certainly has not.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- HMAC of what was asked, so that the same key with other content is refused even after the content is gone.
    asked BLOB NOT NULL,
    -- The letter as JSON; empty once settled.
    value BLOB NOT NULL,
    -- The hub's own id of the message, once it has told it.
    message TEXT
);
CREATE INDEX letters_open ON letters (conversation, turn) WHERE state <> 'settled';
CREATE INDEX letters_by_message ON letters (message) WHERE message IS NOT NULL;

CREATE TABLE drafts (
    conversation TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    reply_to TEXT,
    saved_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
