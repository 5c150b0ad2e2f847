SET LOCAL ROLE questlog_owner;

-- The built-in exercises and the user's own, hidden ones too.
CREATE OR REPLACE FUNCTION app.library() RETURNS SETOF exercises
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.* FROM exercises AS e
     WHERE e.owner_key IN (current_user_id(), '00000000-0000-0000-0000-000000000000');
END;

-- The exercises that are listed: of a category, with a muscle, with equipment, of a level, all of `words` in the name,
-- the user's own or the built-in ones. Null is any.
CREATE OR REPLACE FUNCTION app.exercises_where(
    wanted_category text, wanted_muscle text, wanted_equipment text, wanted_level text, words text[], custom boolean
) RETURNS SETOF exercises
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.*
      FROM library() AS e
     WHERE e.deleted_at IS NULL
       AND (wanted_category IS NULL OR lower(e.category) = lower(wanted_category))
       AND (wanted_muscle IS NULL OR lower(wanted_muscle) = ANY (e.primary_muscles || e.secondary_muscles))
       AND (wanted_equipment IS NULL OR lower(wanted_equipment) = ANY (e.equipment))
       AND (wanted_level IS NULL OR e.level = lower(wanted_level))
       AND (custom IS NULL OR e.is_builtin = NOT custom)
       AND NOT EXISTS (SELECT FROM unnest(words) AS w WHERE position(lower(w) IN lower(e.name)) = 0);
END;

-- Brings the built-in exercises in line with the list of the release, but for those that an administrator has changed.
-- `seeded` counts the rows that were new or changed.
CREATE OR REPLACE FUNCTION app.seed_exercises(OUT seeded bigint, OUT total bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app, internal, public, pg_temp AS $$
BEGIN
    INSERT INTO exercises AS e (
        owner_id, id, slug, name, category, force, level, mechanic, equipment, primary_muscles, secondary_muscles)
    SELECT NULL, b.* FROM bundled_exercises() AS b
    ON CONFLICT (owner_key, slug) DO UPDATE
       SET (name, category, force, level, mechanic, equipment, primary_muscles, secondary_muscles)
         = (excluded.name, excluded.category, excluded.force, excluded.level, excluded.mechanic, excluded.equipment,
            excluded.primary_muscles, excluded.secondary_muscles)
     WHERE NOT e.is_edited
       AND (e.name, e.category, e.force, e.level, e.mechanic, e.equipment, e.primary_muscles, e.secondary_muscles)
        IS DISTINCT FROM
           (excluded.name, excluded.category, excluded.force, excluded.level, excluded.mechanic, excluded.equipment,
            excluded.primary_muscles, excluded.secondary_muscles);
    GET DIAGNOSTICS seeded = ROW_COUNT;
    SELECT count(*) INTO total FROM exercises AS e WHERE e.is_builtin;
END
$$;

-- The words of a list that are not in another one.
CREATE OR REPLACE FUNCTION internal.without(words text[], others text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT w.word FROM unnest(words) WITH ORDINALITY AS w (word, place) WHERE w.word <> ALL (others) ORDER BY w.place);

-- The muscles of an exercise after a change, as primary and secondary ones. `groups` are all of them; those that are named
-- as secondary are that, the others primary. Null keeps what there is.
CREATE OR REPLACE FUNCTION app.muscles_after(
    e exercises, groups text[], secondary text[], OUT primary_muscles text[], OUT secondary_muscles text[]
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT without(g.all_muscles, s.muscles), s.muscles
      FROM (SELECT coalesce(groups, e.primary_muscles || e.secondary_muscles, '{}') AS all_muscles) AS g,
           LATERAL (SELECT coalesce(secondary, without(e.secondary_muscles, without(e.secondary_muscles, g.all_muscles)), '{}')
                           AS muscles) AS s;
END;

-- Refuses to change a built-in exercise. Null, for an exercise that does not exist, is refused by later statements.
CREATE OR REPLACE FUNCTION app.require_own(e exercises) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT e.is_builtin OR refuse(403, 'forbidden', 'This exercise is everyone''s.');
END
$$;

-- Refuses more than 500 own exercises, with `more` that are about to be added.
CREATE OR REPLACE FUNCTION app.require_room_for_exercises(more int DEFAULT 1) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT count(*) FROM exercises AS e WHERE e.owner_id = current_user_id() AND e.deleted_at IS NULL) + more <= 500
    OR refuse(409, 'limit_reached', 'There are 500 exercises of your own already.', '{"limit": 500}');
