SET LOCAL ROLE questlog_owner;

-- Periods -----------------------------------------------------------------------------------------------------------

-- The first day of the period that a day is in; null for once, which has none.
CREATE OR REPLACE FUNCTION internal.quest_period_start(period text, day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE period
    WHEN 'daily' THEN day
    WHEN 'weekly' THEN week_of(day)
    WHEN 'monthly' THEN day - extract(day FROM day)::int + 1
END;

-- The first day of the period after the one that begins on a day.
CREATE OR REPLACE FUNCTION internal.next_quest_period(period text, first_day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (first_day + CASE period
    WHEN 'daily' THEN interval '1 day'
    WHEN 'weekly' THEN interval '7 days'
    WHEN 'monthly' THEN interval '1 month'
END)::date;

-- The period of each length that the user is in now, and the key of the one before it.
CREATE OR REPLACE FUNCTION internal.quest_periods() RETURNS TABLE (
    period text, period_key text, period_start date, previous_key text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.period, p.period_key, p.period_start, p.previous_key
      FROM (SELECT t.today, week_of(t.today) AS week, quest_period_start('monthly', t.today) AS month
              FROM (SELECT local_today() AS today OFFSET 0) AS t OFFSET 0) AS d,
           LATERAL (VALUES
               ('once', quest_period_key('once', NULL), NULL, NULL),
               ('daily', quest_period_key('daily', d.today), d.today, quest_period_key('daily', d.today - 1)),
               ('weekly', quest_period_key('weekly', d.today), d.week, quest_period_key('weekly', d.week - 1)),
               ('monthly', quest_period_key('monthly', d.today), d.month, quest_period_key('monthly', d.month - 1))
           ) AS p (period, period_key, period_start, previous_key)
    -- OFFSET 0: the four rows are made once. Without it each quest of a list would format its own dates.
    OFFSET 0;
END;

-- What the user sees ------------------------------------------------------------------------------------------------

-- Every own quest and every universal one that runs, each in its present period. Lists ORDER BY kind DESC, sort_order,
-- created_at DESC, id. A universal quest that has ended is still shown to users who have a row in this period or the one
-- before.
--   `ready`: at its target and not completed. The streak is that of this period, or of the one before while this one is
--   not completed.
--   MATERIALIZED: the periods are made once, and not for each quest; when they end, only for who is shown universal quests.
--   OFFSET 0: the row of a quest in a period is looked up by both. Plans are kept, and one that was made for a small account
--   would otherwise join by the quest alone, and read each quest's whole history in a large one.
CREATE OR REPLACE VIEW app.quests_now WITH (security_invoker = true) AS
WITH t AS MATERIALIZED (
    SELECT * FROM quest_periods()
), ends AS MATERIALIZED (
    SELECT t.period, first_instant(next_quest_period(t.period, t.period_start) + make_interval(hours => d.day_start), d.zone) AS ends_at
      FROM t, day_settings() AS d
     WHERE t.period <> 'once'
)
SELECT q.id, 'user' AS kind, NULL::text AS key, q.title, q.description, q.category, q.difficulty,
       q.xp_reward, q.coin_reward, q.skill_key, q.target, NULL::text AS target_type, q.is_repeatable, q.repeat_frequency,
       t.period, t.period_key, t.period_start, NULL::text AS unclaimed_period,
       CASE WHEN q.expires_at <= clock() AND coalesce(p.status, 'available') IN ('available', 'accepted') THEN 'expired'
            ELSE coalesce(p.status, 'available') END AS status,
       CASE WHEN p.status = 'completed' THEN q.target ELSE least(coalesce(p.progress, 0), q.target) END AS progress,
       coalesce(p.status IN ('available', 'accepted') AND p.progress >= q.target AND (q.expires_at <= clock()) IS NOT TRUE,
                false) AS ready,
       CASE p.status WHEN 'completed' THEN p.streak_count ELSE coalesce(b.streak_count, 0) END AS streak_count,
       p.accepted_at, p.completed_at, q.expires_at,
       coalesce(p.undo_count, 0) AS undo_count, 0 AS sort_order, q.created_at,
       greatest(q.updated_at, p.updated_at) AS updated_at
  FROM quests AS q
  JOIN t ON t.period = coalesce(q.repeat_frequency, 'once')
  LEFT JOIN LATERAL (
        SELECT * FROM user_quest_progress AS p WHERE p.quest_id = q.id AND p.period_key = t.period_key OFFSET 0) AS p ON true
  LEFT JOIN LATERAL (
        SELECT p.streak_count FROM user_quest_progress AS p
         WHERE p.quest_id = q.id AND p.period_key = t.previous_key OFFSET 0) AS b ON true
 UNION ALL
SELECT u.id, 'universal', u.key, u.title, u.description, u.category, u.difficulty,
       u.xp_reward, u.coin_reward, u.skill_key, u.target, u.target_type, t.period <> 'once', nullif(t.period, 'once'),
       t.period, t.period_key, t.period_start,
       CASE WHEN b.status <> 'completed' AND u.target_type <> 'manual' THEN b.period_key END,
       CASE WHEN t.period = 'once' AND u.ends_at <= clock() AND p.status IN ('available', 'accepted') THEN 'expired'
            ELSE coalesce(p.status, 'available') END,
       CASE WHEN p.status = 'completed' THEN u.target ELSE least(coalesce(p.progress, 0), u.target) END,
       coalesce(p.status IN ('available', 'accepted') AND p.progress >= u.target
                AND (t.period = 'once' AND u.ends_at <= clock()) IS NOT TRUE, false),
       CASE p.status WHEN 'completed' THEN p.streak_count ELSE coalesce(b.streak_count, 0) END,
       p.accepted_at, p.completed_at,
       CASE t.period WHEN 'once' THEN u.ends_at ELSE (SELECT e.ends_at FROM ends AS e WHERE e.period = t.period) END,
       coalesce(p.undo_count, 0), u.sort_order, u.created_at, greatest(u.updated_at, p.updated_at)
  FROM universal_quests AS u
  JOIN t ON t.period = CASE u.quest_type WHEN 'special' THEN 'once' ELSE u.quest_type END
  LEFT JOIN LATERAL (
        SELECT * FROM user_quest_progress AS p WHERE p.universal_quest_id = u.id AND p.period_key = t.period_key OFFSET 0
        ) AS p ON true
  LEFT JOIN LATERAL (
        SELECT * FROM user_quest_progress AS p
         WHERE p.universal_quest_id = u.id AND p.period_key = t.previous_key
           AND (p.status = 'completed' OR p.status <> 'abandoned' AND p.progress >= u.target) OFFSET 0) AS b ON true
 WHERE u.is_active
   AND (u.starts_at > clock()) IS NOT TRUE
   AND (u.ends_at IS NULL OR u.ends_at > clock() OR p.id IS NOT NULL OR b.id IS NOT NULL);

-- How many quests are accepted and not over, are ready, and were accepted but have run out: what badges and the day's
-- summary show. Begins at the open rows of the present periods, so neither history nor untouched quests cost anything. The row
-- of an own quest has what is asked of the quest, since to look at 500 quests takes four times as long as to read their rows.
--   MATERIALIZED: the periods are made once, and the rows are found by them. A plan that was made for a small account would
--   otherwise read all open rows of a large one, those of old periods too, and make the periods anew for each. OFFSET 0: only
--   rows of universal quests look for their quest.
CREATE OR REPLACE FUNCTION app.quest_counts(OUT active bigint, OUT ready bigint, OUT overdue bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH t AS MATERIALIZED (
        SELECT t.period, t.period_key FROM quest_periods() AS t
    )
    SELECT o.active + u.active, o.ready + u.ready, o.overdue + u.overdue
      FROM (SELECT count(*) FILTER (WHERE (p.expires_at <= clock()) IS NOT TRUE) AS active,
                   count(*) FILTER (WHERE p.progress >= p.target AND (p.expires_at <= clock()) IS NOT TRUE) AS ready,
                   count(*) FILTER (WHERE p.expires_at <= clock()) AS overdue
              FROM user_quest_progress AS p
             WHERE p.status IN ('available', 'accepted') AND p.period_key = ANY (ARRAY(SELECT t.period_key FROM t))
               AND p.quest_id IS NOT NULL AND p.target IS NOT NULL) AS o,
           (SELECT count(*) FILTER (WHERE s.accepted AND NOT s.is_over) AS active,
                   count(*) FILTER (WHERE s.progress >= s.target AND NOT s.is_over) AS ready,
                   count(*) FILTER (WHERE s.accepted AND s.is_over) AS overdue
              FROM (SELECT p.status = 'accepted' AS accepted, p.progress, u.target,
                           t.period = 'once' AND coalesce(u.ends_at <= clock(), false) AS is_over
                      FROM (SELECT * FROM user_quest_progress AS p
                             WHERE p.status IN ('available', 'accepted')
                               AND p.period_key = ANY (ARRAY(SELECT t.period_key FROM t))
                               AND p.universal_quest_id IS NOT NULL OFFSET 0) AS p
                      JOIN t ON t.period_key = p.period_key
                      JOIN universal_quests AS u
                        ON u.id = p.universal_quest_id
                       AND CASE u.quest_type WHEN 'special' THEN 'once' ELSE u.quest_type END = t.period
                     WHERE u.is_active AND (u.starts_at > clock()) IS NOT TRUE) AS s) AS u;
END;

-- The own quests that are accepted, completed or abandoned in their present periods, of each period no more than `most` of the newest;
-- null finds all. It is inlined.
--   ORDER BY: behind read_in_index_order() no plan but the index of lists has this order. To count all of them, one that was made
--   for small accounts would otherwise read all that a large one has ever done.
CREATE OR REPLACE FUNCTION app.moved_quests(wanted text, most bigint) RETURNS TABLE (id uuid, created_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT m.quest_id, m.quest_created_at
      FROM quest_periods() AS t,
           LATERAL (SELECT p.quest_id, p.quest_created_at
                      FROM user_quest_progress AS p
                     WHERE p.status = wanted AND p.period_key = t.period_key AND p.quest_created_at IS NOT NULL
                       AND (p.status <> 'accepted' OR (p.expires_at <= clock()) IS NOT TRUE)
                     ORDER BY p.quest_created_at DESC, p.quest_id
                     LIMIT most) AS m;
END;

-- When the numbers of quests change by time alone, within a day: a quest expires, or one for all begins or ends.
CREATE OR REPLACE FUNCTION app.next_quest_change() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN least((SELECT min(q.expires_at) FROM quests AS q WHERE q.expires_at > clock()),
             (SELECT min(u.starts_at) FROM universal_quests AS u WHERE u.starts_at > clock()),
             (SELECT min(u.ends_at) FROM universal_quests AS u WHERE u.ends_at > clock()));

-- Another one when a row of which the lists of quests are made was written, or when time alone has changed something. Of
-- universal quests, which awards move, it is a digest of the transactions (xmin) that wrote their rows.
CREATE OR REPLACE FUNCTION app.quests_version() RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH t AS MATERIALIZED (
        SELECT t.period, t.period_key, t.previous_key FROM quest_periods() AS t
    )
    -- The user's days, by which the periods of universal quests end.
    SELECT concat_ws(' ', r.quests, r.restored, next_quest_change(), d.zone, d.day_start, (SELECT string_agg(t.period_key, ',') FROM t),
        (SELECT sum(hash_record_extended(ROW (u.id, u.xmin, p.period_key, p.xmin), 0))
           FROM universal_quests AS u
           JOIN t ON t.period = CASE u.quest_type WHEN 'special' THEN 'once' ELSE u.quest_type END
           LEFT JOIN LATERAL (
                SELECT p.period_key, p.xmin FROM user_quest_progress AS p
                 WHERE p.universal_quest_id = u.id AND p.period_key IN (t.period_key, t.previous_key) OFFSET 0) AS p ON true
          WHERE u.is_active))
      FROM list_revisions() AS r, day_settings() AS d;
END;

-- Writing own quests ------------------------------------------------------------------------------------------------

-- The quest `q` with the fields that were sent; null makes a new one. 400 names each field that does not fit. Rewards follow
-- the difficulty unless they are sent themselves. A quest that repeats has a frequency, and one that does not has none.
CREATE OR REPLACE FUNCTION app.quest_with(q quests, sent jsonb) RETURNS quests
LANGUAGE plpgsql AS $$
DECLARE
    made quests := jsonb_populate_record(q, sent);
    most record := difficulty_reward(made.difficulty);
    problems jsonb := '{}';
BEGIN
    IF sent ? 'difficulty' AND NOT sent ? 'xp_reward' THEN
        made.xp_reward := most.xp;
    ELSIF made.xp_reward > most.xp THEN
        problems := problems || jsonb_build_object(
            'xp_reward', format('is at most %s for the difficulty %s', most.xp, made.difficulty));
    END IF;
    IF sent ? 'difficulty' AND NOT sent ? 'coin_reward' THEN
        made.coin_reward := most.coins;
    ELSIF made.coin_reward > most.coins THEN
        problems := problems || jsonb_build_object(
            'coin_reward', format('is at most %s for the difficulty %s', most.coins, made.difficulty));
    END IF;
    IF sent ->> 'expires_at' IS NOT NULL AND made.expires_at <= instant() THEN
        problems := problems || jsonb_build_object('expires_at', 'must be in the future');
    END IF;
    IF NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = made.skill_key) THEN
        problems := problems || jsonb_build_object('skill_key', 'is no skill');
    END IF;
    PERFORM refuse_fields(problems);
    made.repeat_frequency := CASE WHEN made.is_repeatable THEN coalesce(made.repeat_frequency, 'daily') END;
    RETURN made;
END
$$;

-- The quests of the user's own that expire, and when to remind of it: a day before, or three hours before where it is nearer
-- already; of one, or of all (null).
CREATE OR REPLACE FUNCTION internal.quest_reminder_times(wanted uuid)
RETURNS TABLE (quest_id uuid, title text, expires_at timestamptz, due_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT q.id, q.title, q.expires_at,
           CASE WHEN q.expires_at - interval '24 hours' > clock() THEN q.expires_at - interval '24 hours'
                WHEN q.expires_at - interval '3 hours' > clock() THEN q.expires_at - interval '3 hours' END
      FROM quests AS q
     WHERE q.user_id = current_user_id() AND (wanted IS NULL OR q.id = wanted) AND q.expires_at > clock();
END;

-- Brings the rows of a quest up to date that was changed. The caller holds lock_user().
CREATE OR REPLACE FUNCTION app.update_quest_rows(wanted uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp
BEGIN ATOMIC
    UPDATE user_quest_progress AS p
       SET target = o.target, expires_at = o.expires_at, quest_created_at = o.quest_created_at
      FROM outdated_quest_rows AS o
     WHERE o.quest_id = wanted AND p.user_id = o.user_id AND p.id = o.id;
END;

-- Whether a quest can still be completed in its present period.
CREATE OR REPLACE FUNCTION internal.is_quest_open(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM quests_now AS q WHERE q.id = wanted AND q.status IN ('available', 'accepted'));

-- Makes a quest of the least difficulty, to be done once, and returns its id: what others make quests with.
CREATE OR REPLACE FUNCTION internal.create_quest(title text, description text, category text) RETURNS uuid
LANGUAGE sql
BEGIN ATOMIC
    SELECT revise_quests();
    INSERT INTO quests (title, description, category, xp_reward, coin_reward)
    SELECT create_quest.title, create_quest.description, create_quest.category, r.xp, r.coins
      FROM difficulty_reward('starter') AS r
    RETURNING id;
END;

-- Moves -------------------------------------------------------------------------------------------------------------
-- Each runs under the user's lock, which award takes as well: what it reads does not change before it writes, and its time
-- is not before the one of the move before it.

-- Whether only real activity moves this quest.
CREATE OR REPLACE FUNCTION internal.quest_is_automatic(q quests_now) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(q.target_type <> 'manual', false);

-- Refuses a move that the quest's state does not allow.
CREATE OR REPLACE FUNCTION internal.require_quest_in(q quests_now, allowed text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF q.status = 'expired' THEN
        PERFORM refuse(409, 'quest_expired', 'This quest has expired.', jsonb_build_object('expires_at', q.expires_at));
    ELSIF NOT q.status = ANY (allowed) THEN
        PERFORM refuse(409, 'invalid_state', format('This quest is %s.', q.status), jsonb_build_object('status', q.status));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION internal.refuse_automatic(q quests_now) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF quest_is_automatic(q) THEN
        PERFORM refuse(409, 'automatic_progress', 'Only real activity moves this quest.');
    END IF;
END
$$;

-- Keeps a universal quest from being deleted before the transaction ends, as a row of progress does. False where an administrator has
-- just deleted it: to write such a row would fail.
CREATE OR REPLACE FUNCTION internal.hold_quest(quest uuid) RETURNS boolean
LANGUAGE sql
RETURN EXISTS (SELECT FROM universal_quests AS u WHERE u.id = quest FOR KEY SHARE);

-- Writes a quest's state in its present period, and removes what a completion left there. accepted_at is kept, or set when
-- the quest becomes accepted.
CREATE OR REPLACE FUNCTION internal.set_quest(q quests_now, new_status text, new_progress int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    accepted timestamptz := CASE new_status WHEN 'accepted' THEN coalesce(q.accepted_at, instant()) END;
BEGIN
    UPDATE user_quest_progress AS p
       SET status = new_status,
           progress = new_progress,
           accepted_at = coalesce(accepted, p.accepted_at),
           completed_at = NULL,
           xp_awarded = 0,
           coins_awarded = 0,
           streak_count = 0,
           target = CASE q.kind WHEN 'user' THEN q.target END,
           expires_at = CASE q.kind WHEN 'user' THEN q.expires_at END,
           quest_created_at = CASE q.kind WHEN 'user' THEN q.created_at END
     WHERE p.period_key = q.period_key AND (p.quest_id = q.id OR p.universal_quest_id = q.id);
    IF NOT FOUND THEN
        IF q.kind = 'universal' AND NOT hold_quest(q.id) THEN
            PERFORM refuse(404, 'not_found', 'There is no such quest.');
        END IF;
        INSERT INTO user_quest_progress (
            quest_id, universal_quest_id, period_key, period_start, status, progress, accepted_at, target, expires_at,
            quest_created_at)
        VALUES (CASE q.kind WHEN 'user' THEN q.id END, CASE q.kind WHEN 'universal' THEN q.id END,
                q.period_key, q.period_start, new_status, new_progress, accepted,
                CASE q.kind WHEN 'user' THEN q.target END, CASE q.kind WHEN 'user' THEN q.expires_at END,
                CASE q.kind WHEN 'user' THEN q.created_at END);
    END IF;
    IF q.kind = 'universal' THEN
        PERFORM forget_quiet();
    END IF;
    PERFORM revise_quests();
END
$$;

CREATE OR REPLACE FUNCTION app.accept_quest(q quests_now) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF q.status = 'abandoned' AND q.expires_at <= instant() THEN
        q.status := 'expired'; -- which it would be as soon as it is accepted
    END IF;
    PERFORM require_quest_in(q, '{available,accepted,abandoned}');
    IF q.status <> 'accepted' THEN
        q.accepted_at := NULL; -- accepting again takes a new time
        PERFORM set_quest(q, 'accepted', q.progress);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.abandon_quest(q quests_now) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM require_quest_in(q, '{available,accepted,abandoned}');
    IF q.status <> 'abandoned' THEN
        PERFORM set_quest(q, 'abandoned', q.progress);
    END IF;
END
$$;

-- Completions -------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION internal.quest_award_key(quest_id uuid, period_key text, undo_count int) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN concat_ws(':', 'quest_complete', quest_id, period_key, nullif(undo_count, 0));

-- Counts the streak in the period that begins on a day, which was just completed or reopened, and in the completed ones
-- that follow it: one more than in the period before each. There are such where the period before was claimed late, or the
-- user's day went back.
CREATE OR REPLACE FUNCTION internal.count_quest_streak(q quests_now, first_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    day date := first_day;
    streak int := coalesce((
        SELECT p.streak_count FROM user_quest_progress AS p
         WHERE p.period_key = quest_period_key(q.period, first_day - 1)
           AND (p.quest_id = q.id OR p.universal_quest_id = q.id)), 0);
BEGIN
    IF q.period = 'once' THEN
        RETURN;
    END IF;
    LOOP
        UPDATE user_quest_progress AS p SET streak_count = streak + 1
         WHERE p.status = 'completed'
           AND p.period_key = quest_period_key(q.period, day) AND (p.quest_id = q.id OR p.universal_quest_id = q.id);
        IF FOUND THEN
            streak := streak + 1;
        ELSIF day = first_day THEN
            streak := 0;
        ELSE
            RETURN;
        END IF;
        day := next_quest_period(q.period, day);
    END LOOP;
END
$$;

-- Whether the own quests of a local day have been paid as often as they may: ten times. What was undone does not count.
CREATE OR REPLACE FUNCTION internal.quest_pay_is_used_up(day date) RETURNS boolean
LANGUAGE sql STABLE
RETURN 10 <= (
    SELECT count(*) FROM entries_on(day, 'quest_complete') AS p
     WHERE p.source_type = 'quest' AND (p.base_xp > 0 OR p.coins > 0));

-- Completes a row and pays the quest's reward.
CREATE OR REPLACE FUNCTION internal.pay_quest(q quests_now, state user_quest_progress) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    capped boolean := q.kind = 'user' AND (q.xp_reward > 0 OR q.coin_reward > 0) AND quest_pay_is_used_up(local_today());
    paid award_result;
BEGIN
    paid := award(
        'quest_complete', CASE q.kind WHEN 'user' THEN 'quest' ELSE 'universal_quest' END, q.id,
        CASE WHEN capped THEN 0 ELSE q.xp_reward END, CASE WHEN capped THEN 0 ELSE q.coin_reward END,
        quest_award_key(q.id, state.period_key, state.undo_count),
        skill_key => q.skill_key,
        metadata => CASE WHEN capped THEN '{"reward_capped": true}'::jsonb ELSE '{}' END);
    UPDATE user_quest_progress AS p
       SET status = 'completed', progress = q.target, completed_at = instant(),
           xp_awarded = paid.xp, coins_awarded = paid.coins
     WHERE p.id = state.id;
    PERFORM count_quest_streak(q, state.period_start);
END
$$;

-- The row of the quest's present period, brought to where it can be paid; refuses when it is not finished.
CREATE OR REPLACE FUNCTION internal.finished_quest(q quests_now) RETURNS user_quest_progress
LANGUAGE plpgsql AS $$
DECLARE
    state user_quest_progress;
BEGIN
    IF q.status <> 'completed' THEN
        PERFORM require_quest_in(q, '{available,accepted}');
        IF quest_is_automatic(q) AND q.progress < q.target THEN
            PERFORM refuse(409, 'quest_incomplete', 'This quest is not at its target yet.',
                           jsonb_build_object('progress', q.progress, 'target', q.target));
        END IF;
        PERFORM set_quest(q, q.status, q.target);
    END IF;
    SELECT * INTO STRICT state
      FROM user_quest_progress AS p
     WHERE p.period_key = q.period_key AND (p.quest_id = q.id OR p.universal_quest_id = q.id);
    RETURN state;
END
$$;

-- The row of the period before, of a universal quest that reached its target there; refuses any other period.
CREATE OR REPLACE FUNCTION internal.unclaimed_quest(q quests_now, wanted_period text) RETURNS user_quest_progress
LANGUAGE plpgsql AS $$
DECLARE
    state user_quest_progress;
BEGIN
    SELECT p.* INTO state
      FROM quest_periods() AS t
      JOIN user_quest_progress AS p ON p.universal_quest_id = q.id AND p.period_key = t.previous_key
     WHERE t.period = q.period
       AND t.previous_key = wanted_period
       AND quest_is_automatic(q)
       AND (p.status = 'completed' OR p.period_key = q.unclaimed_period);
    IF NOT FOUND THEN
        PERFORM refuse_field('period_key', 'is neither the present period nor the unclaimed one');
    END IF;
    RETURN state;
END
$$;

-- Completes a quest in its present period, or a universal one in the period before when it is unclaimed there, and returns
-- what it paid. A period that is completed already returns what it paid the first time.
CREATE OR REPLACE FUNCTION app.complete_quest(
    q quests_now, wanted_period text, OUT paid award_result, OUT completed boolean, OUT already_completed boolean,
    OUT reward_capped boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    state user_quest_progress;
    award_key text;
BEGIN
    IF wanted_period <> q.period_key THEN
        state := unclaimed_quest(q, wanted_period);
    ELSE
        state := finished_quest(q);
    END IF;
    award_key := quest_award_key(q.id, state.period_key, state.undo_count);
    completed := true;
    already_completed := state.status = 'completed';
    IF NOT already_completed THEN
        PERFORM pay_quest(q, state);
    END IF;
    paid := paid_under(award_key);
    reward_capped := EXISTS (
        SELECT FROM points_ledger AS l WHERE l.idempotency_key = award_key AND l.metadata @> '{"reward_capped": true}');
END
$$;

-- Adds to the progress, or sets it; at the target the quest is completed. Doing again what completed it is a replay.
CREATE OR REPLACE FUNCTION app.progress_quest(
    q quests_now, increment int, new_value int, OUT paid award_result, OUT completed boolean, OUT already_completed boolean,
    OUT reward_capped boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    reached int := least(q.target, coalesce(new_value, q.progress + increment));
    completion record;
BEGIN
    PERFORM refuse_automatic(q);
    IF q.status <> 'completed' OR reached < q.target THEN
        PERFORM require_quest_in(q, '{available,accepted}');
        q.status := 'accepted';
    END IF;
    IF reached = q.target THEN
        completion := complete_quest(q, q.period_key);
        paid := completion.paid;
        completed := completion.completed;
        already_completed := completion.already_completed;
        reward_capped := completion.reward_capped;
    ELSE
        PERFORM set_quest(q, 'accepted', reached);
        completed := false;
        already_completed := false;
        reward_capped := false;
    END IF;
END
$$;

-- Undoes a completion and takes its reward back, in the same period and within a day. The next completion pays again, under
-- another key.
CREATE OR REPLACE FUNCTION app.reopen_quest(q quests_now) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    PERFORM refuse_automatic(q);
    IF q.status = 'accepted' AND q.undo_count > 0 THEN
        RETURN; -- it is reopened already
    END IF;
    PERFORM require_quest_in(q, '{completed}');
    IF q.completed_at <= instant() - interval '24 hours' THEN
        PERFORM refuse(409, 'invalid_state', 'This quest was completed more than 24 hours ago.',
                       jsonb_build_object('status', q.status));
    END IF;
    PERFORM reverse(quest_award_key(q.id, q.period_key, q.undo_count), 'Quest reopened');
    PERFORM set_quest(q, 'accepted', q.target - 1);
    UPDATE user_quest_progress AS p SET undo_count = p.undo_count + 1
     WHERE p.period_key = q.period_key AND (p.quest_id = q.id OR p.universal_quest_id = q.id);
    PERFORM count_quest_streak(q, q.period_start);
END
$$;

-- Called by the ledger ----------------------------------------------------------------------------------------------

-- The universal quests that an award moves, by what it counted, and their progress after it, in the period that the day is in;
-- row_id is null where the period has no row yet. streak_days is a value to reach.
CREATE OR REPLACE FUNCTION internal.moved_quests(counters jsonb, day date)
RETURNS TABLE (quest_id uuid, row_id uuid, period_key text, period_start date, progress bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT u.id, p.id, t.period_key, quest_period_start(u.quest_type, day), a.progress
      FROM universal_quests AS u
     CROSS JOIN LATERAL (SELECT quest_period_key(u.quest_type, day) AS period_key OFFSET 0) AS t
      -- OFFSET 0: the key is made once, and looked up quest by quest, since an award moves few
      LEFT JOIN LATERAL (
           SELECT p.id, p.status, p.progress
             FROM user_quest_progress AS p
            WHERE p.universal_quest_id = u.id AND p.period_key = t.period_key OFFSET 0) AS p ON true
     CROSS JOIN LATERAL (
           SELECT least(u.target, (counters -> u.target_type)::bigint
                                  + CASE u.target_type WHEN 'streak_days' THEN 0 ELSE coalesce(p.progress, 0) END)
                      AS progress) AS a
     WHERE u.is_active
       AND counters ? u.target_type
       AND (u.starts_at > clock()) IS NOT TRUE
       AND (u.ends_at <= clock()) IS NOT TRUE
       AND coalesce(p.status, 'available') IN ('available', 'accepted')
       AND coalesce(p.progress, 0) < a.progress;
END;

-- Adds what an award counted to the universal quests that count it. Where there are none, it notes that the next awards like it
-- need not ask.
CREATE OR REPLACE FUNCTION internal.advance_quests(counters jsonb, day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    WITH m AS MATERIALIZED (
        SELECT * FROM moved_quests(counters, day)
    ), advanced AS (
        UPDATE user_quest_progress AS p SET progress = m.progress FROM m WHERE p.id = m.row_id
    ), begun AS (
        INSERT INTO user_quest_progress (universal_quest_id, period_key, period_start, progress)
        SELECT m.quest_id, m.period_key, m.period_start, m.progress FROM m WHERE m.row_id IS NULL AND hold_quest(m.quest_id)
    )
    SELECT EXISTS (SELECT FROM m) AS any_moves, r.revision INTO found FROM shared_revision AS r;
    IF NOT found.any_moves THEN
        PERFORM note_quiet(counters, day, found.revision);
    END IF;
END
$$;

-- Takes what a reversed award counted from the same quests, unless they are completed or abandoned.
CREATE OR REPLACE FUNCTION internal.retreat_quests(counters jsonb, day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_quest_progress AS p
       SET progress = greatest(0, p.progress - c.value::bigint)
      FROM jsonb_each(counters) AS c
      JOIN universal_quests AS u ON u.target_type = c.key
     WHERE p.universal_quest_id = u.id
       AND p.period_key = quest_period_key(u.quest_type, day)
       AND p.status IN ('available', 'accepted')
       AND c.key <> 'streak_days'
       AND c.value::bigint > 0;
    PERFORM forget_quiet();
END
$$;

-- Imports -------------------------------------------------------------------------------------------------------------

-- What quests an import has brought, by their keys; also those that are deleted since.
CREATE OR REPLACE FUNCTION app.imported_quests() RETURNS SETOF text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT q.import_key FROM quests AS q WHERE q.import_key IS NOT NULL
    UNION ALL
    SELECT d.import_key FROM deleted_imports AS d WHERE d.kind = 'quest';
END;

-- Adds quests of the user's own from a file, with the reward of their difficulty. `rows` holds rows of quests.
CREATE OR REPLACE FUNCTION internal.import_quests(rows jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT revise_quests() WHERE rows <> '[]';
    INSERT INTO quests (title, description, category, difficulty, xp_reward, coin_reward, import_key)
    SELECT q.title, q.description, coalesce(q.category, 'general'), q.difficulty, r.xp, r.coins, q.import_key
      FROM jsonb_populate_recordset(NULL::quests, rows) AS q, difficulty_reward(q.difficulty) AS r;
END;
