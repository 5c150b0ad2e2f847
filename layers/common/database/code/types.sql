SET LOCAL ROLE questlog_owner;

-- The name of a column's type, without lengths; of a domain that of the type it is made of, as its values are written and shown
-- like those.
CREATE OR REPLACE FUNCTION internal.plain_type(type oid) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL) FROM pg_type AS t WHERE t.oid = type);
