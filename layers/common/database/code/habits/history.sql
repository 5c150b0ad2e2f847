SET LOCAL ROLE questlog_owner;

-- The days of a history: 30 to today unless others are asked for, at most 366. The first is not before the year 1, which
-- is the first that the wire can name.
CREATE OR REPLACE FUNCTION app.habit_span(asked_from date, asked_to date, OUT first date, OUT last date, OUT today date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    today := local_today();
    last := coalesce(asked_to, today);
    first := coalesce(asked_from, greatest(last - 29, '0001-01-01'));
    IF first > last THEN
        PERFORM refuse_field('from', 'must not be after to');
    ELSIF last - first >= 366 THEN
        PERFORM refuse_field('from', 'must leave at most 366 days');
    END IF;
END
$$;

-- What is recorded of a habit for each day of the periods that the days from `first` to `last` touch. The targets are
-- those that were in force; where nothing was completed, `target` is the present one and the others null.
--   The completions are found by the habit and the day as one: a plan that was made for a small account would read the days of all
--   habits otherwise.
CREATE OR REPLACE FUNCTION app.habit_days(h habits, first date, last date)
RETURNS TABLE (
    date date, count int, target int, week_target int, amount numeric, amount_target numeric, done boolean,
    skipped boolean, scheduled boolean, paused boolean, notes text
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.day, coalesce(c.times, 0),
           coalesce(c.target, CASE h.kind WHEN 'check' THEN day_target(h.cadence, h.target_count) ELSE 1 END), c.week_target,
           c.amount, c.amount_target, coalesce(c.done, false), s.day IS NOT NULL,
           is_habit_day(d.day, h.cadence, h.custom_days),
           (SELECT EXISTS (SELECT FROM habit_pauses)) AND EXISTS (SELECT FROM pauses_of(h, d.day, d.day)), c.notes
      FROM (SELECT period_first(habit_days.first, h.cadence) AS first,
                   least(period_last(habit_days.last, h.cadence), '9999-12-31') AS last) AS span
     CROSS JOIN LATERAL (SELECT span.first + n AS day FROM generate_series(0, span.last - span.first) AS n) AS d
      LEFT JOIN (SELECT k.completed_date AS day, count(*)::int AS times, max(k.target) AS target,
                        min(k.week_target) AS week_target, sum(k.amount) AS amount,
                        max(k.amount_target) AS amount_target, bool_or(k.done) AS done,
                        (array_agg(k.notes ORDER BY k.ordinal DESC) FILTER (WHERE k.notes IS NOT NULL))[1] AS notes
                   FROM habit_completions AS k
                  WHERE (k.habit_id, k.completed_date) BETWEEN (h.id, period_first(habit_days.first, h.cadence))
                                                           AND (h.id, period_last(habit_days.last, h.cadence))
                  GROUP BY k.completed_date) AS c ON c.day = d.day
      LEFT JOIN habit_skips AS s ON s.habit_id = h.id AND s.day = d.day;
END;
