SET LOCAL ROLE questlog_owner;

-- The first day of the period that a day is in; null for once, which has none.
CREATE OR REPLACE FUNCTION internal.quest_period_start(period text, day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE period
    WHEN 'daily' THEN day
    WHEN 'weekly' THEN day - extract(isodow FROM day)::int + 1
    WHEN 'monthly' THEN day - extract(day FROM day)::int + 1
END;

-- 2031-05-09, 2031-W19 (ISO 8601), 2031-05 or once.
CREATE OR REPLACE FUNCTION internal.quest_period_key(period text, day date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE period
    WHEN 'daily' THEN to_char(day, 'YYYY-MM-DD')
    WHEN 'weekly' THEN to_char(day, 'IYYY-"W"IW')
    WHEN 'monthly' THEN to_char(day, 'YYYY-MM')
    ELSE 'once'
END;

-- The period of each length that the user is in now, and the key of the one before it. A new one begins at ends_at.
CREATE OR REPLACE FUNCTION app.quest_periods() RETURNS TABLE (
    period text, period_key text, period_start date, ends_at timestamptz, previous_key text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT l.period,
           quest_period_key(l.period, d.today),
           s.day,
           lower(day_bounds((s.day + l.length)::date, d.zone, d.day_start)),
           CASE WHEN s.day IS NOT NULL THEN quest_period_key(l.period, s.day - 1) END
      FROM (SELECT c.zone, c.day_start, local_day(clock(), c.zone, c.day_start) AS today
              FROM day_settings() AS c OFFSET 0) AS d,
           (VALUES ('once', NULL), ('daily', interval '1 day'), ('weekly', interval '7 days'),
                   ('monthly', interval '1 month')) AS l (period, length),
           LATERAL (SELECT quest_period_start(l.period, d.today) AS day) AS s
    -- Four rows made once, or each quest of a list would format its own dates.
    OFFSET 0;
END;

-- Every own quest and every universal one that runs, each in its present period; ORDER BY kind DESC, sort_order,
-- created_at DESC, quest_id. A universal quest that has ended stays for whom this period or the one before holds
-- something.
--   Written to be inlined: what the caller does not select is not computed, and a quest_id it asks for goes by the index.
CREATE OR REPLACE FUNCTION app.quests_now() RETURNS SETOF quest_now
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT q.id, 'user', NULL::text, q.title, q.description, q.category, q.difficulty,
           q.xp_reward, q.coin_reward, q.skill_key, q.target, NULL::text, q.is_repeatable, q.repeat_frequency,
           t.period, t.period_key, t.period_start, NULL::text,
           CASE WHEN q.expires_at <= clock() AND coalesce(p.status, 'available') IN ('available', 'accepted') THEN 'expired'
                ELSE coalesce(p.status, 'available') END,
           CASE WHEN p.status = 'completed' THEN q.target ELSE least(coalesce(p.progress, 0), q.target) END,
           coalesce(p.status IN ('available', 'accepted') AND p.progress >= q.target AND (q.expires_at <= clock()) IS NOT TRUE,
                    false),
           p.accepted_at, p.completed_at, q.expires_at,
           coalesce(p.undo_count, 0), 0, q.created_at, greatest(q.updated_at, p.updated_at)
      FROM quests AS q
      JOIN quest_periods() AS t ON t.period = coalesce(q.repeat_frequency, 'once')
      LEFT JOIN user_quest_progress AS p ON p.quest_id = q.id AND p.period_key = t.period_key
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
           p.accepted_at, p.completed_at, CASE t.period WHEN 'once' THEN u.ends_at ELSE t.ends_at END,
           coalesce(p.undo_count, 0), u.sort_order, u.created_at, greatest(u.updated_at, p.updated_at)
      FROM universal_quests AS u
      JOIN quest_periods() AS t ON t.period = CASE u.quest_type WHEN 'special' THEN 'once' ELSE u.quest_type END
      LEFT JOIN user_quest_progress AS p ON p.universal_quest_id = u.id AND p.period_key = t.period_key
      LEFT JOIN user_quest_progress AS b ON b.universal_quest_id = u.id AND b.period_key = t.previous_key
                                        AND (b.status = 'completed' OR b.status <> 'abandoned' AND b.progress >= u.target)
     WHERE u.is_active
       AND (u.starts_at > clock()) IS NOT TRUE
       AND (u.ends_at IS NULL OR u.ends_at > clock() OR p.id IS NOT NULL OR b.id IS NOT NULL);
END;

-- How many quests are accepted and not over, are ready, and were accepted but have run out: what badges and the day's
-- summary show. Begins at the open rows of the present periods, so neither history nor untouched quests cost anything.
CREATE OR REPLACE FUNCTION internal.quest_counts(OUT active bigint, OUT ready bigint, OUT overdue bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(*) FILTER (WHERE p.status = 'accepted' AND NOT s.is_over),
           count(*) FILTER (WHERE p.progress >= s.target AND NOT s.is_over),
           count(*) FILTER (WHERE p.status = 'accepted' AND s.is_over)
      FROM quest_periods() AS t
      JOIN user_quest_progress AS p ON p.period_key = t.period_key AND p.status IN ('available', 'accepted')
      LEFT JOIN quests AS q ON q.id = p.quest_id
      LEFT JOIN universal_quests AS u ON u.id = p.universal_quest_id
     CROSS JOIN LATERAL (
           SELECT coalesce(q.target, u.target) AS target,
                  coalesce(coalesce(q.expires_at, CASE t.period WHEN 'once' THEN u.ends_at END) <= clock(), false) AS is_over
           ) AS s
     WHERE t.period = CASE WHEN q.id IS NOT NULL THEN coalesce(q.repeat_frequency, 'once')
                           WHEN u.is_active AND (u.starts_at > clock()) IS NOT TRUE
                           THEN CASE u.quest_type WHEN 'special' THEN 'once' ELSE u.quest_type END END;
END;

-- Completed periods in a row, of the quest's present length, up to this one or the one before.
CREATE OR REPLACE FUNCTION internal.quest_streak(q quest_now) RETURNS int
LANGUAGE sql STABLE
RETURN CASE WHEN q.period <> 'once' THEN (
    SELECT count(*)
      FROM (SELECT p.period_start,
                   row_number() OVER latest_first - 1 AS back,
                   first_value(p.period_start) OVER latest_first AS latest
              FROM user_quest_progress AS p
             WHERE (p.quest_id = q.quest_id OR p.universal_quest_id = q.quest_id)
               AND p.status = 'completed'
               AND p.period_start <= q.period_start
               AND p.period_key = quest_period_key(q.period, p.period_start)
            WINDOW latest_first AS (ORDER BY p.period_start DESC)) AS c
     -- After a gap no row is as many periods back as there are rows before it.
     WHERE c.latest >= quest_period_start(q.period, q.period_start - 1)
       AND c.period_start = c.latest - c.back * CASE q.period
           WHEN 'daily' THEN interval '1 day' WHEN 'weekly' THEN interval '7 days' ELSE interval '1 month' END
) ELSE 0 END;

-- A quest as the wire shows it.
CREATE OR REPLACE FUNCTION app.quest_shown(q quest_now) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(q) - ARRAY['quest_id', 'period_start', 'ready', 'undo_count', 'sort_order']
    || jsonb_build_object('id', q.quest_id, 'streak_count', quest_streak(q));

-- The whole list as the wire shows it.
CREATE OR REPLACE FUNCTION internal.quests_shown() RETURNS TABLE (quest jsonb, kind text, status text, "position" bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT quest_shown(q), q.kind, q.status, row_number() OVER listed
      FROM quests_now() AS q
    WINDOW listed AS (ORDER BY q.kind DESC, q.sort_order, q.created_at DESC, q.quest_id)
     ORDER BY 4;
END;

-- The own quest that the fields sent make of `q`; 400 names each that does not fit. Rewards follow the difficulty unless
-- they are sent themselves, and a quest that repeats has a frequency, one that does not has none.
CREATE OR REPLACE FUNCTION app.quest_with(q quests, sent jsonb) RETURNS quests
LANGUAGE plpgsql STABLE AS $$
DECLARE
    made quests := jsonb_populate_record(q, sent);
    most record := difficulty_reward(made.difficulty);
    problems jsonb := '[]';
BEGIN
    IF sent ? 'difficulty' AND NOT sent ? 'xp_reward' THEN
        made.xp_reward := most.xp;
    ELSIF made.xp_reward > most.xp THEN
        problems := problems || jsonb_build_object(
            'field', 'xp_reward', 'message', format('is at most %s for the difficulty %s', most.xp, made.difficulty));
    END IF;
    IF sent ? 'difficulty' AND NOT sent ? 'coin_reward' THEN
        made.coin_reward := most.coins;
    ELSIF made.coin_reward > most.coins THEN
        problems := problems || jsonb_build_object(
            'field', 'coin_reward', 'message', format('is at most %s for the difficulty %s', most.coins, made.difficulty));
    END IF;
    IF sent ->> 'expires_at' IS NOT NULL AND made.expires_at <= clock() THEN
        problems := problems || jsonb_build_object('field', 'expires_at', 'message', 'must be in the future');
    END IF;
    IF NOT EXISTS (SELECT FROM skill_definitions AS s WHERE s.key = made.skill_key) THEN
        problems := problems || jsonb_build_object('field', 'skill_key', 'message', 'is no skill');
    END IF;
    IF problems <> '[]' THEN
        PERFORM refuse(400, 'validation_error', 'Some of what was sent is not valid.',
                       jsonb_build_object('fields', problems));
    END IF;
    made.repeat_frequency := CASE WHEN made.is_repeatable THEN coalesce(made.repeat_frequency, 'daily') END;
    RETURN made;
END
$$;

-- Under lock_user(), which award takes as well: what a move reads does not change before it writes.

-- Whether only real activity moves this quest.
CREATE OR REPLACE FUNCTION app.quest_is_automatic(q quest_now) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(q.target_type <> 'manual', false);

-- Refuses a move that the quest's state does not allow.
CREATE OR REPLACE FUNCTION app.require_quest_in(q quest_now, allowed text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF q.status = 'expired' THEN
        PERFORM refuse(409, 'quest_expired', 'This quest has expired.', jsonb_build_object('expires_at', q.expires_at));
    ELSIF NOT q.status = ANY (allowed) THEN
        PERFORM refuse(409, 'invalid_state', format('This quest is %s.', q.status), jsonb_build_object('status', q.status));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.refuse_automatic(q quest_now) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF quest_is_automatic(q) THEN
        PERFORM refuse(409, 'automatic_progress', 'Only real activity moves this quest.');
    END IF;
END
$$;

-- Writes a quest's state in its present period: accepted keeps or takes its instant, and only completed has the other.
CREATE OR REPLACE FUNCTION app.set_quest(q quest_now, new_status text, new_progress int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_quest_progress AS p
       SET status = new_status,
           progress = new_progress,
           accepted_at = CASE new_status WHEN 'accepted' THEN coalesce(q.accepted_at, clock()) ELSE p.accepted_at END,
           completed_at = NULL,
           xp_awarded = 0,
           coins_awarded = 0
     WHERE p.period_key = q.period_key AND (p.quest_id = q.quest_id OR p.universal_quest_id = q.quest_id);
    IF NOT FOUND THEN
        INSERT INTO user_quest_progress (
            quest_id, universal_quest_id, period_key, period_start, status, progress, accepted_at)
        VALUES (CASE q.kind WHEN 'user' THEN q.quest_id END, CASE q.kind WHEN 'universal' THEN q.quest_id END,
                q.period_key, q.period_start, new_status, new_progress, CASE new_status WHEN 'accepted' THEN clock() END);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.accept_quest(q quest_now) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF q.status = 'abandoned' AND q.expires_at <= clock() THEN
        q.status := 'expired'; -- what it would be the moment it is accepted
    END IF;
    PERFORM require_quest_in(q, '{available,accepted,abandoned}');
    IF q.status <> 'accepted' THEN
        q.accepted_at := NULL; -- taken up anew
        PERFORM set_quest(q, 'accepted', q.progress);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.abandon_quest(q quest_now) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_quest_in(q, '{available,accepted,abandoned}');
    IF q.status <> 'abandoned' THEN
        PERFORM set_quest(q, 'abandoned', q.progress);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.quest_award_key(quest_id uuid, period_key text, undo_count int) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN concat_ws(':', 'quest_complete', quest_id, period_key, nullif(undo_count, 0));

-- The quest as it is after what this request did, and what was paid under a key.
CREATE OR REPLACE FUNCTION app.quest_outcome(q quest_now, award_key text, replayed boolean) RETURNS quest_completion
LANGUAGE plpgsql AS $$
DECLARE
    outcome quest_completion;
BEGIN
    SELECT quest_shown(n) INTO outcome.quest FROM quests_now() AS n WHERE n.quest_id = q.quest_id;
    outcome.paid := paid_under(award_key);
    outcome.completed := award_key IS NOT NULL;
    outcome.already_completed := replayed;
    outcome.reward_capped := EXISTS (
        SELECT FROM points_ledger AS l WHERE l.idempotency_key = award_key AND l.metadata @> '{"reward_capped": true}');
    RETURN outcome;
END
$$;

-- Completes a row and pays the quest's reward; answers the ledger's key. Own quests pay ten times a local day: what is
-- over that still counts, and what was undone does not.
CREATE OR REPLACE FUNCTION app.pay_quest(q quest_now, state user_quest_progress) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    award_key text := quest_award_key(q.quest_id, state.period_key, state.undo_count);
    capped boolean := q.kind = 'user' AND (q.xp_reward > 0 OR q.coin_reward > 0) AND 10 <= (
        SELECT count(*) FROM points_ledger AS l
         WHERE l.event_type = 'quest_complete' AND l.source_type = 'quest' AND l.local_date = local_today()
           AND (l.xp > 0 OR l.coins > 0)
           AND NOT EXISTS (SELECT FROM points_ledger AS r WHERE r.reverses = l.id));
    paid award_result;
BEGIN
    paid := award(
        'quest_complete', CASE q.kind WHEN 'user' THEN 'quest' ELSE 'universal_quest' END, q.quest_id,
        CASE WHEN capped THEN 0 ELSE q.xp_reward END, CASE WHEN capped THEN 0 ELSE q.coin_reward END, award_key,
        skill_key => q.skill_key,
        metadata => CASE WHEN capped THEN '{"reward_capped": true}'::jsonb ELSE '{}' END);
    UPDATE user_quest_progress AS p
       SET status = 'completed', progress = q.target, completed_at = clock(),
           xp_awarded = paid.xp, coins_awarded = paid.coins
     WHERE p.id = state.id;
    RETURN award_key;
END
$$;

-- Completes a quest in its present period, or a universal one in the period before when it is unclaimed there. A period
-- that is completed already answers what it paid.
CREATE OR REPLACE FUNCTION app.complete_quest(q quest_now, wanted_period text) RETURNS quest_completion
LANGUAGE plpgsql AS $$
DECLARE
    state user_quest_progress;
BEGIN
    IF wanted_period <> q.period_key THEN
        SELECT p.* INTO state
          FROM quest_periods() AS t
          JOIN user_quest_progress AS p ON p.universal_quest_id = q.quest_id AND p.period_key = t.previous_key
         WHERE t.period = q.period
           AND t.previous_key = wanted_period
           AND quest_is_automatic(q)
           AND (p.status = 'completed' OR p.period_key = q.unclaimed_period);
        IF NOT FOUND THEN
            PERFORM refuse(400, 'validation_error', 'Some of what was sent is not valid.', jsonb_build_object('fields',
                jsonb_build_array(jsonb_build_object(
                    'field', 'period_key', 'message', 'is neither the present period nor the unclaimed one'))));
        END IF;
    ELSE
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
         WHERE p.period_key = q.period_key AND (p.quest_id = q.quest_id OR p.universal_quest_id = q.quest_id);
    END IF;
    IF state.status = 'completed' THEN
        RETURN quest_outcome(q, quest_award_key(q.quest_id, state.period_key, state.undo_count), true);
    END IF;
    RETURN quest_outcome(q, pay_quest(q, state), false);
END
$$;

-- Adds to the progress, or sets it; at the target the quest is completed. Doing again what completed it is a replay.
CREATE OR REPLACE FUNCTION app.progress_quest(q quest_now, increment int, new_value int) RETURNS quest_completion
LANGUAGE plpgsql AS $$
DECLARE
    reached int := least(q.target, coalesce(new_value, q.progress + increment));
BEGIN
    PERFORM refuse_automatic(q);
    IF q.status <> 'completed' OR reached < q.target THEN
        PERFORM require_quest_in(q, '{available,accepted}');
        q.status := 'accepted';
    END IF;
    IF reached = q.target THEN
        RETURN complete_quest(q, q.period_key);
    END IF;
    PERFORM set_quest(q, 'accepted', reached);
    RETURN quest_outcome(q, NULL, false);
END
$$;

-- Takes a completion back with its reward, in the same period and within a day; the next one pays under a key of its own.
CREATE OR REPLACE FUNCTION app.reopen_quest(q quest_now) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_automatic(q);
    IF q.status = 'accepted' AND q.undo_count > 0 THEN
        RETURN; -- that is what a reopened quest is
    END IF;
    PERFORM require_quest_in(q, '{completed}');
    IF q.completed_at <= clock() - interval '24 hours' THEN
        PERFORM refuse(409, 'invalid_state', 'This quest was completed more than 24 hours ago.',
                       jsonb_build_object('status', q.status));
    END IF;
    PERFORM reverse(quest_award_key(q.quest_id, q.period_key, q.undo_count), 'Quest reopened');
    PERFORM set_quest(q, 'accepted', q.target - 1);
    UPDATE user_quest_progress AS p SET undo_count = p.undo_count + 1
     WHERE p.period_key = q.period_key AND (p.quest_id = q.quest_id OR p.universal_quest_id = q.quest_id);
END
$$;

-- As questlog_owner and under the user's lock. With every award, so what moves nothing must write nothing: most awards
-- find that the streak stands where a quest has it already.
CREATE OR REPLACE FUNCTION internal.advance_quests(counters jsonb, day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moved record;
BEGIN
    FOR moved IN
        SELECT u.id, p.id AS row_id, t.period_key, quest_period_start(u.quest_type, day) AS period_start, a.progress
          FROM universal_quests AS u
         CROSS JOIN LATERAL (SELECT quest_period_key(u.quest_type, day) AS period_key) AS t
          LEFT JOIN user_quest_progress AS p ON p.universal_quest_id = u.id AND p.period_key = t.period_key
         CROSS JOIN LATERAL (
               SELECT least(u.target, (counters -> u.target_type)::bigint
                                      + CASE u.target_type WHEN 'streak_days' THEN 0 ELSE coalesce(p.progress, 0) END)
                          AS progress) AS a
         WHERE u.is_active
           AND counters ? u.target_type
           AND (u.starts_at > clock()) IS NOT TRUE
           AND (u.ends_at <= clock()) IS NOT TRUE
           AND coalesce(p.status, 'available') IN ('available', 'accepted')
           AND coalesce(p.progress, 0) < a.progress
    LOOP
        IF moved.row_id IS NULL THEN
            INSERT INTO user_quest_progress (universal_quest_id, period_key, period_start, progress)
            VALUES (moved.id, moved.period_key, moved.period_start, moved.progress);
        ELSE
            UPDATE user_quest_progress SET progress = moved.progress WHERE id = moved.row_id;
        END IF;
    END LOOP;
END
$$;

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
END
$$;
