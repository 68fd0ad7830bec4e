-- The cache's queries. :now is the later of the hub's time and ours, in milliseconds; :never is above every time.

-- name: queue_page
WITH page AS (
    SELECT rowid AS doc, last_at_ms, id FROM conversations
    WHERE expires_at_ms > :now AND CASE :view
        WHEN 'all' THEN 1
        WHEN 'mine' THEN assignee = :me AND status <> 'resolved'
        WHEN 'unassigned' THEN assignee IS NULL AND status <> 'resolved'
        WHEN 'unread' THEN unread > 0
        ELSE status = :view END
    ORDER BY last_at_ms DESC, id LIMIT :limit OFFSET :offset
)
SELECT c.value, c.preview_until_ms > :now FROM page JOIN conversations c ON c.rowid = page.doc ORDER BY page.last_at_ms DESC, page.id

-- name: queue_counts
SELECT count(*) AS "all",
    coalesce(sum(assignee = :me AND status <> 'resolved'), 0) AS mine,
    coalesce(sum(assignee IS NULL AND status <> 'resolved'), 0) AS unassigned,
    coalesce(sum(unread > 0), 0) AS unread,
    coalesce(sum(status = 'open'), 0) AS open,
    coalesce(sum(status = 'pending'), 0) AS pending,
    coalesce(sum(status = 'snoozed'), 0) AS snoozed,
    coalesce(sum(status = 'resolved'), 0) AS resolved,
    min(expires_at_ms) AS until
FROM conversations WHERE expires_at_ms > :now

-- name: conversation
SELECT value, preview_until_ms > :now FROM conversations WHERE id = :id AND expires_at_ms > :now

-- name: contact
SELECT value FROM contacts WHERE id = :id AND expires_at_ms > :now

-- name: newest_messages
SELECT value FROM messages WHERE conversation = :conversation AND expires_at_ms > :now
ORDER BY sent_at_ms DESC, id DESC LIMIT :limit

-- name: messages_before
SELECT value FROM messages WHERE conversation = :conversation AND expires_at_ms > :now AND (sent_at_ms, id) < (:at, :anchor)
ORDER BY sent_at_ms DESC, id DESC LIMIT :limit

-- name: messages_after
SELECT value FROM messages WHERE conversation = :conversation AND expires_at_ms > :now AND (sent_at_ms, id) > (:at, :anchor)
ORDER BY sent_at_ms, id LIMIT :limit

-- name: place_of_message
SELECT sent_at_ms FROM messages WHERE id = :id AND conversation = :conversation AND expires_at_ms > :now

-- name: message
SELECT value FROM messages WHERE id = :id AND expires_at_ms > :now

-- name: message_by_key
SELECT value FROM messages WHERE idempotency_key = :key AND expires_at_ms > :now

-- name: first_unread
SELECT id FROM messages WHERE conversation = :conversation AND is_incoming AND expires_at_ms > :now
ORDER BY sent_at_ms DESC, id DESC LIMIT 1 OFFSET :unread - 1

-- name: leaves_at
-- Whatever was sent first leaves first, in every policy: the index is read at its beginning only.
SELECT expires_at_ms FROM messages WHERE conversation = :conversation AND expires_at_ms > :now ORDER BY sent_at_ms, id LIMIT 1

-- name: events
SELECT value FROM events WHERE expires_at_ms > :now ORDER BY at_ms DESC LIMIT :limit

-- name: next_expiry
SELECT min(expires_at_ms) FROM messages WHERE expires_at_ms > :now

-- name: get_meta
SELECT value FROM meta WHERE name = :name

-- name: set_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: delete_meta
DELETE FROM meta WHERE name = :name

-- name: row_of_conversation
SELECT resolved_at_ms, preview_until_ms FROM conversations WHERE id = :id

-- name: put_conversation
INSERT INTO conversations (id, contact, status, assignee, unread, last_at_ms, resolved_at_ms, preview_until_ms, expires_at_ms, value)
VALUES (:id, :contact, :status, :assignee, :unread, :last_at, :resolved_at, :preview_until, :expires_at, :value)
ON CONFLICT (id) DO UPDATE SET contact = excluded.contact, status = excluded.status, assignee = excluded.assignee,
    unread = excluded.unread, last_at_ms = excluded.last_at_ms, resolved_at_ms = excluded.resolved_at_ms,
    preview_until_ms = excluded.preview_until_ms, expires_at_ms = excluded.expires_at_ms, value = excluded.value

-- name: put_contact
INSERT INTO contacts (id, expires_at_ms, value) VALUES (:id, :expires_at, :value)
ON CONFLICT (id) DO UPDATE SET expires_at_ms = excluded.expires_at_ms, value = excluded.value

-- name: row_of_message
SELECT doc, value FROM messages WHERE id = :id

-- name: rows_of_messages
SELECT id, doc, value FROM messages WHERE id IN (:keys)

-- name: is_doc_taken
SELECT 1 FROM messages WHERE doc = :doc

-- name: add_message
INSERT INTO messages (doc, id, conversation, sent_at_ms, expires_at_ms, is_incoming, idempotency_key, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (doc) DO NOTHING

-- name: change_message
UPDATE messages SET conversation = ?, sent_at_ms = ?, expires_at_ms = ?, is_incoming = ?, idempotency_key = ?, value = ? WHERE doc = ?

-- name: count_messages
SELECT count(*) FROM messages WHERE expires_at_ms > :now

-- name: expire_messages_beyond
UPDATE messages SET expires_at_ms = 0 WHERE doc IN (
    SELECT doc FROM messages WHERE expires_at_ms > :now ORDER BY doc DESC LIMIT -1 OFFSET :most
)

-- name: expire_every_message
UPDATE messages SET expires_at_ms = 0 WHERE expires_at_ms > 0

-- name: expire_every_conversation
UPDATE conversations SET expires_at_ms = 0, preview_until_ms = 0 WHERE expires_at_ms > 0

-- name: expire_every_contact
UPDATE contacts SET expires_at_ms = 0 WHERE expires_at_ms > 0

-- name: expire_every_event
UPDATE events SET expires_at_ms = 0 WHERE expires_at_ms > 0

-- name: delete_every_number
DELETE FROM numbers

-- name: delete_every_person
DELETE FROM people

-- name: expire_message
UPDATE messages SET expires_at_ms = 0 WHERE id = :id AND expires_at_ms > 0

-- name: expire_messages_of
UPDATE messages SET expires_at_ms = 0 WHERE conversation = :id AND expires_at_ms > 0

-- name: expire_conversation
UPDATE conversations SET expires_at_ms = 0, preview_until_ms = 0 WHERE id = :id AND expires_at_ms > 0

-- name: expire_contact
UPDATE contacts SET expires_at_ms = 0 WHERE id = :id AND expires_at_ms > 0

-- name: expire_strangers
UPDATE contacts SET expires_at_ms = 0 WHERE expires_at_ms > 0
AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.contact = contacts.id AND c.expires_at_ms > :now)

-- name: expire_event
UPDATE events SET expires_at_ms = 0 WHERE id = :id AND expires_at_ms > 0

-- name: add_words
INSERT INTO words (rowid, body) VALUES (?, ?)

-- name: put_words
INSERT OR REPLACE INTO words (rowid, body) VALUES (:doc, :body)

-- name: times_of_conversation
SELECT doc, sent_at_ms, expires_at_ms FROM messages WHERE conversation = :conversation

-- name: times_of_messages
SELECT m.doc, m.sent_at_ms, m.expires_at_ms, r.resolved_at_ms FROM messages m LEFT JOIN resolved r ON r.id = m.conversation

-- name: set_message_expiry
UPDATE messages SET expires_at_ms = :expires_at WHERE doc = :doc

-- name: times_of_conversations
SELECT id, status, last_at_ms, resolved_at_ms FROM conversations WHERE expires_at_ms > :now

-- name: set_conversation_expiry
-- A preview that has expired stays so; 0 says that there is none.
UPDATE conversations SET preview_until_ms = CASE WHEN preview_until_ms > :now THEN :preview_until ELSE preview_until_ms END,
    expires_at_ms = :expires_at
WHERE id = :id

-- name: times_of_events
SELECT id, value FROM events WHERE expires_at_ms > :now

-- name: set_event_expiry
UPDATE events SET expires_at_ms = :expires_at WHERE id = :id

-- name: put_event
INSERT INTO events (id, at_ms, expires_at_ms, value) VALUES (:id, :at, :expires_at, :value)
ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, expires_at_ms = excluded.expires_at_ms, value = excluded.value

-- name: put_number
INSERT INTO numbers (id, value) VALUES (:id, :value) ON CONFLICT (id) DO UPDATE SET value = excluded.value

-- name: delete_number
DELETE FROM numbers WHERE id = :id

-- name: put_person
INSERT INTO people (id, value) VALUES (:id, :value) ON CONFLICT (id) DO UPDATE SET value = excluded.value

-- name: delete_person
DELETE FROM people WHERE id = :id

-- name: first_expiry
SELECT min(expires_at_ms) FROM (
    SELECT min(expires_at_ms) AS expires_at_ms FROM messages
    UNION ALL SELECT min(expires_at_ms) FROM conversations
    UNION ALL SELECT min(preview_until_ms) FROM conversations WHERE preview_until_ms > 0
    UNION ALL SELECT min(expires_at_ms) FROM contacts
    UNION ALL SELECT min(expires_at_ms) FROM events
    UNION ALL SELECT min(expires_at_ms) FROM media
)

-- name: due_messages
SELECT lower(hex(id)) FROM messages WHERE expires_at_ms <= :now

-- name: latest_due_message
SELECT max(sent_at_ms) FROM messages WHERE expires_at_ms <= :now

-- name: due_conversations
SELECT lower(hex(id)) FROM conversations WHERE expires_at_ms <= :now

-- name: due_events
SELECT lower(hex(id)) FROM events WHERE expires_at_ms <= :now

-- name: live_messages
SELECT doc, id, conversation, sent_at_ms, expires_at_ms, is_incoming, idempotency_key, value FROM messages
WHERE expires_at_ms > :now ORDER BY doc

-- name: copy_message
INSERT INTO messages (doc, id, conversation, sent_at_ms, expires_at_ms, is_incoming, idempotency_key, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: live_conversations
SELECT id, contact, status, assignee, unread, last_at_ms, resolved_at_ms, preview_until_ms, expires_at_ms, value FROM conversations
WHERE expires_at_ms > :now

-- name: copy_conversation
INSERT INTO conversations (id, contact, status, assignee, unread, last_at_ms, resolved_at_ms, preview_until_ms, expires_at_ms, value)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: live_contacts
SELECT id, expires_at_ms, value FROM contacts
WHERE expires_at_ms > :now AND EXISTS (SELECT 1 FROM conversations c WHERE c.contact = contacts.id AND c.expires_at_ms > :now)

-- name: due_contacts
SELECT lower(hex(id)) FROM contacts
WHERE expires_at_ms <= :now OR NOT EXISTS (SELECT 1 FROM conversations c WHERE c.contact = contacts.id AND c.expires_at_ms > :now)

-- name: copy_contact
INSERT INTO contacts (id, expires_at_ms, value) VALUES (?, ?, ?)

-- name: live_events
SELECT id, at_ms, expires_at_ms, value FROM events WHERE expires_at_ms > :now

-- name: copy_event
INSERT INTO events (id, at_ms, expires_at_ms, value) VALUES (?, ?, ?, ?)

-- name: all_numbers
SELECT id, value FROM numbers

-- name: copy_number
INSERT INTO numbers (id, value) VALUES (?, ?)

-- name: all_people
SELECT id, value FROM people

-- name: copy_person
INSERT INTO people (id, value) VALUES (?, ?)

-- name: all_meta
SELECT name, value FROM meta

-- name: copy_meta
INSERT INTO meta (name, value) VALUES (?, ?)
