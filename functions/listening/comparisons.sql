-- Whatever changes something begins with lock_user(): trials and limits hold in parallel.

-- name: comparisons
SELECT s.*
  FROM comparisons_shown(ARRAY(SELECT p.id FROM comparisons_page(%(track_id)s, %(page)s, %(page_size)s) AS p)) AS s
 ORDER BY s.updated_at DESC, s.id DESC;
SELECT m.*
  FROM measures_compared(ARRAY(SELECT p.id FROM comparisons_page(%(track_id)s, %(page)s, %(page_size)s) AS p)) AS m;
SELECT f.*
  FROM frames_compared(ARRAY(SELECT p.id FROM comparisons_page(%(track_id)s, %(page)s, %(page_size)s) AS p)) AS f;
SELECT count(*) AS total
  FROM listening_comparisons AS c
 WHERE %(track_id)s::uuid IS NULL OR c.track_a_id = %(track_id)s OR c.track_b_id = %(track_id)s;

-- name: add_comparison
SELECT lock_user();
SELECT add_comparison(%(comparison_id)s, %(sent)s);
SELECT s.* FROM comparisons_shown(ARRAY[%(comparison_id)s::uuid]) AS s;
SELECT m.* FROM measures_compared(ARRAY[%(comparison_id)s::uuid]) AS m;
SELECT f.* FROM frames_compared(ARRAY[%(comparison_id)s::uuid]) AS f;

-- name: comparison
SELECT s.* FROM comparisons_shown(ARRAY[%(comparison_id)s::uuid]) AS s;
SELECT m.* FROM measures_compared(ARRAY[%(comparison_id)s::uuid]) AS m;
SELECT f.* FROM frames_compared(ARRAY[%(comparison_id)s::uuid]) AS f;

-- name: change_comparison
SELECT lock_user();
SELECT change_comparison(c, %(changes)s) FROM listening_comparisons AS c WHERE c.id = %(comparison_id)s;
SELECT s.* FROM comparisons_shown(ARRAY[%(comparison_id)s::uuid]) AS s;
SELECT m.* FROM measures_compared(ARRAY[%(comparison_id)s::uuid]) AS m;
SELECT f.* FROM frames_compared(ARRAY[%(comparison_id)s::uuid]) AS f;

-- name: delete_comparison
SELECT lock_user();
SELECT unlink_comparison(c.id) FROM listening_comparisons AS c WHERE c.id = %(comparison_id)s;
DELETE FROM listening_comparisons AS c WHERE c.id = %(comparison_id)s RETURNING true AS success;

-- name: vote
SELECT lock_user();
SELECT v.id, v.trial, v.preferred, v.preferred_as_sent, v.aspect, v.note, v.created_at
  FROM listening_comparisons AS c, cast_vote(c, %(preferred)s, %(aspect)s, %(note)s, %(trial)s) AS v
 WHERE c.id = %(comparison_id)s;
SELECT s.* FROM comparisons_shown(ARRAY[%(comparison_id)s::uuid]) AS s;
SELECT m.* FROM measures_compared(ARRAY[%(comparison_id)s::uuid]) AS m;
SELECT f.* FROM frames_compared(ARRAY[%(comparison_id)s::uuid]) AS f;

-- name: votes
SELECT c.blind AND c.revealed_at IS NULL AS hidden FROM listening_comparisons AS c WHERE c.id = %(comparison_id)s;
SELECT v.id, v.trial, v.preferred, v.preferred_as_sent, v.aspect, v.note, v.created_at
  FROM comparison_votes AS v
 WHERE v.comparison_id = %(comparison_id)s
 ORDER BY v.trial
 LIMIT %(limit)s OFFSET %(offset)s;
SELECT count(*) AS total FROM comparison_votes AS v
 WHERE %(limit)s::bigint IS NOT NULL AND v.comparison_id = %(comparison_id)s;

-- name: reveal
-- A second reveal changes nothing.
SELECT lock_user();
SELECT refuse(409, 'not_blind', 'The comparison is not blind.')
  FROM listening_comparisons AS c WHERE c.id = %(comparison_id)s AND NOT c.blind;
UPDATE listening_comparisons AS c SET revealed_at = instant() WHERE c.id = %(comparison_id)s AND c.revealed_at IS NULL;
SELECT s.* FROM comparisons_shown(ARRAY[%(comparison_id)s::uuid]) AS s;
SELECT m.* FROM measures_compared(ARRAY[%(comparison_id)s::uuid]) AS m;
SELECT f.* FROM frames_compared(ARRAY[%(comparison_id)s::uuid]) AS f;
