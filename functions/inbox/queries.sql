-- Statements of one name travel together, and each sees what those before it wrote.

-- name: items
-- Of what is not archived.
SELECT i.*
  FROM inbox_now AS i
 WHERE NOT i.is_archived
   AND CASE %(status)s::text
           WHEN 'open' THEN NOT i.is_processed AND NOT i.is_expired AND NOT i.is_snoozed
           WHEN 'unread' THEN NOT i.is_read AND NOT i.is_expired
           WHEN 'snoozed' THEN NOT i.is_processed AND i.is_snoozed END
 ORDER BY i.listed_at DESC, i.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total, unread_inbox() AS unread
  FROM inbox_now AS i
 WHERE NOT i.is_archived
   AND CASE %(status)s::text
           WHEN 'open' THEN NOT i.is_processed AND NOT i.is_expired AND NOT i.is_snoozed
           WHEN 'unread' THEN NOT i.is_read AND NOT i.is_expired
           WHEN 'snoozed' THEN NOT i.is_processed AND i.is_snoozed END;

-- name: kept_items
SELECT i.*
  FROM inbox_now AS i
 WHERE CASE %(status)s::text WHEN 'archived' THEN i.is_archived WHEN 'processed' THEN i.is_processed WHEN 'all' THEN true END
 ORDER BY i.listed_at DESC, i.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total, unread_inbox() AS unread
  FROM inbox_now AS i
 WHERE CASE %(status)s::text WHEN 'archived' THEN i.is_archived WHEN 'processed' THEN i.is_processed WHEN 'all' THEN true END;

-- name: add
-- Under the user's lock, so that the limit holds in parallel and a later item is the newer one. An item that the user adds is read.
SELECT lock_user();
SELECT refuse(409, 'limit_reached', 'There are 10000 items already.', '{"limit": 10000}')
 WHERE (SELECT count(*) FROM inbox_items) >= 10000 AND NOT EXISTS (SELECT FROM inbox_items WHERE id = %(id)s);
INSERT INTO inbox_items (id, title, description, tags, item_type, is_read, action_url, expires_at, created_at, updated_at)
SELECT %(id)s, %(title)s, %(description)s, %(tags)s::text[], %(item_type)s, true, %(action_url)s, %(expires_at)s, now, now
  FROM instant() AS now
ON CONFLICT (user_id, id) DO NOTHING;
SELECT * FROM inbox_now WHERE id = %(id)s;

-- name: read_all
WITH updated AS (
    UPDATE inbox_items AS i SET is_read = true
     WHERE NOT i.is_read AND NOT i.is_archived
       AND (i.expires_at <= clock()) IS NOT TRUE AND (i.snoozed_until > clock()) IS NOT TRUE
    RETURNING i.id
)
SELECT count(*) AS updated FROM updated;

-- name: item
SELECT * FROM inbox_now WHERE id = %(item_id)s;

-- name: change
UPDATE inbox_items AS i
   SET (title, description, tags, item_type, action_url, expires_at, snoozed_until, is_read, is_archived)
     = (SELECT n.title, n.description, n.tags, n.item_type, n.action_url, n.expires_at, n.snoozed_until, n.is_read,
               n.is_archived
          FROM inbox_item_with(i, %(changes)s) AS n)
 WHERE i.id = %(item_id)s;
SELECT * FROM inbox_now WHERE id = %(item_id)s;

-- name: delete
DELETE FROM inbox_items WHERE id = %(item_id)s RETURNING id;

-- name: process
SELECT lock_user();
SELECT process_inbox_item(i, %(to)s, %(category)s, %(start_time)s) FROM inbox_items AS i WHERE i.id = %(item_id)s;
SELECT processed_to AS target FROM inbox_items WHERE id = %(item_id)s;
SELECT * FROM inbox_now WHERE id = %(item_id)s;
