-- name: find
SELECT resolved_at_ms, expires_at_ms, forgotten_ms FROM resolved WHERE id = :id

-- name: find_all
SELECT id, resolved_at_ms, forgotten_ms FROM resolved WHERE id IN (:keys)

-- name: put
INSERT INTO resolved (id, resolved_at_ms, expires_at_ms, forgotten_ms, until_ms)
VALUES (:id, :resolved_at, :expires_at, :forgotten, :until)
ON CONFLICT (id) DO UPDATE SET resolved_at_ms = excluded.resolved_at_ms, expires_at_ms = excluded.expires_at_ms,
    forgotten_ms = excluded.forgotten_ms, until_ms = excluded.until_ms

-- name: delete
DELETE FROM resolved WHERE id = :id

-- name: delete_every
DELETE FROM resolved

-- name: take_in_again
UPDATE resolved SET forgotten_ms = 0 WHERE forgotten_ms > 0

-- name: times
SELECT id, resolved_at_ms FROM resolved WHERE resolved_at_ms IS NOT NULL AND expires_at_ms > :now

-- name: set_times
UPDATE resolved SET expires_at_ms = :expires_at, until_ms = max(until_ms, :until) WHERE id = :id
