-- name: quests
SELECT q.*, q.skill_key AS skill_id
  FROM universal_quests AS q
 ORDER BY q.sort_order, q.created_at, q.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;
SELECT count(*) AS total FROM universal_quests;

-- name: quest
SELECT q.*, q.skill_key AS skill_id FROM universal_quests AS q WHERE q.id = %(quest_id)s;

-- name: add_quest
SELECT add_universal_quest(%(quest_id)s, %(fields)s, %(client)s);
SELECT q.*, q.skill_key AS skill_id FROM universal_quests AS q WHERE q.id = %(quest_id)s;

-- name: change_quest
SELECT change_universal_quest(%(quest_id)s, %(sent)s, %(client)s);
SELECT q.*, q.skill_key AS skill_id FROM universal_quests AS q WHERE q.id = %(quest_id)s;

-- name: delete_quest
SELECT d.archived FROM delete_universal_quest(%(quest_id)s, %(client)s) AS d;
