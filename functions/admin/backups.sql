-- name: backups
SELECT t.name FROM backup_tables() AS t;
SELECT b.* FROM backups AS b ORDER BY b.created_at DESC, b.id LIMIT 500;

-- name: backup
SELECT b.* FROM backups AS b WHERE b.id = %(backup_id)s;

-- name: back_up
SELECT b.* FROM begin_backup(%(version)s, %(client)s) AS b;

-- name: upload
SELECT b.* FROM announce_backup(%(id)s, %(size)s, %(version)s, %(client)s) AS b;

-- name: delete
SELECT delete_backup(%(backup_id)s, %(client)s) AS was_there;

-- name: restore
SELECT r.* FROM begin_restore(%(backup_id)s, %(mode)s, %(uploaded)s) AS r;

-- name: restored
SELECT r.* FROM restores AS r WHERE r.id = %(restore_id)s;
