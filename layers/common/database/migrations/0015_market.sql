-- migrate:up
-- Market: what earned coins buy. Shared items and rewards that users invent stand in one table; what was bought keeps the
-- name and price it had. Coins move in the ledger alone.
SET LOCAL ROLE questlog_owner;

CREATE TABLE market_items (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    owner_id uuid REFERENCES users ON DELETE CASCADE,
    owner_key uuid NOT NULL GENERATED ALWAYS AS (coalesce(owner_id, '00000000-0000-0000-0000-000000000000')) STORED,
    key text NOT NULL CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    description text CHECK (length(description) BETWEEN 1 AND 500),
    category text NOT NULL DEFAULT 'custom' CHECK (length(category) BETWEEN 1 AND 40),
    price_coins bigint NOT NULL CHECK (price_coins BETWEEN 0 AND 1000000),
    rarity text NOT NULL DEFAULT 'common' CHECK (rarity IN ('common', 'rare', 'epic', 'legendary')),
    icon text CHECK (length(icon) BETWEEN 1 AND 40),
    is_active boolean NOT NULL DEFAULT true,
    is_consumable boolean NOT NULL DEFAULT true,
    uses_per_purchase int NOT NULL DEFAULT 1 CHECK (uses_per_purchase BETWEEN 1 AND 100),
    total_stock int CHECK (total_stock >= 0),
    remaining_stock int CHECK (remaining_stock >= 0),
    limit_per_user int CHECK (limit_per_user BETWEEN 1 AND 99),
    limit_period text NOT NULL DEFAULT 'ever' CHECK (limit_period IN ('ever', 'day', 'held')),
    requires_level int CHECK (requires_level >= 1),
    valid_days int CHECK (valid_days BETWEEN 1 AND 365),
    effect_json jsonb CHECK (jsonb_typeof(effect_json) = 'object'),
    available_from timestamptz,
    available_until timestamptz,
    archived_at timestamptz,
    sort_order int NOT NULL DEFAULT 0,
    is_built_in boolean NOT NULL DEFAULT false CHECK (NOT is_built_in OR owner_id IS NULL),
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (owner_key, id),
    UNIQUE (owner_key, key),
    CHECK (available_until > available_from),
    CHECK ((total_stock IS NULL) = (remaining_stock IS NULL)),
    -- A permanent item is bought once and does not expire.
    CHECK (is_consumable OR (limit_per_user = 1 AND limit_period = 'ever' AND valid_days IS NULL)),
    CHECK (CASE effect_json ->> 'type'
        WHEN 'xp_multiplier' THEN is_consumable
             AND effect_json @? '$ ? (@.factor >= 1 && @.factor <= 100 && @.seconds >= 1 && @.seconds <= 31536000)'
             AND effect_json @? '$.seconds ? (@.floor() == @)'
        WHEN 'streak_shield' THEN is_consumable AND effect_json -> 'days' = '1'
        WHEN 'unlock' THEN NOT is_consumable AND effect_json ->> 'slot' IN ('theme', 'avatar')
             AND jsonb_typeof(effect_json -> 'value') = 'string'
        ELSE effect_json IS NULL
    END),
    -- A reward of a user's own has no effect: nobody can make a boost for themselves.
    CHECK (owner_id IS NULL OR (
        is_consumable AND price_coins >= 1 AND uses_per_purchase = 1
        AND num_nonnulls(effect_json, total_stock, requires_level, available_from, available_until) = 0))
);
CREATE TRIGGER touch BEFORE UPDATE ON market_items FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
-- A deleted user's rows are found by it.
CREATE INDEX market_items_owner ON market_items (owner_id) WHERE owner_id IS NOT NULL;
-- Which items are streak shields: nearly every row is a reward of some user.
CREATE INDEX market_items_shields ON market_items (id) WHERE effect_json ->> 'type' = 'streak_shield';
CALL enable_shared_row_security('market_items');
GRANT SELECT, INSERT, UPDATE ON market_items TO questlog_app;
GRANT INSERT, UPDATE, DELETE ON market_items TO questlog_admin;
-- A buyer takes from the stock of a shared item, through take_stock() alone.
CREATE POLICY stock ON market_items TO questlog_identity USING (owner_id IS NULL);
GRANT SELECT (owner_id, owner_key, id, remaining_stock), UPDATE (remaining_stock) ON market_items TO questlog_identity;

CREATE TABLE user_purchases (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- The user, or nobody: the item is shared.
    item_owner uuid NOT NULL,
    item_id uuid NOT NULL,
    item_key text NOT NULL,
    item_name text NOT NULL,
    category text NOT NULL,
    is_consumable boolean NOT NULL,
    unit_price bigint NOT NULL,
    quantity int NOT NULL,
    price_paid bigint NOT NULL,
    uses_total int NOT NULL,
    uses_remaining int NOT NULL,
    -- active, redeemed or refunded
    status text NOT NULL DEFAULT 'active',
    purchased_at timestamptz NOT NULL,
    redeemed_at timestamptz,
    expires_at timestamptz,
    refunded_at timestamptz,
    refund_reason text,
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (item_owner, item_id) REFERENCES market_items
);

-- Whether a purchase is sound, seen by itself; see sound_habit() for why it is one function.
CREATE FUNCTION sound_purchase(p user_purchases) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
    sound boolean := p.item_owner IN (p.user_id, '00000000-0000-0000-0000-000000000000')
        AND p.unit_price >= 0 AND p.quantity BETWEEN 1 AND 99 AND p.price_paid = p.unit_price * p.quantity
        AND p.uses_total >= 1 AND p.uses_remaining BETWEEN 0 AND p.uses_total
        AND (p.is_consumable OR (p.uses_remaining = 0 AND p.redeemed_at IS NOT DISTINCT FROM p.purchased_at));
BEGIN
    IF p.status = 'refunded' THEN
        RETURN sound AND p.refunded_at IS NOT NULL AND (p.refund_reason IS NULL OR length(p.refund_reason) <= 200);
    END IF;
    RETURN sound AND num_nonnulls(p.refunded_at, p.refund_reason) = 0
       AND CASE p.status WHEN 'active' THEN p.uses_remaining > 0
                         WHEN 'redeemed' THEN p.uses_remaining = 0 AND p.redeemed_at IS NOT NULL
                         ELSE false END;
END
$$;
ALTER TABLE user_purchases ADD CHECK (sound_purchase(user_purchases));
-- With what a period's purchases add up to.
CREATE INDEX user_purchases_recent ON user_purchases (user_id, purchased_at DESC, id) INCLUDE (category, price_paid);
CREATE INDEX user_purchases_item ON user_purchases (user_id, item_id, purchased_at);
-- What a user holds, found without reading the history: consumables with uses left, and permanent items.
CREATE INDEX user_purchases_active ON user_purchases (user_id, item_id) WHERE status = 'active';
CREATE INDEX user_purchases_permanent ON user_purchases (user_id, item_id) WHERE NOT is_consumable AND status = 'redeemed';
-- For the foreign key: whether any purchase is of an item that is to be deleted.
CREATE INDEX user_purchases_of_item ON user_purchases (item_owner, item_id);
CALL enable_row_security('user_purchases');
GRANT SELECT ON user_purchases TO questlog_app;

-- The boosts that were redeemed; award() applies the one that runs. The user's lock sees to it that only one runs.
CREATE TABLE user_effects (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    purchase_id uuid NOT NULL,
    effect_type text NOT NULL CHECK (effect_type IN ('xp_multiplier')),
    factor numeric NOT NULL CHECK (factor BETWEEN 1 AND 100),
    started_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > started_at),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, purchase_id) REFERENCES user_purchases
);
CREATE INDEX user_effects_running ON user_effects (user_id, ends_at DESC);
CREATE INDEX user_effects_purchase ON user_effects (user_id, purchase_id);
CALL enable_row_security('user_effects');
GRANT SELECT ON user_effects TO questlog_app;

-- The missed days that were bridged by a shield.
CREATE TABLE streak_shield_uses (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    streak_type text NOT NULL DEFAULT 'daily_activity' CHECK (streak_type = 'daily_activity'),
    day date NOT NULL,
    purchase_id uuid NOT NULL,
    PRIMARY KEY (user_id, streak_type, day),
    FOREIGN KEY (user_id, purchase_id) REFERENCES user_purchases
);
CREATE INDEX streak_shield_uses_purchase ON streak_shield_uses (user_id, purchase_id);
CALL enable_row_security('streak_shield_uses');
GRANT SELECT ON streak_shield_uses TO questlog_app;

CREATE TABLE user_equipment (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    slot text NOT NULL CHECK (slot IN ('theme', 'avatar')),
    purchase_id uuid NOT NULL,
    PRIMARY KEY (user_id, slot),
    FOREIGN KEY (user_id, purchase_id) REFERENCES user_purchases
);
CREATE INDEX user_equipment_purchase ON user_equipment (user_id, purchase_id);
CALL enable_row_security('user_equipment');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_equipment TO questlog_app;

CREATE TABLE user_saving_goal (
    user_id uuid PRIMARY KEY DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    item_owner uuid NOT NULL CHECK (item_owner IN (user_id, '00000000-0000-0000-0000-000000000000')),
    item_id uuid NOT NULL,
    FOREIGN KEY (item_owner, item_id) REFERENCES market_items
);
CREATE INDEX user_saving_goal_item ON user_saving_goal (item_owner, item_id);
CALL enable_row_security('user_saving_goal');
GRANT SELECT, INSERT, UPDATE, DELETE ON user_saving_goal TO questlog_app;

-- A board also shows streaks that shields would keep, so it may read how many each user holds.
CREATE POLICY board ON user_purchases FOR SELECT TO questlog_board USING (status = 'active');
CREATE POLICY board ON market_items FOR SELECT TO questlog_board USING (owner_id IS NULL);
GRANT SELECT (user_id, item_owner, item_id, status, uses_remaining, expires_at) ON user_purchases TO questlog_board;
GRANT SELECT (owner_id, owner_key, id, effect_json) ON market_items TO questlog_board;
