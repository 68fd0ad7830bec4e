-- What is known of conversations that were resolved, though the rest of them may be gone from this machine: no content, only the
-- times by which a message that comes late is judged. A conversation that nothing need be remembered of has no row.
CREATE TABLE resolved (
    id BLOB PRIMARY KEY,
    -- NULL while it is open again.
    resolved_at_ms INTEGER,
    -- When what was said before that falls due.
    expires_at_ms INTEGER NOT NULL,
    -- What was sent until then has been let go of, and is not taken in again though the conversation is open.
    forgotten_ms INTEGER NOT NULL,
    -- When all of it is past the window in any case, so that the row itself may go.
    until_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Until the next policy or change says better: a year, longer than any window that makes sense.
INSERT INTO resolved SELECT id, resolved_at_ms, expires_at_ms, 0, resolved_at_ms + 31622400000
FROM conversations WHERE resolved_at_ms IS NOT NULL AND expires_at_ms > 0;
