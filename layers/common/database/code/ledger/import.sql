SET LOCAL ROLE questlog_owner;

-- Fills the ledger of an account that has none with the rows of an export, in their order. Returns their number. Ids,
-- keys and times are kept; balances are computed from the rows. Achievements and streaks are not among them: an export
-- holds them as tables of their own.
--   A ledger too long for one value comes in parts, in one transaction: the first of them asks for an empty ledger, and with the
--   last one everything has to add up.
CREATE OR REPLACE FUNCTION app.import_ledger(rows jsonb, is_first boolean DEFAULT true, is_last boolean DEFAULT true) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    defaults points_ledger; -- for columns that an older export does not have
    imported int;
    problem text;
BEGIN
    PERFORM own_progress();
    IF is_first AND EXISTS (SELECT FROM points_ledger) THEN
        PERFORM refuse(409, 'conflict', 'This account has a ledger already.');
    END IF;
    defaults.skill_stars := 0;
    defaults.counters := '{}';
    defaults.metadata := '{}';
    defaults.streak_after := 0;
    BEGIN
        INSERT INTO points_ledger (
            id, event_type, source_type, source_id, base_xp, bonus_xp, xp, coins, skill_key, skill_stars, counters, metadata,
            level_after, coins_after, total_xp_after, streak_after, idempotency_key, reverses, cause_id, reason, local_date,
            created_at, seq)
        SELECT r.id, r.event_type, r.source_type, r.source_id, r.base_xp, r.bonus_xp, r.xp, r.coins, r.skill_key,
               r.skill_stars, r.counters, r.metadata, r.level_after, r.coins_after, r.total_xp_after, r.streak_after,
               r.idempotency_key, r.reverses, r.cause_id, r.reason, r.local_date, r.created_at,
               before.entries + e.position
          FROM (SELECT coalesce(max(l.seq), 0) AS entries FROM points_ledger AS l) AS before,
               jsonb_array_elements(rows) WITH ORDINALITY AS e (value, position),
               LATERAL jsonb_populate_record(defaults, e.value) AS r
         ORDER BY e.position;
        GET DIAGNOSTICS imported = ROW_COUNT;
        IF NOT is_last THEN
            RETURN imported;
        END IF;

        INSERT INTO ledger_days (day, xp, coins_earned, coins_spent, events, first_seq, last_seq)
        SELECT d.day, d.xp, d.coins_earned, d.coins_spent, d.events, d.first_seq, d.last_seq FROM recounted_days AS d;
        INSERT INTO ledger_blocks (last_seq, event_type, count)
        SELECT b.last_seq, b.event_type, b.count FROM recounted_blocks AS b;
        INSERT INTO user_skills (skill_key, xp)
        SELECT l.skill_key, sum(l.xp + 10 * l.skill_stars)
          FROM points_ledger AS l
         WHERE l.skill_key IS NOT NULL AND l.xp + 10 * l.skill_stars <> 0
         GROUP BY l.skill_key;
        INSERT INTO user_counters (counter, value)
        SELECT a.key, sum(a.value::bigint) FROM points_ledger AS l, jsonb_each(l.counters) AS a GROUP BY a.key;
        UPDATE user_wallet
           SET (coins, total_earned, total_spent, updated_at) = (
               SELECT coalesce(sum(l.coins), 0),
                      coalesce(sum(earned_coins(l.coins, l.reverses)), 0),
                      coalesce(sum(earned_coins(l.coins, l.reverses) - l.coins), 0),
                      coalesce((array_agg(l.created_at ORDER BY l.coins <> 0 DESC, l.seq DESC))[1], clock())
                 FROM points_ledger AS l);
        UPDATE user_progress
           SET (total_xp, current_level, updated_at) = (
               SELECT coalesce(sum(l.xp), 0),
                      level_for(coalesce(sum(l.xp), 0)::bigint),
                      coalesce((array_agg(l.created_at ORDER BY l.xp <> 0 OR l.skill_stars <> 0 DESC, l.seq DESC))[1], clock())
                 FROM points_ledger AS l),
               total_skill_stars = (SELECT coalesce(sum(s.xp / 10), 0) FROM user_skills AS s),
               (active_days, last_active_day) = (
               SELECT count(DISTINCT l.local_date), max(l.local_date)
                 FROM points_ledger AS l JOIN event_definitions AS e ON e.event_type = l.event_type
                WHERE 'daily_activity' = ANY (e.streak_types)),
               latest_day = (SELECT max(l.local_date) FROM points_ledger AS l);
        SELECT a.problem INTO problem FROM ledger_audit AS a WHERE a.problem NOT LIKE 'achievement %' LIMIT 1;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
        problem := SQLERRM;
    END;
    IF problem IS NOT NULL THEN
        PERFORM refuse(400, 'invalid_backup', 'The ledger does not add up.', jsonb_build_object('problem', problem));
    END IF;
    RETURN imported;
END
$$;

-- Refuses with 400 invalid_backup unless the whole ledger of the user adds up, achievements included.
CREATE OR REPLACE FUNCTION internal.require_sound_ledger() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    problem text := (SELECT a.problem FROM ledger_audit AS a LIMIT 1);
BEGIN
    IF problem IS NOT NULL THEN
        PERFORM refuse(400, 'invalid_backup', 'The ledger does not add up.', jsonb_build_object('problem', problem));
    END IF;
END
$$;

-- Requests cannot fill a ledger.
REVOKE EXECUTE ON FUNCTION app.import_ledger FROM questlog_app, questlog_auth, questlog_operator;
