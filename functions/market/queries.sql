-- Statements of one name travel together, and each sees what those before it wrote. An item is found by its key or its id.

-- name: overview
SELECT read_in_index_order();
SELECT * FROM market_items_today() AS i WHERE NOT i.archived ORDER BY i.is_own, i.sort_order, i.price_coins, i.name, i.id;
SELECT coins, total_earned AS lifetime_coins, total_spent AS lifetime_spent, total_xp, level
  FROM level_progress;
SELECT * FROM purchases WHERE status <> 'refunded' ORDER BY purchased_at DESC, id LIMIT 10;
SELECT i.*
  FROM user_saving_goal AS g, market_items_today() AS i
 WHERE i.owner_key = g.item_owner AND i.id = g.item_id;
SELECT * FROM running_effects ORDER BY ends_at, id;
SELECT shields_held() AS streak_shields;

-- name: items
-- The items of the list are counted only where a page of it is asked for.
SELECT i.*
  FROM market_items_today() AS i, level_progress AS p
 WHERE i.archived = %(archived)s
   AND (i.is_own OR NOT %(archived)s)
   AND (%(category)s::text IS NULL OR i.category = %(category)s)
   AND (%(q)s::text IS NULL OR strpos(lower(i.name), lower(%(q)s)) > 0)
   AND (%(affordable)s::boolean IS NULL OR (i.price_coins <= p.coins) = %(affordable)s)
 ORDER BY i.is_own, i.sort_order, i.price_coins, i.name, i.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total
  FROM market_items_today() AS i, level_progress AS p
 WHERE %(limit)s::bigint IS NOT NULL
   AND i.archived = %(archived)s
   AND (i.is_own OR NOT %(archived)s)
   AND (%(category)s::text IS NULL OR i.category = %(category)s)
   AND (%(q)s::text IS NULL OR strpos(lower(i.name), lower(%(q)s)) > 0)
   AND (%(affordable)s::boolean IS NULL OR (i.price_coins <= p.coins) = %(affordable)s);

-- name: item
SELECT * FROM market_items_today() AS i WHERE i.key = %(key)s OR i.id = %(id)s ORDER BY i.is_own LIMIT 1;

-- name: add_item
SELECT lock_user();
INSERT INTO market_items (id, owner_id, key, name, description, category, price_coins, icon, limit_per_user, limit_period,
                          valid_days, sort_order)
SELECT %(id)s, current_user_id(), %(key)s, %(name)s, %(description)s, %(category)s, %(price_coins)s, %(icon)s,
       %(limit_per_user)s, %(limit_period)s, %(valid_days)s, coalesce(placed.last, 0) + 1
  FROM (SELECT count(*) FILTER (WHERE archived_at IS NULL) AS active, max(sort_order) AS last
          FROM market_items WHERE owner_id IS NOT NULL) AS placed
 WHERE placed.active < 200
    OR refuse(409, 'limit_reached', 'There are 200 rewards of your own already.', '{"limit": 200}');
SELECT * FROM market_items_today() AS i WHERE i.id = %(id)s;

-- name: change_item
SELECT lock_user();
SELECT refuse_shared_item(%(key)s, %(id)s);
SELECT refuse(409, 'limit_reached', 'There are 200 rewards of your own already.', '{"limit": 200}')
  FROM market_items AS i
 WHERE i.owner_id IS NOT NULL AND (i.key = %(key)s OR i.id = %(id)s) AND i.archived_at IS NOT NULL
   AND %(archived)s::boolean IS FALSE
   AND 200 <= (SELECT count(*) FROM market_items WHERE owner_id IS NOT NULL AND archived_at IS NULL);
UPDATE market_items AS i
   SET (name, description, category, price_coins, icon, limit_per_user, limit_period, valid_days, archived_at)
     = (SELECT c.name, c.description, c.category, c.price_coins, c.icon, c.limit_per_user, c.limit_period, c.valid_days,
               CASE WHEN %(archived)s::boolean THEN coalesce(i.archived_at, clock())
                    WHEN %(archived)s::boolean IS NULL THEN i.archived_at END
          FROM jsonb_populate_record(i, %(changes)s) AS c)
 WHERE i.owner_id IS NOT NULL AND (i.key = %(key)s OR i.id = %(id)s);
SELECT * FROM market_items_today() AS i WHERE i.is_own AND (i.key = %(key)s OR i.id = %(id)s);

-- name: archive_item
SELECT refuse_shared_item(%(key)s, %(id)s);
UPDATE market_items AS i
   SET archived_at = coalesce(i.archived_at, clock())
 WHERE i.owner_id IS NOT NULL AND (i.key = %(key)s OR i.id = %(id)s)
RETURNING true AS deleted;

-- name: order_items
-- Rewards that are not named come after those that are.
SELECT lock_user();
SELECT refuse(404, 'not_found', 'One of these is no reward of yours.')
  FROM unnest(%(ids)s::uuid[]) AS w (id)
 WHERE NOT EXISTS (SELECT FROM market_items AS i WHERE i.owner_id IS NOT NULL AND i.id = w.id);
UPDATE market_items AS i SET sort_order = p.place
  FROM (SELECT o.id, row_number() OVER (ORDER BY w.place NULLS LAST, o.sort_order, o.id) AS place
          FROM market_items AS o LEFT JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS w (id, place) ON w.id = o.id
         WHERE o.owner_id IS NOT NULL) AS p
 WHERE i.owner_id IS NOT NULL AND i.id = p.id AND i.sort_order <> p.place;
SELECT * FROM market_items_today() AS i WHERE i.is_own AND NOT i.archived ORDER BY i.sort_order, i.id;

-- name: categories
SELECT i.category AS key, count(*) AS count
  FROM market_items AS i
 WHERE i.archived_at IS NULL AND (i.owner_id IS NOT NULL OR i.is_active)
 GROUP BY i.category
 ORDER BY i.category;

-- name: purchase
SELECT purchase(%(purchase_id)s, %(key)s, %(id)s, %(quantity)s);
SELECT * FROM purchases WHERE id = %(purchase_id)s;
SELECT coins FROM level_progress;

-- name: redeem
SELECT * FROM redeem(%(purchase_id)s);
SELECT * FROM purchases WHERE id = %(purchase_id)s;
SELECT * FROM running_effects WHERE purchase_id = %(purchase_id)s OR type = 'xp_multiplier';

-- name: refund
SELECT * FROM refund(%(purchase_id)s, %(reason)s);
SELECT * FROM purchases WHERE id = %(purchase_id)s;
SELECT coins FROM level_progress;

-- name: history
SELECT read_in_index_order();
SELECT *
  FROM purchases
 WHERE (%(status)s::text IS NULL OR status = %(status)s)
   AND (%(key)s::text IS NULL OR item_key = %(key)s OR item_id = %(id)s)
 ORDER BY purchased_at DESC, id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
-- Of the purchases that are kept as active, which have an index, some have expired. For the others see purchase_kinds().
SELECT CASE WHEN %(status)s::text IN ('active', 'expired')
            THEN (SELECT count(*)
                    FROM user_purchases AS p
                   WHERE p.status = 'active' AND (p.expires_at <= clock()) IS TRUE = (%(status)s::text = 'expired')
                     AND (%(key)s::text IS NULL OR p.item_key = %(key)s OR p.item_id = %(id)s))
            WHEN %(key)s::text IS NULL
            THEN (SELECT coalesce(sum(t.total), 0)::bigint
                    FROM totals_of('purchases') AS t
                   WHERE t.day = '-infinity' AND t.kind IN ('active', 'redeemed', 'refunded')
                     AND (%(status)s::text IS NULL OR t.kind = %(status)s))
            ELSE (SELECT coalesce(sum(t.total), 0)::bigint
                    FROM totals_of('purchases') AS t
                   WHERE (%(status)s::text IS NULL OR split_part(t.kind, '/', 1) = %(status)s)
                     AND (split_part(t.kind, '/', 3) = %(key)s OR split_part(t.kind, '/', 2) = %(id)s::uuid::text))
       END AS total;

-- name: inventory
-- Reads the rows stored as active, for which there is an index; the view's `status` may be 'expired' for some of them.
-- The purchases are counted only where a page of them is asked for.
SELECT p.*
  FROM (SELECT u.id FROM user_purchases AS u WHERE u.status = 'active' OFFSET 0) AS held,
       LATERAL (SELECT * FROM purchases AS p WHERE p.id = held.id OFFSET 0) AS p
 WHERE p.status = 'active'
 ORDER BY p.purchased_at DESC, p.id
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total
  FROM user_purchases AS p
 WHERE %(limit)s::bigint IS NOT NULL AND p.status = 'active' AND (p.expires_at > clock()) IS NOT FALSE;
SELECT * FROM running_effects ORDER BY ends_at, id;
SELECT p.item_key, i.effect_json ->> 'slot' AS slot, i.effect_json ->> 'value' AS value
  FROM user_purchases AS p
  JOIN market_items AS i ON i.owner_key = p.item_owner AND i.id = p.item_id
 WHERE NOT p.is_consumable AND p.status = 'redeemed' AND i.effect_json ->> 'type' = 'unlock'
 ORDER BY p.purchased_at, p.id;
SELECT e.slot, p.item_key FROM user_equipment AS e JOIN user_purchases AS p ON p.user_id = e.user_id AND p.id = e.purchase_id;
SELECT shields_held() AS streak_shields;

-- name: equip
SELECT lock_user();
SELECT equip(c.key, c.value) FROM jsonb_each_text(%(changes)s) AS c WHERE c.value IS NOT NULL;
DELETE FROM user_equipment AS e USING jsonb_each_text(%(changes)s) AS c WHERE e.slot = c.key AND c.value IS NULL;
SELECT e.slot, p.item_key FROM user_equipment AS e JOIN user_purchases AS p ON p.user_id = e.user_id AND p.id = e.purchase_id;

-- name: wallet
SELECT coins, total_earned AS lifetime_coins, total_spent AS lifetime_spent, total_xp, level
  FROM level_progress;

-- name: transactions
-- One row more than asked for tells whether there is a next page.
SELECT read_in_index_order();
SELECT l.id, l.seq, l.event_type, l.coins, l.coins_after, l.reason, l.created_at
  FROM points_ledger AS l
 WHERE l.coins <> 0 AND l.seq < (SELECT coalesce(%(before)s::bigint, 9223372036854775807))
 ORDER BY l.seq DESC
 LIMIT %(limit)s + 1;

-- name: set_goal
DELETE FROM user_saving_goal WHERE %(key)s::text IS NULL;
INSERT INTO user_saving_goal (item_owner, item_id)
SELECT g.owner_key, g.id
  FROM (SELECT i.owner_key, i.id, i.is_own FROM market_items_today() AS i WHERE i.key = %(key)s OR i.id = %(id)s ORDER BY i.is_own LIMIT 1) AS g
 WHERE g.is_own OR hold_item(g.id) OR refuse(404, 'not_found', 'There is no such item.')
ON CONFLICT (user_id) DO UPDATE SET item_owner = excluded.item_owner, item_id = excluded.item_id;
-- Afterwards: before it, an administrator could delete the item between the two.
SELECT refuse(404, 'not_found', 'There is no such item.')
 WHERE %(key)s::text IS NOT NULL
   AND NOT EXISTS (SELECT FROM user_saving_goal AS g, market_items_today() AS i
                    WHERE i.owner_key = g.item_owner AND i.id = g.item_id AND (i.key = %(key)s OR i.id = %(id)s));
SELECT i.*
  FROM user_saving_goal AS g, market_items_today() AS i
 WHERE i.owner_key = g.item_owner AND i.id = g.item_id;
SELECT coins, total_earned AS lifetime_coins, total_spent AS lifetime_spent, total_xp, level
  FROM level_progress;

-- name: stats
WITH days AS (
    SELECT min(d.day) AS first_day, min(d.first_seq) AS first_seq, sum(d.coins_earned) AS earned
      FROM ledger_days AS d WHERE d.day > (SELECT local_today()) - %(days)s::int
)
SELECT (SELECT coalesce(sum(l.coins), 0) FROM points_ledger AS l
         WHERE l.event_type = 'market_refund' AND l.seq >= d.first_seq AND l.local_date >= d.first_day) AS refunded,
       coalesce(d.earned, 0) AS earned
  FROM days AS d;
-- What was bought is kept by months and days of UTC. The days of the user begin within one, of which the rest is counted; then come
-- the days up to the end of its month, and whole months.
WITH span AS MATERIALIZED (
    SELECT d.since, utc_day(d.since) AS day, next_utc_day(d.since) AS whole_days,
           (month_of(d.since) + interval '1 month')::date AS whole_months
      FROM (SELECT lower(day_bounds(local_today() - (%(days)s::int - 1))) AS since OFFSET 0) AS d
)
SELECT s.category, sum(s.purchases)::bigint AS purchases, sum(s.coins) AS coins
  FROM (SELECT t.kind AS category, t.total AS purchases, t.amount AS coins
          FROM totals_of('spending_months') AS t WHERE t.day >= (SELECT whole_months FROM span)
         UNION ALL
        SELECT t.kind, t.total, t.amount
          FROM totals_of('spending') AS t
         WHERE t.day > (SELECT day FROM span) AND t.day < (SELECT whole_months FROM span)
         UNION ALL
        SELECT p.category, 1, p.price_paid
          FROM user_purchases AS p
         WHERE p.purchased_at >= (SELECT since FROM span)
           AND p.purchased_at < (SELECT whole_days FROM span)) AS s
 GROUP BY s.category
 ORDER BY coins DESC, s.category;
