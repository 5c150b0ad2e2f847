SET LOCAL ROLE questlog_owner;

-- What awards find out about a user, so that the next ones need not look through achievements and universal quests: to find
-- that there is nothing to do was a seventh of an award. A mark only ever rules something out. Marks are void when an
-- administrator has written anything: the shared revision is another one then.
--   The revision of a note is read in the statement that looks through the definitions: an administrator may write between two.

-- The jsonpath that metadata match which reach all fields of one of these minima, [{"duration_seconds": 3600}]; null where
-- there is none.
CREATE OR REPLACE FUNCTION internal.completing_metadata(minima jsonb[]) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT 'strict $ ? (' || string_agg('(' || f.reached || ')', ' || ') || ')'
      FROM unnest(minima) AS m (minimum)
     CROSS JOIN LATERAL (
           -- A quoted key is written alike in JSON and in jsonpath.
           SELECT coalesce(string_agg(format('@.%s >= %s', to_json(f.key), f.value), ' && '), '1 == 1') AS reached
             FROM jsonb_each(m.minimum) AS f) AS f;
END;

-- Notes what the next awards of this event, and of these counters, complete.
CREATE OR REPLACE FUNCTION internal.note_completing(counters text[], event_type text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    WITH open AS (
        SELECT d.watches, d.threshold, d.trigger_config
          FROM achievement_definitions AS d
         WHERE d.is_active AND d.key <> ALL (ARRAY(SELECT a.achievement_key FROM user_achievements AS a))
    ), found AS (
        SELECT 'counter:' || c.counter AS fact,
               to_jsonb(coalesce((SELECT min(o.threshold) FROM open AS o WHERE o.watches = 'counter:' || c.counter),
                                 9223372036854775807)) AS completing
          FROM unnest(counters) AS c (counter)
         UNION ALL
        SELECT 'event:' || event_type, to_jsonb(completing_metadata(ARRAY(
               SELECT coalesce(o.trigger_config -> 'min', '{}') FROM open AS o WHERE o.watches = 'event:' || event_type)))
    )
    INSERT INTO ledger_marks AS m (revision, completing)
    SELECT r.revision, (SELECT jsonb_object_agg(f.fact, f.completing) FROM found AS f) FROM shared_revision AS r
    ON CONFLICT (user_id) DO UPDATE
       SET revision = excluded.revision,
           completing = CASE m.revision WHEN excluded.revision THEN m.completing ELSE '{}' END || excluded.completing,
           quiet_day = CASE m.revision WHEN excluded.revision THEN m.quiet_day END;
END;

-- Notes that awards of a day which move these counters move no universal quest, unless one begins later.
CREATE OR REPLACE FUNCTION internal.note_quiet(counters jsonb, day date, revision bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO ledger_marks AS m (revision, quiet_day, quiet_streak, quiet_counters)
    SELECT note_quiet.revision, note_quiet.day, (counters -> 'streak_days')::int,
           (SELECT coalesce(jsonb_object_agg(c.key, true), '{}') FROM jsonb_each(counters) AS c WHERE c.value <> '0')
     WHERE NOT EXISTS (SELECT FROM universal_quests AS u WHERE u.is_active AND u.starts_at > clock())
    ON CONFLICT (user_id) DO UPDATE
       SET revision = excluded.revision,
           completing = CASE m.revision WHEN excluded.revision THEN m.completing ELSE '{}' END,
           quiet_day = excluded.quiet_day,
           quiet_streak = excluded.quiet_streak,
           quiet_counters = CASE WHEN (m.revision, m.quiet_day, m.quiet_streak)
                                    = (excluded.revision, excluded.quiet_day, excluded.quiet_streak)
                                 THEN m.quiet_counters ELSE '{}' END || excluded.quiet_counters;
END;

-- Forgets it, since a quest that was done is open again.
CREATE OR REPLACE FUNCTION internal.forget_quiet() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE ledger_marks SET quiet_day = NULL WHERE quiet_day IS NOT NULL;
END;

-- Where a mark rules out what a definition asks for: nowhere. It covers the users whose rows the caller may see.
CREATE OR REPLACE VIEW app.mark_audit WITH (security_invoker = true) AS
SELECT m.user_id, format('The achievement %s is not awaited: %s is %s.', d.key, f.key, f.value) AS problem
  FROM ledger_marks AS m
  JOIN shared_revision AS r ON r.revision = m.revision
 CROSS JOIN jsonb_each(m.completing) AS f
  JOIN achievement_definitions AS d ON d.watches = f.key AND d.is_active
 WHERE NOT EXISTS (SELECT FROM user_achievements AS a WHERE a.user_id = m.user_id AND a.achievement_key = d.key)
   AND CASE d.trigger_type WHEN 'counter' THEN d.threshold < f.value::bigint ELSE f.value = 'null' END
 UNION ALL
SELECT m.user_id, format('The quest %s is not awaited on %s.', u.key, m.quiet_day)
  FROM ledger_marks AS m
  JOIN shared_revision AS r ON r.revision = m.revision
  JOIN universal_quests AS u ON m.quiet_counters ? u.target_type
  LEFT JOIN user_quest_progress AS p
    ON p.user_id = m.user_id AND p.universal_quest_id = u.id AND p.period_key = quest_period_key(u.quest_type, m.quiet_day)
 WHERE u.is_active
   AND (u.starts_at > clock()) IS NOT TRUE
   AND (u.ends_at <= clock()) IS NOT TRUE
   AND m.quiet_day IS NOT NULL
   AND coalesce(p.status, 'available') IN ('available', 'accepted')
   AND coalesce(p.progress, 0) < CASE u.target_type WHEN 'streak_days' THEN least(u.target, m.quiet_streak) ELSE u.target END;
