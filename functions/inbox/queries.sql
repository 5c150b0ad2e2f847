-- Statements of one name travel together, and each sees what those before it wrote.

-- name: items
-- Of what is not archived. An item that was never snoozed stands where it was made, which an index knows; those that were are
-- few, and are put among them. No item that was never snoozed is snoozed.
SELECT read_in_index_order();
SELECT i.*
  FROM ((SELECT i.*
           FROM inbox_now AS i
          WHERE NOT i.is_archived AND i.snoozed_until IS NULL AND NOT i.is_processed AND NOT i.is_expired
            AND %(status)s::text = 'open'
          ORDER BY i.created_at DESC, i.id
          LIMIT %(page)s::bigint * %(page_size)s)
         UNION ALL
        SELECT i.*
          FROM inbox_now AS i
         WHERE NOT i.is_archived AND i.snoozed_until IS NOT NULL AND NOT i.is_processed
           AND CASE %(status)s::text WHEN 'open' THEN NOT i.is_expired AND NOT i.is_snoozed ELSE i.is_snoozed END) AS i
 ORDER BY i.listed_at DESC, i.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT CASE %(status)s::text WHEN 'open' THEN t.open ELSE t.snoozed END AS total, unread_inbox() AS unread FROM inbox_totals() AS t;

-- name: unread_items
SELECT i.*
  FROM inbox_now AS i
 WHERE NOT i.is_archived AND NOT i.is_read AND NOT i.is_expired
   AND i.id IN (SELECT u.id FROM inbox_items AS u WHERE NOT u.is_read AND NOT u.is_archived)
 ORDER BY i.listed_at DESC, i.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT u.unread AS total, u.unread FROM unread_inbox() AS u (unread);

-- name: kept_items
SELECT read_in_index_order();
SELECT i.*
  FROM ((SELECT i.*
           FROM inbox_now AS i
          WHERE i.snoozed_until IS NULL
            AND CASE %(status)s::text WHEN 'archived' THEN i.is_archived WHEN 'processed' THEN i.is_processed ELSE true END
          ORDER BY i.created_at DESC, i.id
          LIMIT %(page)s::bigint * %(page_size)s)
         UNION ALL
        SELECT i.*
          FROM inbox_now AS i
         WHERE i.snoozed_until IS NOT NULL
           AND CASE %(status)s::text WHEN 'archived' THEN i.is_archived WHEN 'processed' THEN i.is_processed ELSE true END) AS i
 ORDER BY i.listed_at DESC, i.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT CASE %(status)s::text WHEN 'archived' THEN t.archived WHEN 'processed' THEN t.processed ELSE t."all" END AS total,
       unread_inbox() AS unread
  FROM inbox_totals() AS t;

-- name: add
-- Under the user's lock, so that the limit holds in parallel and a later item is the newer one. An item that the user adds is read.
SELECT lock_user();
SELECT move_total('inbox', inbox_kind(false, false), 1)
 WHERE NOT EXISTS (SELECT FROM inbox_items WHERE id = %(id)s)
   AND ((SELECT t."all" < 10000 FROM inbox_totals() AS t)
        OR refuse(409, 'limit_reached', 'There are 10000 items already.', '{"limit": 10000}'));
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
-- Under the lock, so that an item is neither changed nor deleted by two requests at once, which its list's total would not see.
SELECT lock_user();
WITH changed AS (
    UPDATE inbox_items AS i
       SET (title, description, tags, item_type, action_url, expires_at, snoozed_until, is_read, is_archived)
         = (SELECT n.title, n.description, n.tags, n.item_type, n.action_url, n.expires_at, n.snoozed_until, n.is_read,
                   n.is_archived
              FROM inbox_item_with(i, %(changes)s) AS n)
      FROM inbox_items AS old
     WHERE i.id = %(item_id)s AND old.id = i.id
    RETURNING old.is_archived AS was_archived, i.is_archived, i.processed_at IS NOT NULL AS is_processed
)
SELECT move_row('inbox', inbox_kind(c.was_archived, c.is_processed), inbox_kind(c.is_archived, c.is_processed)) FROM changed AS c;
SELECT * FROM inbox_now WHERE id = %(item_id)s;

-- name: delete
SELECT lock_user();
WITH gone AS (
    DELETE FROM inbox_items AS i WHERE i.id = %(item_id)s RETURNING i.id, i.is_archived, i.processed_at IS NOT NULL AS is_processed
)
SELECT g.id, move_total('inbox', inbox_kind(g.is_archived, g.is_processed), -1) FROM gone AS g;

-- name: process
SELECT lock_user();
SELECT process_inbox_item(i, %(to)s, %(category)s, %(start_time)s) FROM inbox_items AS i WHERE i.id = %(item_id)s;
SELECT processed_to AS target FROM inbox_items WHERE id = %(item_id)s;
SELECT * FROM inbox_now WHERE id = %(item_id)s;
