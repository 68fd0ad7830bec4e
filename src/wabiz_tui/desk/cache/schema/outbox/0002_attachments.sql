-- Files on their way to a customer. Their bytes lie sealed beside this database, each under the key in its row alone: with the row
-- goes the file, wherever copies of its bytes may be.

CREATE TABLE attachments (
    -- Also the file's name on the disk and the id of its upload at the hub.
    id TEXT PRIMARY KEY,
    letter TEXT NOT NULL UNIQUE,
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    -- Hexadecimal.
    sha256 TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Meta's id, once the hub has passed the file on, and until when it may be sent.
    media TEXT,
    media_until_ms INTEGER
) WITHOUT ROWID;
