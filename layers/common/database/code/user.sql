SET LOCAL ROLE questlog_owner;

-- A user as they see themselves; `terms` are the current ones.
CREATE OR REPLACE FUNCTION app.profile_shown(u users, terms text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN to_jsonb(u) || (
    SELECT jsonb_build_object(
               'last_activity_at', coalesce(u.last_activity_at, u.created_at),
               'age_verified', u.age_verified_at IS NOT NULL,
               'tos_accepted', u.tos_version IS NOT DISTINCT FROM terms,
               'timezone', setting('timezone'),
               'level', p.current_level,
               'total_xp', p.total_xp,
               'coins', p.coins,
               'providers', (SELECT coalesce(jsonb_agg(jsonb_build_object('provider', a.provider, 'linked_at', a.created_at)
                                                       ORDER BY a.created_at, a.id), '[]')
                               FROM accounts AS a))
      FROM progress_overview() AS p);
