SET LOCAL ROLE questlog_identity;

-- Lists of administrators, read as questlog_identity, which may see all users: see users.sql.

-- The 500 live sessions that were active last, of all users or of one. A session of a browser ends after so long without use.
CREATE OR REPLACE FUNCTION app.live_sessions(idle_limit interval, of_user uuid) RETURNS TABLE (user_id uuid, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.user_id, s.id FROM sessions AS s
          WHERE ($1 IS NULL OR s.user_id = $1)
            AND s.expires_at > $2 AND (s.kind = ''token'' OR s.last_activity_at > $2 - $3)
          ORDER BY s.last_activity_at DESC, s.id LIMIT 500' USING of_user, clock(), idle_limit;
END
$$;

-- How many entries of the audit trail there are in a half-open span of time; null narrows nothing. They are counted one by one.
CREATE OR REPLACE FUNCTION internal.count_entries(
    of_user uuid, of_event text, of_resource text, of_status text, since timestamptz, until timestamptz
) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    total bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM audit_log AS a
              WHERE ($1 IS NULL OR a.user_id = $1) AND ($2 IS NULL OR a.event_type = $2)
                AND ($3 IS NULL OR a.resource_type = $3) AND ($4 IS NULL OR a.status = $4)
                AND a.created_at >= $5 AND a.created_at < $6'
       INTO total USING of_user, of_event, of_resource, of_status, since, until;
    RETURN total;
END
$$;

-- The ids of a page of entries, the latest first; null narrows nothing. It is planned for the given values, since nearly all entries
-- may have one type of event, and a handful another.
CREATE OR REPLACE FUNCTION app.audit_page(
    of_user uuid, of_event text, of_resource text, of_status text, since timestamptz, until timestamptz, most int, skipped bigint
) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT a.id FROM audit_log AS a
          WHERE ($1 IS NULL OR a.user_id = $1) AND ($2 IS NULL OR a.event_type = $2)
            AND ($3 IS NULL OR a.resource_type = $3) AND ($4 IS NULL OR a.status = $4)
            AND a.created_at >= $5 AND a.created_at < $6
          ORDER BY a.created_at DESC, a.id DESC LIMIT $7 OFFSET $8'
        USING of_user, of_event, of_resource, of_status, since, until, most, skipped;
END
$$;

-- How many entries there are. The clean-up has counted the entries of each day; those counts are added up, and the entries before and
-- after the counted days are counted here. The entries of one user are all counted here, since no user has very many.
CREATE OR REPLACE FUNCTION app.count_audit(
    of_user uuid, of_event text, of_resource text, of_status text, since timestamptz, until timestamptz
) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
DECLARE
    counted timestamptz := counted_until('audit');
    -- The days that are in the span as a whole.
    first_day timestamptz := date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC');
    behind timestamptz := CASE WHEN until >= counted THEN counted ELSE date_trunc('day', until, 'UTC') END;
BEGIN
    IF of_user IS NOT NULL OR behind <= first_day THEN
        RETURN count_entries(of_user, of_event, of_resource, of_status, since, until);
    END IF;
    RETURN coalesce((SELECT sum(c.total) FROM list_counts AS c
                      WHERE c.list = 'audit' AND c.day >= (first_day AT TIME ZONE 'UTC')::date
                        AND c.day < (behind AT TIME ZONE 'UTC') AND (of_event IS NULL OR c.kind[1] = of_event)
                        AND (of_resource IS NULL OR c.kind[2] = of_resource) AND (of_status IS NULL OR c.kind[3] = of_status)), 0)
         + count_entries(NULL, of_event, of_resource, of_status, since, first_day)
         + count_entries(NULL, of_event, of_resource, of_status, behind, until);
END
$$;
REVOKE EXECUTE ON FUNCTION app.live_sessions, app.audit_page, app.count_audit
    FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;

SET LOCAL ROLE questlog_owner;

-- The audit trail as administrators see it.
CREATE OR REPLACE VIEW app.audit_shown WITH (security_invoker = true) AS
SELECT a.id, a.user_id, (SELECT u.email FROM users AS u WHERE u.id = a.user_id) AS user_email, a.event_type,
       a.resource_type, a.resource_id, a.action, a.status, a.details, host(a.ip_address) AS ip_address, a.user_agent,
       a.request_id, a.created_at
  FROM audit_log AS a;

-- How many reports there are, of a status and a type where they are given.
CREATE OR REPLACE FUNCTION app.count_feedback(of_status text, of_type text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    counted timestamptz := counted_until('feedback');
    total bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM feedback AS f
              WHERE f.created_at >= $1 AND ($2 IS NULL OR f.status = $2) AND ($3 IS NULL OR f.feedback_type = $3)'
       INTO total USING counted, of_status, of_type;
    RETURN total + coalesce((SELECT sum(c.total) FROM list_counts AS c
                              WHERE counted > '-infinity' AND c.list = 'feedback'
                                AND (of_status IS NULL OR c.kind[1] = of_status)
                                AND (of_type IS NULL OR c.kind[2] = of_type)), 0);
END
$$;
REVOKE EXECUTE ON FUNCTION app.count_feedback FROM questlog_app, questlog_auth, questlog_operator, questlog_jobs;
