-- The outbox's queries. Times are milliseconds since 1970.

-- name: get_meta
SELECT value FROM meta WHERE name = :name

-- name: set_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: add
INSERT INTO letters (id, idempotency_key, conversation, state, written_at_ms, not_before_ms, asked, value)
VALUES (:id, :key, :conversation, 'queued', :written_at, :not_before, :asked, :value)

-- name: by_key
SELECT id, idempotency_key, conversation, state, not_before_ms, attempts, value, message, asked FROM letters WHERE idempotency_key = :key

-- name: by_id
SELECT id, idempotency_key, conversation, state, not_before_ms, attempts, value, message, asked FROM letters WHERE id = :id OR message = :id

-- name: open_of_conversation
SELECT id, idempotency_key, conversation, state, not_before_ms, attempts, value, message, asked FROM letters
WHERE conversation = :conversation AND state <> 'settled' ORDER BY turn

-- name: open_letters
SELECT id, idempotency_key, conversation, state, not_before_ms, attempts, value, message, asked FROM letters
WHERE state <> 'settled' ORDER BY turn

-- name: heads
-- The first letter of each conversation that still has to go; those behind it wait for it.
SELECT id, idempotency_key, conversation, state, not_before_ms, attempts, value, message, asked FROM letters
WHERE turn IN (SELECT min(turn) FROM letters WHERE state IN ('queued', 'sending') GROUP BY conversation) ORDER BY turn

-- name: move
UPDATE letters SET state = :state, attempts = attempts + :attempts, not_before_ms = :not_before, value = :value,
    message = coalesce(:message, message) WHERE id = :id AND state <> 'settled'

-- name: take_back
DELETE FROM letters WHERE id = :id AND state = 'queued' AND attempts = 0

-- name: discard
DELETE FROM letters WHERE id = :id AND state IN ('failed', 'uncertain')

-- name: settle
UPDATE letters SET state = 'settled', value = x'', message = :message WHERE idempotency_key = :key AND state <> 'settled'

-- name: forget_settled
DELETE FROM letters WHERE state = 'settled' AND written_at_ms < :before

-- name: put_draft
INSERT INTO drafts (conversation, text, reply_to, saved_at_ms) VALUES (:conversation, :text, :reply_to, :saved_at)
ON CONFLICT (conversation) DO UPDATE SET text = excluded.text, reply_to = excluded.reply_to, saved_at_ms = excluded.saved_at_ms

-- name: get_draft
SELECT text, reply_to, saved_at_ms FROM drafts WHERE conversation = :conversation

-- name: delete_draft
DELETE FROM drafts WHERE conversation = :conversation

-- name: count_drafts
SELECT count(*) FROM drafts

-- name: add_attachment
INSERT INTO attachments (id, letter, key, size, sha256, mime_type, name) VALUES (:id, :letter, :key, :size, :sha256, :mime_type, :name)

-- name: get_attachment
SELECT key, size, sha256, mime_type, name, media, media_until_ms FROM attachments WHERE id = :id

-- name: note_media
UPDATE attachments SET media = :media, media_until_ms = :until WHERE id = :id

-- name: give_attachment
UPDATE attachments SET letter = :other WHERE letter = :letter

-- name: forget_attachments
DELETE FROM attachments WHERE letter NOT IN (SELECT id FROM letters WHERE state NOT IN ('accepted', 'settled'))

-- name: all_attachments
SELECT id FROM attachments
