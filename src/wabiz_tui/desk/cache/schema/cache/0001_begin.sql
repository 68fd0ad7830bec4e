-- What a device holds of the archive. Values are the JSON of model/values.py; columns repeat what queries need.
-- Times are milliseconds since 1970 (UTC). A row whose expires_at_ms has passed is invisible to every query, and
-- destroyed by the next rebuild; 0 means it was taken away (removed by the hub, or beyond max_messages).

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE conversations (
    id BLOB PRIMARY KEY,
    contact BLOB NOT NULL,
    status TEXT NOT NULL,
    assignee TEXT,
    unread INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    resolved_at_ms INTEGER,
    -- When the words of the last message may no longer be shown in the queue.
    preview_until_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    value BLOB NOT NULL
);
-- Holds everything the views of the queue ask for, so that paging and counting never touch the table.
CREATE INDEX conversations_in_order ON conversations (last_at_ms DESC, id, status, assignee, unread, expires_at_ms);

CREATE INDEX conversations_by_contact ON conversations (contact);

CREATE TABLE contacts (
    id BLOB PRIMARY KEY,
    expires_at_ms INTEGER NOT NULL,
    value BLOB NOT NULL
);

CREATE TABLE messages (
    -- Made from the time, so that the newest hit of a search is the one with the highest number.
    doc INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    conversation BLOB NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    is_incoming INTEGER NOT NULL,
    idempotency_key TEXT,
    value BLOB NOT NULL
);
CREATE INDEX messages_in_order ON messages (conversation, sent_at_ms, id, is_incoming, expires_at_ms);
CREATE INDEX messages_by_expiry ON messages (expires_at_ms);
CREATE INDEX messages_by_key ON messages (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Contentless: the words are found, but cannot be read back from the index row by row.
CREATE VIRTUAL TABLE words USING fts5 (
    body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE events (
    id BLOB PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX events_in_order ON events (at_ms);

CREATE TABLE numbers (
    id TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
