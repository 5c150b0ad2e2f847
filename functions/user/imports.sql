-- name: add_import
SELECT count_within('import:' || current_user_id(), 5, interval '24 hours');
INSERT INTO user_imports AS i (id, size_bytes, object_key)
SELECT n.id, %(size_bytes)s, concat(current_user_id(), '/imports/', n.id, '.zip') FROM (SELECT gen_random_uuid() AS id) AS n
RETURNING i.*;

-- name: one_import
SELECT i.* FROM user_imports AS i WHERE i.id = %(import_id)s;

-- name: start_import
SELECT start_import(%(import_id)s);
SELECT i.* FROM user_imports AS i WHERE i.id = %(import_id)s;
