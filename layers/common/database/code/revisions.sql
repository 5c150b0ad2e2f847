SET LOCAL ROLE questlog_owner;

-- The document of a poll stays the same as long as its user writes nothing and nothing changes by time alone. So its tag holds the
-- revisions of which it was made, and until when it stays the same; is_unchanged() compares them.
--   A revision is raised by the request and not by triggers on the tables: so it is written once for a request that writes many rows,
--   and no table can be forgotten. It is raised in the transaction that writes, so a reader of the new revision also reads those rows.

-- Raises the revision of a user for whom an administrator or a job writes. It runs with the rights of its caller.
CREATE OR REPLACE FUNCTION internal.revise_user(owner uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO user_revisions AS r (user_id) VALUES (owner) ON CONFLICT (user_id) DO UPDATE SET revision = r.revision + 1;
END;

-- Raises the revision of everything that is shown to all users.
CREATE OR REPLACE FUNCTION internal.revise_all() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE shared_revision SET revision = revision + 1;
END;

-- The same when a backup was restored: then it is not known of which rows the versions of lists are that clients have.
CREATE OR REPLACE FUNCTION internal.revise_restored() RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE shared_revision SET revision = revision + 1, restored = revision + 1;
END;

-- Runs before the statements of each request that may write. A request of an administrator may change rows of any user, so it raises
-- the revision of all.
CREATE OR REPLACE FUNCTION app.revise() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF current_setting('app.scope') = 'admin' THEN
        PERFORM revise_all();
        RETURN;
    END IF;
    UPDATE user_revisions SET revision = revision + 1 WHERE user_id = current_user_id();
    IF NOT FOUND THEN
        -- The first request, or one that has waited for the user's deletion: then there is no user, and nothing to raise.
        INSERT INTO user_revisions AS r (user_id)
        SELECT u.id FROM users AS u WHERE u.id = current_user_id() FOR KEY SHARE
        ON CONFLICT (user_id) DO UPDATE SET revision = r.revision + 1;
    END IF;
END
$$;

-- Notes that this request writes goals: whoever changes a goal or a milestone calls it, and so a list of 500 goals with 5,000
-- milestones need not be read to say whether it has changed.
CREATE OR REPLACE FUNCTION app.revise_goals() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE user_revisions AS r SET goals = r.revision WHERE r.user_id = current_user_id() AND r.goals <> r.revision;
END
$$;

-- The same for the user's own quests.
CREATE OR REPLACE FUNCTION app.revise_quests() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    UPDATE user_revisions AS r SET quests = r.revision WHERE r.user_id = current_user_id() AND r.quests <> r.revision;
END
$$;

-- The revisions in which goals and own quests were written last. One row, also before the user's first request that may write.
CREATE OR REPLACE FUNCTION app.list_revisions() RETURNS TABLE (goals bigint, quests bigint, restored bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(r.goals, 0), coalesce(r.quests, 0), s.restored
      FROM shared_revision AS s LEFT JOIN user_revisions AS r ON r.user_id = current_user_id();
END;

-- The revisions that what the user is shown now is made of; none before the user's first request that may write.
CREATE OR REPLACE FUNCTION app.revisions() RETURNS TABLE (own bigint, shared bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.revision, s.revision FROM user_revisions AS r, shared_revision AS s;
END;

-- Whether the document that a client has is unchanged. It was made of these revisions, and by time alone it stays the same until then.
CREATE OR REPLACE FUNCTION app.is_unchanged(seen bigint, seen_shared bigint, until timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN until > clock() AND EXISTS (SELECT FROM revisions() AS r WHERE r.own = seen AND r.shared = seen_shared);
