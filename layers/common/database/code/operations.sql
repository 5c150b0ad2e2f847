SET LOCAL ROLE questlog_owner;

-- Content that administrators make --------------------------------------------------------------------------------------
-- A row is checked before it is written, since the error of a constraint has no sentence for people.

-- Those who write the same type of content take turns, so that two cannot choose the same key.
CREATE OR REPLACE FUNCTION app.lock_content(content_type text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(hashtextextended('content ' || content_type, 0));
END;

-- Refuses another key for a built-in row, by which a later seed finds it, and a key that another row of the type has.
CREATE OR REPLACE FUNCTION internal.require_key(renames_built_in boolean, is_taken boolean) RETURNS boolean
LANGUAGE sql
RETURN (NOT renames_built_in OR refuse_field('key', 'cannot be changed of what is built in'))
       AND (NOT is_taken OR refuse(409, 'duplicate_key', 'Another row of this type has that key.'));

CREATE OR REPLACE FUNCTION app.is_fit_item(r market_items) RETURNS boolean
LANGUAGE sql
RETURN ((r.available_until > r.available_from) IS NOT FALSE
        OR refuse_field('available_until', 'must be after available_from'))
       AND (r.is_consumable OR coalesce(r.limit_per_user, 1) = 1
            OR refuse_field('limit_per_user', 'must be 1 for what is not consumable'))
       AND (r.is_consumable OR r.limit_period = 'ever'
            OR refuse_field('limit_period', 'must be ever for what is not consumable'))
       AND (r.is_consumable OR r.valid_days IS NULL
            OR refuse_field('valid_days', 'must be null for what is not consumable'))
       AND (r.effect_json IS NULL OR r.is_consumable = (r.effect_json ->> 'type' <> 'unlock')
            OR refuse_field('effect_json', 'of what is consumed is a boost or a shield, and of what is kept an unlock'))
       AND require_key(
           EXISTS (SELECT FROM market_items AS i WHERE i.owner_id IS NULL AND i.id = r.id AND i.is_built_in AND i.key <> r.key),
           EXISTS (SELECT FROM market_items AS i
                    WHERE i.owner_id IS NULL AND i.key = r.key AND i.id IS DISTINCT FROM r.id));

CREATE OR REPLACE FUNCTION app.is_fit_topic(r learn_topics) RETURNS boolean
LANGUAGE sql
RETURN require_key(
    EXISTS (SELECT FROM learn_topics AS t WHERE t.id = r.id AND t.is_built_in AND t.key <> r.key),
    EXISTS (SELECT FROM learn_topics AS t WHERE t.key = r.key AND t.id IS DISTINCT FROM r.id));

CREATE OR REPLACE FUNCTION internal.require_topic(topic uuid) RETURNS boolean
LANGUAGE sql
RETURN EXISTS (SELECT FROM learn_topics AS t WHERE t.id = topic) OR refuse_field('topic_id', 'is not the id of a topic');

CREATE OR REPLACE FUNCTION app.is_fit_lesson(r learn_lessons) RETURNS boolean
LANGUAGE sql
RETURN require_topic(r.topic_id)
       AND (EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = r.skill_key)
            OR refuse_field('skill_key', 'is not the key of a skill'))
       AND require_key(
           EXISTS (SELECT FROM learn_lessons AS l WHERE l.id = r.id AND l.is_built_in AND l.key <> r.key),
           EXISTS (SELECT FROM learn_lessons AS l WHERE l.key = r.key AND l.id IS DISTINCT FROM r.id));

CREATE OR REPLACE FUNCTION app.is_fit_drill(r learn_drills) RETURNS boolean
LANGUAGE sql
RETURN require_topic(r.topic_id)
       AND require_key(
           EXISTS (SELECT FROM learn_drills AS d WHERE d.id = r.id AND d.is_built_in AND d.key <> r.key),
           EXISTS (SELECT FROM learn_drills AS d WHERE d.key = r.key AND d.id IS DISTINCT FROM r.id));

-- Whether a trigger has what its type asks for (core contract, 1.6).
CREATE OR REPLACE FUNCTION internal.is_trigger(trigger_type text, config jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE trigger_type
    WHEN 'counter' THEN config ? 'count' AND EXISTS (SELECT FROM counters AS c WHERE c.counter = config ->> 'counter')
    WHEN 'streak' THEN
        config ? 'count' AND EXISTS (SELECT FROM streak_types AS s WHERE s.streak_type = config ->> 'streak_type')
    WHEN 'event' THEN EXISTS (SELECT FROM event_definitions AS e WHERE e.event_type = config ->> 'event_type')
    ELSE config ? 'level'
END;

-- `old_key` is null for a new one. The key is what users' achievements name, so it stays.
CREATE OR REPLACE FUNCTION app.is_fit_achievement(r achievement_definitions, old_key text) RETURNS boolean
LANGUAGE sql
RETURN (is_trigger(r.trigger_type, r.trigger_config)
        OR refuse_field('trigger_config', 'does not have what a trigger of this type waits for'))
       AND (old_key = r.key IS NOT FALSE OR refuse_field('key', 'of an achievement cannot be changed'))
       AND require_key(
           false, old_key IS NULL AND EXISTS (SELECT FROM achievement_definitions AS a WHERE a.key = r.key));

-- Whether anything of a user's refers to a row of content: then it is archived, not deleted ------------------------------

CREATE OR REPLACE FUNCTION app.is_item_used(item uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_purchases AS p
                WHERE p.item_owner = '00000000-0000-0000-0000-000000000000' AND p.item_id = item)
       OR EXISTS (SELECT FROM user_saving_goal AS g
                   WHERE g.item_owner = '00000000-0000-0000-0000-000000000000' AND g.item_id = item);

-- Lessons and drills refer to their topic, used or not.
CREATE OR REPLACE FUNCTION app.is_topic_used(topic uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM learn_lessons AS l WHERE l.topic_id = topic)
       OR EXISTS (SELECT FROM learn_drills AS d WHERE d.topic_id = topic);

CREATE OR REPLACE FUNCTION app.is_lesson_used(lesson uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_lesson_progress AS p WHERE p.lesson_id = lesson)
       OR EXISTS (SELECT FROM flashcards AS c WHERE c.source_lesson_id = lesson);

CREATE OR REPLACE FUNCTION app.is_drill_used(drill uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_drill_stats AS s WHERE s.drill_id = drill);

CREATE OR REPLACE FUNCTION app.is_exercise_used(exercise uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workout_exercises AS w
                WHERE w.exercise_owner = '00000000-0000-0000-0000-000000000000' AND w.exercise_id = exercise)
       OR EXISTS (SELECT FROM session_exercises AS s
                   WHERE s.exercise_owner = '00000000-0000-0000-0000-000000000000' AND s.exercise_id = exercise)
       OR EXISTS (SELECT FROM personal_records AS p
                   WHERE p.exercise_owner = '00000000-0000-0000-0000-000000000000' AND p.exercise_id = exercise)
       OR EXISTS (SELECT FROM exercises AS e
                   WHERE e.merged_into_owner = '00000000-0000-0000-0000-000000000000' AND e.merged_into = exercise);

CREATE OR REPLACE FUNCTION app.is_achievement_used(achievement text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM user_achievements AS a WHERE a.achievement_key = achievement);

-- Looking at the tables ---------------------------------------------------------------------------------------------------

-- The columns of a table in their order, and whether the caller may read each: a secret is what is granted to nobody who looks.
-- No row: there is no such table, or nothing of it may be looked at.
CREATE OR REPLACE FUNCTION app.table_columns(wanted text) RETURNS TABLE (name text, type_name text, place int, is_readable boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.attname::text, plain_type(a.atttypid), a.attnum::int,
           has_column_privilege(c.oid, a.attnum, 'SELECT')
      FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname::text = wanted
       AND has_any_column_privilege(c.oid, 'SELECT')
     ORDER BY a.attnum;
END;

-- Rows of a table by its primary key, with long values cut, times as everywhere on the wire, and secrets hidden. The key's secrets do not order them.
CREATE OR REPLACE FUNCTION app.table_rows(wanted text, most int, skipped bigint) RETURNS SETOF json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    shown text := (
        SELECT string_agg(
               format(CASE
                   WHEN NOT c.is_readable THEN '''[redacted]'' AS %1$I'
                   WHEN c.type_name = 'timestamp with time zone'
                       THEN 'coalesce(to_char(t.%1$I AT TIME ZONE ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"''), t.%1$I::text) AS %1$I'
                   WHEN c.type_name = 'text' THEN 'left(t.%1$I, 10000) AS %1$I'
                   WHEN c.type_name = 'bytea' THEN '''\x'' || encode(substring(t.%1$I FOR 5000), ''hex'') AS %1$I'
                   WHEN c.type_name = 'jsonb'
                       THEN 'CASE WHEN pg_column_size(t.%1$I) > 10000 THEN to_jsonb(left(t.%1$I::text, 10000)) ELSE t.%1$I END AS %1$I'
                   ELSE 't.%1$I'
               END, c.name), ', ' ORDER BY c.place)
          FROM table_columns(wanted) AS c);
    ordering text := (
        SELECT string_agg(format('t.%I', c.name), ', ' ORDER BY k.place)
          FROM pg_index AS i
         CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN table_columns(wanted) AS c ON c.place = k.number AND c.is_readable
         WHERE i.indrelid = format('public.%I', wanted)::regclass AND i.indisprimary);
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT row_to_json(r) FROM (SELECT %s FROM public.%I AS t%s LIMIT $1 OFFSET $2) AS r',
        shown, wanted, coalesce(' ORDER BY ' || ordering, '')) USING most, skipped;
END
$$;

-- How many rows a table has; of more than a million, what the planner estimates.
CREATE OR REPLACE FUNCTION app.table_total(wanted text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    estimate bigint := (SELECT c.reltuples FROM pg_class AS c WHERE c.oid = format('public.%I', wanted)::regclass);
    counted bigint;
BEGIN
    IF estimate > 1000000 THEN
        RETURN estimate;
    END IF;
    EXECUTE format('SELECT count(*) FROM public.%I', wanted) INTO counted;
    RETURN counted;
END
$$;

-- The tables with their rows: counted, or as the planner estimates them.
CREATE OR REPLACE FUNCTION app.table_sizes(counted boolean) RETURNS TABLE (name text, row_count bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    FOR name, row_count IN
        SELECT c.relname, greatest(c.reltuples, 0)
          FROM pg_class AS c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
           AND has_any_column_privilege(c.oid, 'SELECT')
         ORDER BY c.relname
    LOOP
        IF counted THEN
            EXECUTE format('SELECT count(*) FROM public.%I', name) INTO row_count;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Whether everything is as it should be ----------------------------------------------------------------------------------

-- How many rows refer to one that is not there. A foreign key keeps that from happening, unless it was switched off.
CREATE OR REPLACE FUNCTION internal.count_orphans() RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    reference record;
    found bigint;
    orphans bigint := 0;
BEGIN
    FOR reference IN
        SELECT k.conrelid::regclass AS child, k.confrelid::regclass AS parent,
               string_agg(format('c.%I IS NOT NULL', child.attname), ' AND ') AS refers,
               string_agg(format('p.%I = c.%I', parent.attname, child.attname), ' AND ') AS matches
          FROM pg_constraint AS k
         CROSS JOIN unnest(k.conkey, k.confkey) AS pair (child, parent)
          JOIN pg_attribute AS child ON child.attrelid = k.conrelid AND child.attnum = pair.child
          JOIN pg_attribute AS parent ON parent.attrelid = k.confrelid AND parent.attnum = pair.parent
         WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
         GROUP BY k.oid, k.conrelid, k.confrelid
    LOOP
        EXECUTE format('SELECT count(*) FROM %s AS c WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
                       reference.child, reference.refers, reference.parent, reference.matches) INTO found;
        orphans := orphans + found;
    END LOOP;
    RETURN orphans;
END
$$;

-- How many rows the lists of administrators have of each kind, of those that were made before a moment (see counts.sql).
CREATE OR REPLACE FUNCTION app.recounted_lists(until timestamptz) RETURNS TABLE (list text, day date, kind text[], total bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 'users', '-infinity'::date, ARRAY[u.role], count(*) FROM users AS u WHERE u.created_at < until GROUP BY u.role
     UNION ALL
    SELECT 'feedback', '-infinity', ARRAY[f.status, f.feedback_type], count(*)
      FROM feedback AS f WHERE f.created_at < until GROUP BY f.status, f.feedback_type
     UNION ALL
    SELECT 'audit', (a.created_at AT TIME ZONE 'UTC')::date, ARRAY[a.event_type, coalesce(a.resource_type, ''), a.status], count(*)
      FROM audit_log AS a
     WHERE a.created_at < until
     GROUP BY (a.created_at AT TIME ZONE 'UTC')::date, a.event_type, coalesce(a.resource_type, ''), a.status;
END;

-- How much of what is kept is not what the rows say: of the counts of administrators' lists, and of users' counts and marks.
CREATE OR REPLACE FUNCTION app.count_miscounts() RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(*) + (SELECT count(*) FROM total_audit) + (SELECT count(*) FROM mark_audit)
      FROM recounted_lists(counted_until('users')) AS r
      FULL JOIN (SELECT k.* FROM list_counts AS k WHERE k.list <> 'statistics') AS c USING (list, day, kind)
     WHERE coalesce(r.total, 0) <> coalesce(c.total, 0) AND counted_until('users') > '-infinity';
END;

-- Counts the lists of administrators: the rows that were made until five minutes ago, since no transaction that inserts some runs
-- so long, but for a restore, which has the counts forgotten. In a large place the numbers of GET /admin/stats are counted too.
-- Returns how many of the former counts were wrong.
--   Under the lock nothing that was counted can go or change meanwhile: see move_count().
CREATE OR REPLACE FUNCTION app.keep_counts(terms_version text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint := count_miscounts();
    until timestamptz := clock() - interval '5 minutes';
BEGIN
    -- One after another: a run that was killed may still be counting when the next one begins.
    PERFORM pg_advisory_xact_lock(hashtextextended('keep_counts', 0));
    DELETE FROM counted_lists AS l WHERE l.list = 'statistics';
    IF place_is_large() THEN
        INSERT INTO counted_lists (list, counted_until) VALUES ('statistics', clock());
        INSERT INTO list_counts (list, kind, total)
        SELECT 'statistics', ARRAY[s.part, s.name], s.value FROM count_statistics(terms_version) AS s;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('counted lists', 0));
    INSERT INTO counted_lists (list, counted_until) SELECT l.list, until FROM unnest(ARRAY['users', 'feedback', 'audit']) AS l (list)
    ON CONFLICT (list) DO UPDATE SET counted_until = excluded.counted_until;
    WITH counted AS MATERIALIZED (SELECT r.* FROM recounted_lists(until) AS r),
    gone AS (
        DELETE FROM list_counts AS c
         WHERE c.list <> 'statistics'
           AND NOT EXISTS (SELECT FROM counted AS r WHERE (r.list, r.day, r.kind) = (c.list, c.day, c.kind)))
    INSERT INTO list_counts AS c (list, day, kind, total)
    SELECT r.list, r.day, r.kind, r.total FROM counted AS r
    ON CONFLICT (list, day, kind) DO UPDATE SET total = excluded.total WHERE c.total <> excluded.total;
    RETURN wrong;
END
$$;
REVOKE EXECUTE ON FUNCTION app.recounted_lists, app.count_miscounts, app.keep_counts FROM questlog_app, questlog_auth, questlog_operator;

-- The checks that read every row: how many disagreements the ledger has, and how many rows refer to nothing. The clean-up calls it
-- every hour.
CREATE OR REPLACE FUNCTION app.check_integrity(OUT ledger_audit bigint, OUT orphaned_rows bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM ledger_audit), count_orphans();
END;

-- Whether the ledger is too long to be checked while a request waits.
CREATE OR REPLACE FUNCTION app.ledger_is_long() RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT c.reltuples > 1000000 FROM pg_class AS c WHERE c.oid = 'points_ledger'::regclass);

-- The integrity now, or of a long ledger what the last hourly run found; no row where there was none yet.
CREATE OR REPLACE FUNCTION app.known_integrity() RETURNS TABLE (
    ledger_audit bigint, orphaned_rows bigint, miscounted_lists bigint, checked_at timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF ledger_is_long() THEN
        RETURN QUERY SELECT (r.result ->> 'ledger_audit')::bigint, (r.result ->> 'orphaned_rows')::bigint,
                            (r.result ->> 'miscounted_lists')::bigint, r.finished_at
                       FROM job_runs AS r
                      WHERE r.name = 'cleanup' AND r.status = 'done' AND r.result ? 'ledger_audit'
                      ORDER BY r.started_at DESC
                      LIMIT 1;
    ELSE
        RETURN QUERY SELECT i.ledger_audit, i.orphaned_rows, count_miscounts(), clock() FROM check_integrity() AS i;
    END IF;
END
$$;

-- What is counted beside it. Tables of users, and those about them, are held by row-level security, their owner as well.
CREATE OR REPLACE FUNCTION app.health_counts() RETURNS TABLE (
    unforced_rls bigint, expired_sessions bigint, sessions_expired_long_ago bigint, active_sessions bigint, jobs_failed bigint,
    storage_deletions_stuck bigint
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM pg_class AS c
             WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
               AND (c.oid IN ('users'::regclass, 'audit_log'::regclass)
                    OR EXISTS (SELECT FROM pg_constraint AS k
                                WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = 'users'::regclass))),
           s.expired, s.long_ago, s.active,
           -- A user's job that failed before its last attempt was refused for what the user had sent: nothing is broken.
           (SELECT count(*) FROM jobs AS j
             WHERE j.status = 'failed' AND (j.user_id IS NULL OR j.attempts >= j.max_attempts)),
           -- set aside after 20 attempts
           (SELECT count(*) FROM storage_deletions AS d WHERE d.attempts >= 20)
      FROM (SELECT count(*) FILTER (WHERE e.expires_at <= clock()) AS expired,
                   count(*) FILTER (WHERE e.expires_at <= clock() - interval '2 hours') AS long_ago,
                   count(*) FILTER (WHERE e.expires_at > clock()) AS active
              FROM sessions AS e) AS s;
END;
