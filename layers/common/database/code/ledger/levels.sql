SET LOCAL ROLE questlog_owner;

-- The total XP at which a level begins; level 1 at 0.
CREATE OR REPLACE FUNCTION app.level_floor(level int) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    block int := least((level - 1) / 500, 500);
BEGIN
    IF level < 1 THEN
        PERFORM misuse('Levels begin at 1.');
    ELSIF level <= 501 THEN
        RETURN (first_levels())[level];
    END IF;
    RETURN (every_500th_level())[block + 1]
        + (SELECT coalesce(sum(level_cost(l)), 0) FROM generate_series(block * 500 + 1, level - 1) AS l);
END
$$;

-- The level of a user who has this much XP in total.
CREATE OR REPLACE FUNCTION app.level_for(total_xp bigint) RETURNS int
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    level int := greatest(1, width_bucket(total_xp, first_levels()));
    block int;
    next_floor bigint;
BEGIN
    IF level <= 500 THEN
        RETURN level;
    END IF;
    block := width_bucket(total_xp, every_500th_level());
    level := (block - 1) * 500 + 1;
    next_floor := (every_500th_level())[block] + level_cost(level);
    WHILE next_floor <= total_xp LOOP
        level := level + 1;
        next_floor := next_floor + level_cost(level);
    END LOOP;
    RETURN level;
END
$$;
