SET LOCAL ROLE questlog_owner;

-- For others -----------------------------------------------------------------------------------------------------------

-- Adds a notification to the inbox of a user. With `news` (what it is about: export or feedback) it is also sent, in the ways that
-- the user has chosen. It runs with the rights of its caller: the user's own request, an administrator's or a job's.
CREATE OR REPLACE FUNCTION internal.notify_user(
    recipient uuid, title text, description text, action_url text DEFAULT NULL, item_id uuid DEFAULT gen_random_uuid(),
    news text DEFAULT NULL
) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT plan_news(recipient, news, item_id) WHERE news IS NOT NULL;
    INSERT INTO inbox_items (user_id, id, title, description, item_type, action_url, created_at, updated_at)
    SELECT recipient, item_id, title, description, 'notification', action_url, now, now FROM instant() AS now;
    -- In the order of the user's own requests, which raise the revision first: else the two could wait for each other.
    SELECT revise_user(recipient);
    SELECT move_total('inbox', inbox_kind(false, false), 1, owner => recipient);
END;

-- Deletes a note of a user, if it is still there. It runs with the rights of who calls it, who has raised the user's revision.
CREATE OR REPLACE FUNCTION internal.delete_note(recipient uuid, note uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    gone inbox_items;
BEGIN
    DELETE FROM inbox_items AS i WHERE i.user_id = recipient AND i.id = note RETURNING i.* INTO gone;
    IF FOUND THEN
        PERFORM move_total('inbox', inbox_kind(gone.is_archived, gone.processed_at IS NOT NULL), -1, owner => recipient);
    END IF;
END
$$;

-- A note that nobody has read yet; no row for another one.
CREATE OR REPLACE FUNCTION internal.unread_note(note uuid) RETURNS TABLE (title text, description text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT i.title, i.description FROM inbox_items AS i
     WHERE i.user_id = current_user_id() AND i.id = note AND NOT i.is_read AND NOT i.is_archived;
END;

-- How many items are unread: not archived, not expired, and not snoozed, since what is snoozed counts as read.
CREATE OR REPLACE FUNCTION app.unread_inbox() RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM inbox_items AS i
         WHERE NOT i.is_read AND NOT i.is_archived
           AND (i.expires_at <= clock()) IS NOT TRUE AND (i.snoozed_until > clock()) IS NOT TRUE);

-- When the number of unread items changes by time alone: an item expires, or comes back from a snooze.
CREATE OR REPLACE FUNCTION app.next_inbox_change() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT least(min(i.expires_at) FILTER (WHERE i.expires_at > clock()),
                     min(i.snoozed_until) FILTER (WHERE i.snoozed_until > clock()))
          FROM inbox_items AS i WHERE NOT i.is_read AND NOT i.is_archived);

-- Items ----------------------------------------------------------------------------------------------------------------

-- The items as they are now. Lists ORDER BY listed_at DESC, id: what came back from a snooze stands where it came back.
CREATE OR REPLACE VIEW app.inbox_now WITH (security_invoker = true) AS
SELECT i.id, i.title, i.description, i.tags, i.item_type, i.is_archived, i.processed_at, i.action_url, i.expires_at,
       i.snoozed_until, i.created_at, i.updated_at,
       i.is_read OR (i.snoozed_until > clock()) IS TRUE AS is_read,
       i.processed_at IS NOT NULL AS is_processed,
       (i.expires_at <= clock()) IS TRUE AS is_expired,
       (i.snoozed_until > clock()) IS TRUE AS is_snoozed,
       greatest(i.created_at, CASE WHEN i.snoozed_until <= clock() THEN i.snoozed_until END) AS listed_at
  FROM inbox_items AS i;

-- How many items each list has that is not of the unread: what is kept, without those that time has taken out of it.
CREATE OR REPLACE FUNCTION app.inbox_totals()
RETURNS TABLE (open bigint, snoozed bigint, archived bigint, processed bigint, "all" bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT kept.open - timed.away, timed.snoozed, kept.archived, kept.processed, kept.all
      FROM (SELECT coalesce(sum(t.total) FILTER (WHERE t.kind = inbox_kind(false, false)), 0)::bigint AS open,
                   coalesce(sum(t.total) FILTER (WHERE t.kind IN (inbox_kind(true, false), inbox_kind(true, true))), 0)::bigint AS archived,
                   coalesce(sum(t.total) FILTER (WHERE t.kind IN (inbox_kind(false, true), inbox_kind(true, true))), 0)::bigint AS processed,
                   coalesce(sum(t.total), 0)::bigint AS "all"
              FROM totals_of('inbox') AS t) AS kept,
           (SELECT count(*) FILTER (WHERE i.is_expired OR i.is_snoozed) AS away, count(*) FILTER (WHERE i.is_snoozed) AS snoozed
              FROM inbox_now AS i
             WHERE NOT i.is_archived AND NOT i.is_processed AND (i.expires_at IS NOT NULL OR i.snoozed_until IS NOT NULL)) AS timed;
END;

-- An item with the fields that were sent. Snoozing it until a time that has passed brings it back at once, unread; taking
-- it out of a snooze leaves it read.
CREATE OR REPLACE FUNCTION app.inbox_item_with(i inbox_items, sent jsonb) RETURNS inbox_items
LANGUAGE plpgsql AS $$
DECLARE
    n inbox_items := jsonb_populate_record(i, sent);
BEGIN
    IF n.snoozed_until > clock() THEN
        n.is_read := false;
    ELSIF NOT sent ? 'is_read' THEN
        n.is_read := CASE WHEN sent ->> 'snoozed_until' IS NOT NULL THEN false
                          ELSE i.is_read OR (i.snoozed_until > clock()) IS TRUE END;
    END IF;
    RETURN n;
END
$$;

-- Makes an item into something else, and marks it processed, archived and read. What it was made into before is kept, and
-- made anew if it was deleted for good; 409 invalid_state for something else than before. The caller holds lock_user().
CREATE OR REPLACE FUNCTION app.process_inbox_item(i inbox_items, target_type text, category text, start_time timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    IF i.processed_to ->> 'type' <> target_type THEN
        PERFORM refuse(409, 'invalid_state', 'This item was made into something else already.',
                       jsonb_build_object('target', i.processed_to));
    ELSIF promoted_exists(i.processed_to ->> 'type', i.processed_to ->> 'id') THEN
        RETURN;
    END IF;
    PERFORM move_row('inbox', inbox_kind(i.is_archived, i.processed_at IS NOT NULL), inbox_kind(true, true));
    UPDATE inbox_items AS n
       SET processed_at = instant(), is_archived = true, is_read = true,
           processed_to = jsonb_build_object('type', target_type, 'id', promote(
               target_type, i.title, i.description, i.tags, i.action_url,
               coalesce(category, CASE target_type WHEN 'quest' THEN 'inbox' WHEN 'infobase' THEN 'Tips' ELSE 'general' END),
               start_time))
     WHERE n.id = i.id;
END
$$;
