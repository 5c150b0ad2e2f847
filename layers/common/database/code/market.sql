SET LOCAL ROLE questlog_identity;

-- Takes units from the stock of a shared item, or returns them (a negative quantity). False when there are too few; true
-- also for an item without a stock. The row stays locked, so that of two buyers of the last unit one is served.
CREATE OR REPLACE FUNCTION internal.take_stock(item uuid, quantity int) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    WITH taken AS (
        UPDATE market_items AS i
           SET remaining_stock = i.remaining_stock - quantity
         WHERE i.owner_id IS NULL AND i.id = item AND i.remaining_stock >= quantity
        RETURNING i.id
    )
    SELECT EXISTS (SELECT FROM taken)
        OR NOT EXISTS (SELECT FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = item AND i.remaining_stock IS NOT NULL);
END;

-- Keeps a shared item from being deleted before the transaction ends, as a row that points at it does. False where an administrator
-- has just deleted it.
CREATE OR REPLACE FUNCTION app.hold_item(item uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
RETURN EXISTS (SELECT FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = item FOR KEY SHARE);
REVOKE EXECUTE ON FUNCTION app.hold_item FROM questlog_auth, questlog_operator, questlog_admin, questlog_jobs;

SET LOCAL ROLE questlog_owner;

-- The user's purchases as they read now. One that was not used up reads `expired` from the instant it expires, without a
-- job that writes it. `refundable_until` is null when a refund would be refused.
CREATE OR REPLACE VIEW app.purchases WITH (security_invoker = true) AS
SELECT p.user_id, p.id, p.item_owner, p.item_id, p.item_key, p.item_name, p.category, p.is_consumable, p.unit_price,
       p.quantity, p.price_paid, p.uses_total, p.uses_remaining, p.purchased_at, p.redeemed_at, p.expires_at, p.refunded_at,
       CASE WHEN e.expired THEN 'expired' ELSE p.status END AS status,
       CASE WHEN p.status <> 'refunded' AND NOT e.expired AND (p.uses_remaining = p.uses_total OR NOT p.is_consumable)
                 AND p.purchased_at + interval '24 hours' > clock()
            THEN p.purchased_at + interval '24 hours' END AS refundable_until
  FROM user_purchases AS p,
       LATERAL (SELECT p.status = 'active' AND coalesce(p.expires_at <= clock(), false) AS expired) AS e;

-- The effects that run now, with the item they come from.
CREATE OR REPLACE VIEW app.running_effects WITH (security_invoker = true) AS
SELECT e.user_id, e.id, e.effect_type AS type, e.factor, e.started_at, e.ends_at, e.purchase_id, p.item_key
  FROM user_effects AS e JOIN user_purchases AS p ON p.user_id = e.user_id AND p.id = e.purchase_id
 WHERE e.ends_at > clock();

-- What an item is to the user. `since` is the beginning of the user's day.
--   owned      units held: uses left of consumables, rounded up to whole units, and permanent items
--   bought     units that count against the limit per user
--   available  whether it could be bought now, if level and coins sufficed
CREATE OR REPLACE FUNCTION app.market_standing(i market_items, since timestamptz)
RETURNS TABLE (owned bigint, bought bigint, available boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT o.owned, b.bought,
           i.is_active
           AND i.archived_at IS NULL
           AND (i.available_from <= clock()) IS NOT FALSE
           AND (i.available_until > clock()) IS NOT FALSE
           AND (i.remaining_stock > 0) IS NOT FALSE
           AND (b.bought < i.limit_per_user) IS NOT FALSE
      FROM (SELECT CASE WHEN i.is_consumable THEN (
                       SELECT coalesce(sum((p.uses_remaining * p.quantity + p.uses_total - 1) / p.uses_total), 0)
                         FROM user_purchases AS p
                        WHERE p.item_id = i.id AND p.status = 'active' AND (p.expires_at > clock()) IS NOT FALSE)
                   ELSE (
                       SELECT count(*) FROM user_purchases AS p
                        WHERE p.item_id = i.id AND NOT p.is_consumable AND p.status = 'redeemed')
                   END AS owned) AS o,
           LATERAL (
               SELECT CASE
                   WHEN i.limit_per_user IS NULL THEN 0
                   WHEN i.limit_period = 'held' THEN o.owned
                   WHEN i.limit_period = 'day' THEN (
                       SELECT coalesce(sum(p.quantity), 0) FROM user_purchases AS p
                        WHERE p.item_id = i.id AND p.purchased_at >= since AND p.status <> 'refunded')
                   ELSE (
                       SELECT coalesce(sum(p.quantity), 0) FROM user_purchases AS p
                        WHERE p.item_id = i.id AND p.status <> 'refunded')
               END AS bought) AS b;
END;

-- The items that the user may see, active shared ones and the user's own, each with the columns above.
CREATE OR REPLACE FUNCTION app.market_items_today() RETURNS TABLE (
    id uuid, owner_key uuid, key text, name text, description text, category text, price_coins bigint, rarity text, icon text,
    is_consumable boolean, uses_per_purchase int, remaining_stock int, limit_per_user int, limit_period text,
    requires_level int, valid_days int, effect_json jsonb, sort_order int, created_at timestamptz, updated_at timestamptz,
    is_own boolean, archived boolean, owned bigint, available boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT i.id, i.owner_key, i.key, i.name, i.description, i.category, i.price_coins, i.rarity, i.icon, i.is_consumable,
           i.uses_per_purchase, i.remaining_stock, i.limit_per_user, i.limit_period, i.requires_level, i.valid_days,
           i.effect_json, i.sort_order, i.created_at, i.updated_at, i.owner_id IS NOT NULL, i.archived_at IS NOT NULL,
           s.owned, s.available
      FROM (SELECT lower(day_bounds(local_today())) AS begins OFFSET 0) AS day,
           market_items AS i,
           market_standing(i, day.begins) AS s
     WHERE i.owner_id IS NOT NULL OR i.is_active;
END;

-- Buys units of an item. Everything is checked under the user's lock and, of a stocked item,
-- under the lock of its row; the order of the checks is the order of the refusals.
CREATE OR REPLACE FUNCTION app.purchase(new_purchase uuid, wanted_key text, wanted_id uuid, quantity int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    item market_items;
    bought bigint;
    level int;
    price bigint;
    bought_at timestamptz;
    first_status text;
    kinds text[];
BEGIN
    PERFORM lock_user();
    bought_at := instant();
    SELECT * INTO item FROM market_items AS i WHERE i.key = wanted_key OR i.id = wanted_id ORDER BY i.owner_id NULLS LAST LIMIT 1;
    -- Of a stocked item take_stock() locks the row; two buyers who had both held it before would wait for each other.
    IF NOT FOUND OR (item.owner_id IS NULL AND item.remaining_stock IS NULL AND NOT hold_item(item.id)) THEN
        PERFORM refuse(404, 'not_found', 'There is no such item.');
    ELSIF quantity > 1 AND NOT item.is_consumable THEN
        PERFORM refuse_field('quantity', 'must be 1 for an item that is bought once');
    END IF;
    IF item.limit_per_user IS NOT NULL THEN
        SELECT s.bought INTO bought FROM market_standing(item, lower(day_bounds(local_today()))) AS s;
    END IF;
    SELECT p.level INTO level FROM level_progress AS p;
    IF NOT (item.is_active AND item.archived_at IS NULL AND (item.available_from <= bought_at) IS NOT FALSE
            AND (item.available_until > bought_at) IS NOT FALSE)
    THEN
        PERFORM refuse(409, 'not_available', 'This item is not for sale now.');
    ELSIF level < item.requires_level THEN
        PERFORM refuse(403, 'level_too_low', 'Your level is too low for this item.',
                       jsonb_build_object('need', item.requires_level, 'have', level));
    ELSIF bought + quantity > item.limit_per_user THEN
        PERFORM refuse(409, 'limit_reached', 'You have as many of this item as one may have.',
                       jsonb_build_object('limit', item.limit_per_user, 'period', item.limit_period));
    ELSIF item.owner_id IS NULL AND NOT take_stock(item.id, quantity) THEN
        PERFORM refuse(409, 'out_of_stock', 'There are not enough of this item left.', jsonb_build_object(
            'remaining', (SELECT i.remaining_stock FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = item.id)));
    END IF;
    price := item.price_coins * quantity;
    first_status := CASE WHEN item.is_consumable THEN 'active' ELSE 'redeemed' END;
    INSERT INTO user_purchases (
        id, item_owner, item_id, item_key, item_name, category, is_consumable, unit_price, quantity, price_paid, uses_total,
        uses_remaining, status, purchased_at, redeemed_at, expires_at)
    VALUES (
        new_purchase, item.owner_key, item.id, item.key, item.name, item.category, item.is_consumable, item.price_coins,
        quantity, price, item.uses_per_purchase * quantity,
        CASE WHEN item.is_consumable THEN item.uses_per_purchase * quantity ELSE 0 END,
        first_status,
        bought_at,
        CASE WHEN NOT item.is_consumable THEN bought_at END,
        bought_at + make_interval(days => item.valid_days));
    kinds := purchase_kinds(first_status, item.id, item.key);
    PERFORM move_totals(ARRAY[
        ROW(current_user_id(), 'purchases', '-infinity', kinds[1], 1, 0),
        ROW(current_user_id(), 'purchases', '-infinity', kinds[2], 1, 0),
        ROW(current_user_id(), 'spending', utc_day(bought_at), item.category, 1, price),
        ROW(current_user_id(), 'spending_months', month_of(bought_at), item.category, 1, price)]::user_totals[]);
    IF item.price_coins > 0 THEN
        PERFORM spend(price, 'market_purchase', 'market_item', item.id, 'purchase:' || new_purchase, item.name);
    END IF;
END
$$;

-- Takes one use of a purchase. Returns when, the item's effect, and the running effect that this use started or extended.
CREATE OR REPLACE FUNCTION app.redeem(wanted uuid, OUT redeemed_at timestamptz, OUT effect jsonb, OUT active_effect uuid)
RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    p purchases;
BEGIN
    PERFORM lock_user();
    SELECT * INTO p FROM purchases AS s WHERE s.id = wanted;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT i.effect_json INTO effect FROM market_items AS i WHERE i.owner_key = p.item_owner AND i.id = p.item_id;
    IF p.status = 'refunded' THEN
        PERFORM refuse(409, 'already_refunded', 'This purchase was refunded.');
    ELSIF p.status = 'redeemed' THEN
        PERFORM refuse(409, 'already_redeemed', 'This purchase is used up.');
    ELSIF p.status = 'expired' THEN
        PERFORM refuse(409, 'expired', 'This purchase has expired.', jsonb_build_object('expires_at', p.expires_at));
    ELSIF effect ->> 'type' = 'streak_shield' THEN
        PERFORM refuse(409, 'automatic_item', 'A streak shield is used by itself when you miss a day.');
    END IF;
    redeemed_at := instant();
    IF effect ->> 'type' = 'xp_multiplier' THEN
        active_effect := start_boost(wanted, (effect ->> 'factor')::numeric, (effect ->> 'seconds')::int, redeemed_at);
    END IF;
    PERFORM take_uses(wanted, 1, redeemed_at);
    RETURN NEXT;
END
$$;

-- Takes uses of a purchase; the last one makes it redeemed. The caller holds the user's lock.
CREATE OR REPLACE FUNCTION internal.take_uses(purchase uuid, uses int, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    taken record;
BEGIN
    UPDATE user_purchases AS p
       SET uses_remaining = p.uses_remaining - uses,
           status = CASE WHEN p.uses_remaining = uses THEN 'redeemed' ELSE p.status END,
           redeemed_at = CASE WHEN p.uses_remaining = uses THEN at END
     WHERE p.id = purchase
    RETURNING p.status, p.item_id, p.item_key INTO STRICT taken;
    PERFORM move_kinds('purchases', purchase_kinds('active', taken.item_id, taken.item_key),
                       purchase_kinds(taken.status, taken.item_id, taken.item_key));
END
$$;

-- Starts a boost or, while one of the same factor runs, extends it. Returns the effect's id.
CREATE OR REPLACE FUNCTION internal.start_boost(purchase uuid, boost numeric, seconds int, at timestamptz) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    running user_effects;
BEGIN
    SELECT * INTO running FROM user_effects AS e WHERE e.effect_type = 'xp_multiplier' AND e.ends_at > at;
    IF NOT FOUND THEN
        INSERT INTO user_effects (purchase_id, effect_type, factor, started_at, ends_at)
        VALUES (purchase, 'xp_multiplier', boost, at, at + make_interval(secs => seconds))
        RETURNING * INTO running;
    ELSIF running.factor = boost THEN
        UPDATE user_effects AS e SET ends_at = e.ends_at + make_interval(secs => seconds) WHERE e.id = running.id;
    ELSE
        PERFORM refuse(409, 'effect_active', 'Another boost is running; wait until it ends.',
                       jsonb_build_object('ends_at', running.ends_at));
    END IF;
    RETURN running.id;
END
$$;

-- Refunds a purchase of the last 24 hours of which nothing was used. Returns the coins that came back.
CREATE OR REPLACE FUNCTION app.refund(wanted uuid, given_reason text, OUT refunded_coins bigint, OUT refunded_at timestamptz)
RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    p purchases;
BEGIN
    PERFORM lock_user();
    SELECT * INTO p FROM purchases AS s WHERE s.id = wanted;
    IF NOT FOUND THEN
        RETURN;
    ELSIF p.status = 'refunded' THEN
        PERFORM refuse(409, 'already_refunded', 'This purchase was refunded already.');
    ELSIF p.is_consumable AND p.uses_remaining < p.uses_total THEN
        PERFORM refuse(409, 'already_redeemed', 'Some of this purchase was used.');
    ELSIF p.status = 'expired' THEN
        PERFORM refuse(409, 'expired', 'This purchase has expired.', jsonb_build_object('expires_at', p.expires_at));
    ELSIF p.refundable_until IS NULL THEN
        PERFORM refuse(409, 'refund_window_closed', 'A purchase can be refunded for 24 hours.',
                       jsonb_build_object('closed_at', p.purchased_at + interval '24 hours'));
    END IF;
    refunded_at := instant();
    refunded_coins := p.price_paid;
    UPDATE user_purchases AS r SET status = 'refunded', refunded_at = refund.refunded_at, refund_reason = given_reason
     WHERE r.id = wanted;
    PERFORM move_kinds('purchases', purchase_kinds(p.status, p.item_id, p.item_key), purchase_kinds('refunded', p.item_id, p.item_key));
    DELETE FROM user_equipment AS e WHERE e.purchase_id = wanted;
    PERFORM take_stock(p.item_id, -p.quantity) WHERE p.item_owner <> current_user_id();
    PERFORM reverse('purchase:' || wanted, coalesce(given_reason, 'Refunded')) WHERE p.price_paid > 0;
    RETURN NEXT;
END
$$;

-- Equips a permanent item that the user owns.
CREATE OR REPLACE FUNCTION app.equip(wanted_slot text, wanted_key text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    item market_items;
    bought uuid;
BEGIN
    SELECT * INTO item FROM market_items AS i WHERE i.key = wanted_key AND (i.is_active OR i.owner_id IS NOT NULL);
    IF NOT FOUND THEN
        PERFORM refuse(404, 'not_found', 'There is no such item.');
    ELSIF item.effect_json ->> 'slot' IS DISTINCT FROM wanted_slot THEN
        PERFORM refuse_field(wanted_slot, 'names an item that does not go there');
    END IF;
    SELECT p.id INTO bought FROM user_purchases AS p WHERE p.item_id = item.id AND NOT p.is_consumable AND p.status = 'redeemed';
    IF NOT FOUND THEN
        PERFORM refuse(409, 'not_owned', 'You do not own this item.');
    END IF;
    INSERT INTO user_equipment AS e (slot, purchase_id) VALUES (wanted_slot, bought)
    ON CONFLICT (user_id, slot) DO UPDATE SET purchase_id = excluded.purchase_id;
END
$$;

-- Refuses to change a shared item. Does nothing where there is no such item, or it is another user's.
CREATE OR REPLACE FUNCTION app.refuse_shared_item(wanted_key text, wanted_id uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT refuse(403, 'forbidden', 'Shared items are changed by administrators.')
      FROM market_items AS i WHERE i.owner_id IS NULL AND i.is_active AND (i.key = wanted_key OR i.id = wanted_id);
END;

-- Streak shields ----------------------------------------------------------------------------------------------------

-- How many missed days the user's streak shields can replace. The purchases of such items are looked up: of a reward that was bought
-- and never redeemed there may be hundreds, all of them active. A user's own reward has no effect.
CREATE OR REPLACE FUNCTION app.shields_held() RETURNS int
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(sum(p.uses_remaining), 0)::int
      FROM user_purchases AS p
     WHERE p.item_id = ANY (ARRAY(SELECT i.id FROM market_items AS i WHERE i.effect_json ->> 'type' = 'streak_shield'))
       AND p.item_owner <> p.user_id
       AND p.status = 'active'
       AND (p.expires_at > clock()) IS NOT FALSE);

-- When the shields held become fewer by time alone.
CREATE OR REPLACE FUNCTION app.next_shield_end() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT min(p.expires_at) FROM user_purchases AS p WHERE p.status = 'active' AND p.expires_at > clock());

-- Uses the oldest shields, one use for each of the days. Called by the ledger under the user's lock, when there are enough.
CREATE OR REPLACE FUNCTION internal.use_shields(days date[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    shield user_purchases;
    uses int;
BEGIN
    FOR shield IN
        SELECT p.*
          FROM user_purchases AS p
         WHERE p.item_id = ANY (ARRAY(SELECT i.id FROM market_items AS i WHERE i.effect_json ->> 'type' = 'streak_shield'))
           AND p.item_owner <> p.user_id
           AND p.status = 'active'
           AND (p.expires_at > clock()) IS NOT FALSE
         ORDER BY p.purchased_at, p.id
    LOOP
        uses := least(cardinality(days), shield.uses_remaining);
        EXIT WHEN uses = 0;
        INSERT INTO streak_shield_uses (day, purchase_id) SELECT d, shield.id FROM unnest(days[:uses]) AS d;
        PERFORM take_uses(shield.id, uses, instant());
        days := days[uses + 1:];
    END LOOP;
END
$$;

SET LOCAL ROLE questlog_board;

-- The same for a user on a leaderboard, whose streak has a gap.
CREATE OR REPLACE FUNCTION internal.shields_held_by(holder uuid) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
RETURN (
    SELECT coalesce(sum(p.uses_remaining), 0)::int
      FROM user_purchases AS p
     WHERE p.user_id = holder
       AND p.item_id = ANY (ARRAY(SELECT i.id FROM market_items AS i WHERE i.effect_json ->> 'type' = 'streak_shield'))
       AND p.item_owner <> p.user_id
       AND p.status = 'active'
       AND (p.expires_at > clock()) IS NOT FALSE);
