-- The queries of search. {conditions} are those of the filters, joined to what is here by search/finding.py.

-- name: by_words
SELECT m.value, c.value FROM words w
CROSS JOIN messages m ON m.doc = w.rowid
LEFT JOIN conversations c ON c.id = m.conversation AND c.expires_at_ms > :now
WHERE w.words MATCH :words AND m.expires_at_ms > :now {conditions} ORDER BY w.rowid DESC LIMIT :limit

-- name: by_rank
SELECT m.value, c.value FROM words w
CROSS JOIN messages m ON m.doc = w.rowid
LEFT JOIN conversations c ON c.id = m.conversation AND c.expires_at_ms > :now
WHERE w.words MATCH :words AND m.expires_at_ms > :now {conditions} ORDER BY w.rank, w.rowid DESC LIMIT :limit

-- name: by_filters
SELECT m.value, c.value FROM messages m
LEFT JOIN conversations c ON c.id = m.conversation AND c.expires_at_ms > :now
WHERE m.expires_at_ms > :now {conditions} ORDER BY m.doc DESC LIMIT :limit

-- name: count_hits
SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH :words LIMIT :most)

-- name: by_name
SELECT c.value, c.preview_until_ms > :now FROM (SELECT conversation FROM names WHERE names MATCH :words LIMIT :most) n
JOIN conversations c ON c.id = n.conversation AND c.expires_at_ms > :now
WHERE 1 {conditions} ORDER BY c.last_at_ms DESC, c.id LIMIT :limit

-- name: has_names
SELECT EXISTS (SELECT 1 FROM names) OR NOT EXISTS (SELECT 1 FROM conversations)

-- name: every_conversation
SELECT id FROM conversations

-- name: conversations_of_contacts
SELECT id FROM conversations WHERE contact IN (:keys)

-- name: to_be_named
SELECT c.id, CAST(c.value AS TEXT) ->> '$.name', CAST(k.value AS TEXT) ->> '$.name', CAST(k.value AS TEXT) ->> '$.phone',
    CAST(k.value AS TEXT) ->> '$.username'
FROM conversations c LEFT JOIN contacts k ON k.id = c.contact WHERE c.id IN (:keys)

-- name: name_of
SELECT name FROM names WHERE rowid = :row

-- name: put_name
INSERT OR REPLACE INTO names (rowid, conversation, name) VALUES (:row, :conversation, :name)

-- name: messages_to_index
SELECT doc, value FROM messages WHERE doc > :after ORDER BY doc LIMIT :most

-- name: index_words
INSERT INTO words (rowid, body) VALUES (?, ?)
