-- migrate:up
-- The shared items there are from the start. Can be run again: they are content that administrators edit or take off the
-- shelf, so rows that exist are left alone. Their ids follow from their keys, so that an account's purchases find their
-- item in any installation.
SET LOCAL ROLE questlog_owner;

-- The owner is held by row-level security like everyone: for these rows it is admitted as the seeds' writer.
CREATE POLICY seeds ON market_items TO questlog_owner USING (owner_id IS NULL) WITH CHECK (owner_id IS NULL);
INSERT INTO market_items (
    id, key, name, description, category, price_coins, rarity, icon, is_consumable, limit_per_user, limit_period,
    requires_level, effect_json, sort_order, is_built_in)
SELECT md5('market_item:' || s.key)::uuid, s.key, s.name, s.description, s.category, s.price, s.rarity, s.icon,
       s.consumable, s.most, s.period, s.level, s.effect::jsonb, s.place, true
  FROM (VALUES
       ('theme_midnight', 'Midnight', 'Deep blue and quiet, for evenings at the desk.', 'theme', 0, 'common', 'moon',
        false, 1, 'ever', NULL, '{"type": "unlock", "slot": "theme", "value": "midnight"}', 1),
       ('theme_ocean', 'Ocean', 'The colours of open water.', 'theme', 50, 'common', 'waves',
        false, 1, 'ever', NULL, '{"type": "unlock", "slot": "theme", "value": "ocean"}', 2),
       ('theme_forest', 'Forest', 'Moss, bark and a little light between the leaves.', 'theme', 50, 'common', 'tree-pine',
        false, 1, 'ever', NULL, '{"type": "unlock", "slot": "theme", "value": "forest"}', 3),
       ('theme_sunset', 'Sunset', 'Warm from edge to edge.', 'theme', 100, 'rare', 'sunset',
        false, 1, 'ever', NULL, '{"type": "unlock", "slot": "theme", "value": "sunset"}', 4),
       ('xp_boost_1h', 'One-hour boost', 'Twice the XP for an hour. It starts when you redeem it.', 'boost', 25, 'common',
        'zap', true, NULL, 'ever', NULL, '{"type": "xp_multiplier", "factor": 2, "seconds": 3600}', 10),
       ('xp_boost_24h', 'One-day boost', 'Twice the XP for a day. It starts when you redeem it.', 'boost', 100, 'rare',
        'rocket', true, NULL, 'ever', NULL, '{"type": "xp_multiplier", "factor": 2, "seconds": 86400}', 11),
       ('streak_shield', 'Streak shield', 'Stands in for a day you miss, by itself. You can hold three.', 'boost', 150, 'rare',
        'shield', true, 3, 'held', NULL, '{"type": "streak_shield", "days": 1}', 12),
       ('avatar_crown', 'Crown', 'For those who have come a long way.', 'avatar', 500, 'epic', 'crown',
        false, 1, 'ever', 5, '{"type": "unlock", "slot": "avatar", "value": "crown"}', 20),
       ('avatar_wings', 'Wings', 'Nobody has to know how heavy they are.', 'avatar', 750, 'epic', 'feather',
        false, 1, 'ever', 7, '{"type": "unlock", "slot": "avatar", "value": "wings"}', 21),
       ('avatar_halo', 'Halo', 'You know what you did to deserve it.', 'avatar', 1000, 'legendary', 'sun',
        false, 1, 'ever', 10, '{"type": "unlock", "slot": "avatar", "value": "halo"}', 22),
       ('takeout_dinner', 'Takeout dinner', 'Tonight somebody else cooks.', 'food', 100, 'common', 'utensils',
        true, NULL, 'ever', NULL, NULL, 30),
       ('movie_night', 'Movie night', 'A film, a blanket, and no bad conscience.', 'entertainment', 50, 'common', 'film',
        true, NULL, 'ever', NULL, NULL, 31),
       ('spa_evening', 'Spa evening', 'Hot water, candles, and a closed door.', 'selfcare', 120, 'common', 'bath',
        true, NULL, 'ever', NULL, NULL, 32)
       ) AS s (key, name, description, category, price, rarity, icon, consumable, most, period, level, effect, place)
ON CONFLICT (owner_key, key) DO NOTHING;
DROP POLICY seeds ON market_items;
