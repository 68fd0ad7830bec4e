-- The files this machine holds. A file is never visible longer than its message.

-- name: find
SELECT f.name, f.key, f.size, f.sha256 FROM media f JOIN messages m ON m.id = f.message
WHERE f.message = :message AND f.expires_at_ms > :now AND m.expires_at_ms > :now

-- name: put
INSERT INTO media (message, name, key, size, sha256, sent_at_ms, used_at_ms, expires_at_ms)
VALUES (:message, :name, :key, :size, :sha256, :sent_at, :used_at, :expires_at)
ON CONFLICT (message) DO UPDATE SET name = excluded.name, key = excluded.key, size = excluded.size, sha256 = excluded.sha256,
    sent_at_ms = excluded.sent_at_ms, used_at_ms = excluded.used_at_ms, expires_at_ms = excluded.expires_at_ms

-- name: touch
UPDATE media SET used_at_ms = :now WHERE message = :message AND used_at_ms < :now

-- name: delete
DELETE FROM media WHERE message = :message

-- name: retime
UPDATE media SET expires_at_ms = sent_at_ms + :span WHERE expires_at_ms <> sent_at_ms + :span

-- name: held
SELECT count(*), coalesce(sum(size), 0) FROM media

-- name: names
SELECT name FROM media

-- name: least_used
SELECT message, name, size FROM media ORDER BY used_at_ms

-- name: live
SELECT f.message, f.name, f.key, f.size, f.sha256, f.sent_at_ms, f.used_at_ms, f.expires_at_ms
FROM media f JOIN messages m ON m.id = f.message WHERE f.expires_at_ms > :now AND m.expires_at_ms > :now

-- name: due
SELECT lower(hex(f.message)) FROM media f LEFT JOIN messages m ON m.id = f.message
WHERE f.expires_at_ms <= :now OR m.id IS NULL OR m.expires_at_ms <= :now

-- name: copy
INSERT INTO media (message, name, key, size, sha256, sent_at_ms, used_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: wanted_ahead
SELECT m.value FROM messages m JOIN conversations c ON c.id = m.conversation LEFT JOIN media f ON f.message = m.id
WHERE f.message IS NULL AND m.expires_at_ms > :now AND c.expires_at_ms > :now AND m.sent_at_ms > :since
    AND m.conversation = :conversation AND (:everybody OR c.assignee = :me)
ORDER BY m.sent_at_ms DESC LIMIT :limit
