-- Statements of one name travel together, and each sees what those before it wrote. Whatever changes something begins with
-- lock_user(): the programs of one user change one request at a time. A program is three results: itself, its weeks, its slots.

-- name: programs
SELECT p.*
  FROM (SELECT id, is_active, created_at FROM training_programs
         ORDER BY is_active DESC, created_at DESC, id
         LIMIT %(limit)s OFFSET %(offset)s) AS l
  JOIN shown_programs AS p ON p.id = l.id
 ORDER BY l.is_active DESC, l.created_at DESC, l.id;
SELECT count(*) AS total FROM training_programs;

-- name: program
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: active
SELECT remember(p.id) FROM training_programs AS p WHERE p.is_active;
SELECT * FROM shown_programs WHERE id = remembered();
SELECT * FROM program_weeks WHERE program_id = remembered() ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = remembered() ORDER BY week_number, day_number, order_index;

-- name: add
SELECT lock_user();
INSERT INTO training_programs (id, name, description, duration_weeks, days_per_week, difficulty, goal)
SELECT %(program_id)s, %(name)s, %(description)s, %(duration_weeks)s, %(days_per_week)s,
       coalesce(%(difficulty)s, 'intermediate'), coalesce(%(goal)s, 'general')
 WHERE require_room_for_program();
INSERT INTO program_weeks (program_id, week_number, name, is_deload, notes)
SELECT %(program_id)s, w.*
  FROM jsonb_to_recordset(%(document)s -> 'weeks') AS w (week_number int, name text, is_deload boolean, notes text);
SELECT write_slots(%(program_id)s, '{}', %(document)s);
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: change
SELECT lock_user();
SELECT change_program(p, %(changes)s) FROM training_programs AS p WHERE p.id = %(program_id)s;
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: delete
SELECT lock_user();
SELECT true AS deleted, delete_program(p) FROM training_programs AS p WHERE p.id = %(program_id)s;

-- name: change_week
SELECT lock_user();
SELECT change_week(p, %(week_number)s, %(changes)s, %(week_numbers)s, %(document)s)
  FROM training_programs AS p WHERE p.id = %(program_id)s AND p.duration_weeks >= %(week_number)s;
SELECT * FROM shown_programs WHERE id = %(program_id)s AND duration_weeks >= %(week_number)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: activate
SELECT lock_user();
SELECT activate_program(p, %(restart)s) FROM training_programs AS p WHERE p.id = %(program_id)s;
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: deactivate
SELECT lock_user();
SELECT deactivate_program(%(program_id)s);
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: advance
SELECT lock_user();
SELECT advance_program(p, %(week_number)s, %(day_number)s) FROM training_programs AS p WHERE p.id = %(program_id)s;
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: position
SELECT lock_user();
SELECT position_program(p, %(week_number)s, %(day_number)s) FROM training_programs AS p WHERE p.id = %(program_id)s;
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;

-- name: templates
SELECT * FROM program_templates ORDER BY sort_order, key;
SELECT * FROM template_exercises ORDER BY key, workout, place;

-- name: adopt
SELECT lock_user();
SELECT adopt_template(%(program_id)s, %(template_key)s);
SELECT * FROM shown_programs WHERE id = %(program_id)s;
SELECT * FROM program_weeks WHERE program_id = %(program_id)s ORDER BY week_number;
SELECT * FROM shown_slots WHERE program_id = %(program_id)s ORDER BY week_number, day_number, order_index;
