SET LOCAL ROLE questlog_owner;

-- Turns ideas and items of the inbox into tasks, quests and other things. The caller holds lock_user().

-- A text that has at most so many characters: what is over it is cut, and an ellipsis says so. Null where there is no room.
CREATE OR REPLACE FUNCTION internal.cut_text(original text, most int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN length(original) <= most THEN original
            WHEN most >= 1 THEN left(original, most - 1) || '…' END;

-- The text of what is made of a title, a text and a link, at most so many characters: a title that has to be cut stands
-- whole in its first line, and the link is its last one, also where the text between them is cut. Null where there is
-- nothing to say.
CREATE OR REPLACE FUNCTION internal.promoted_text(title text, content text, link text, most int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(concat_ws(E'\n',
    cut_text(nullif(concat_ws(E'\n\n', CASE WHEN length(title) > 200 THEN title END, content), ''),
             most - coalesce(length(link) + 1, 0)),
    link), '');

-- Makes something of a title, a text, tags and a link, and returns its id. `category` is that of a quest, an entry or an
-- idea, and `start_time` when an event is. Refuses, naming `to`, where today's plan has no room for another task.
CREATE OR REPLACE FUNCTION internal.promote(
    target_type text, title text, content text, tags text[], link text, category text, start_time timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    short text := cut_text(title, 200);
BEGIN
    RETURN CASE target_type
        WHEN 'quest' THEN create_quest(short, promoted_text(title, content, link, 5000), category)::text
        WHEN 'idea' THEN create_idea(gen_random_uuid(), short, promoted_text(title, content, link, 20000), category, tags)::text
        WHEN 'infobase' THEN create_infobase_entry(
            gen_random_uuid(), short, coalesce(promoted_text(title, content, link, 100000), ''), category, tags)::text
        WHEN 'calendar' THEN create_event(short, promoted_text(title, content, link, 5000), start_time)::text
        WHEN 'plan' THEN add_plan_task(local_today(), jsonb_build_object(
            'type', 'focus', 'title', short, 'description', promoted_text(title, content, link, 2000), 'completed', false,
            'priority', 300), 'to')
    END;
END
$$;

-- Whether what something was made into is still there. An entry in the trash is; a task is in whatever plan it was moved to.
CREATE OR REPLACE FUNCTION internal.promoted_exists(target_type text, target_id text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE target_type
        WHEN 'quest' THEN EXISTS (SELECT FROM quests AS q WHERE q.id = target_id::uuid)
        WHEN 'idea' THEN EXISTS (SELECT FROM ideas AS i WHERE i.id = target_id::uuid)
        WHEN 'infobase' THEN EXISTS (SELECT FROM infobase_entries AS e WHERE e.id = target_id::uuid)
        WHEN 'calendar' THEN EXISTS (SELECT FROM calendar_events AS e WHERE e.id = target_id::uuid)
        WHEN 'plan' THEN EXISTS (SELECT FROM daily_plans AS p
                                  WHERE p.items @> jsonb_build_array(jsonb_build_object('id', target_id)))
    END;
END
$$;
