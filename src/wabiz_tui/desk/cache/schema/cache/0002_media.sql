-- The files of messages that this machine holds. Each lies sealed beside this database under a key of its own, and that key lies
-- here alone: a row that a rebuild leaves out makes its file noise, in every copy of it.
CREATE TABLE media (
    message BLOB PRIMARY KEY,
    -- Of the sealed file in the media folder: random, so that it tells nothing.
    name TEXT NOT NULL,
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
