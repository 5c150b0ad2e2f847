-- name: templates
SELECT count(*) AS total
  FROM listening_prompt_templates AS t
 WHERE (%(category)s::text IS NULL OR t.category = %(category)s)
   AND (%(difficulty)s::text IS NULL OR t.difficulty = %(difficulty)s)
   AND (t.is_active OR NOT %(active_only)s);
SELECT t.*
  FROM listening_prompt_templates AS t
 WHERE (%(category)s::text IS NULL OR t.category = %(category)s)
   AND (%(difficulty)s::text IS NULL OR t.difficulty = %(difficulty)s)
   AND (t.is_active OR NOT %(active_only)s)
 ORDER BY t.category, t.display_order, t.name, t.id
 LIMIT %(page_size)s OFFSET (%(page)s::bigint - 1) * %(page_size)s;

-- name: create_template
INSERT INTO listening_prompt_templates AS t (
    name, description, category, difficulty, prompt_text, hints, expected_observations, tags, display_order, is_active,
    created_by)
VALUES (%(name)s, %(description)s, %(category)s, %(difficulty)s, %(prompt_text)s, to_jsonb(%(hints)s::text[]),
        to_jsonb(%(expected_observations)s::text[]), %(tags)s, %(display_order)s, %(is_active)s, current_user_id())
RETURNING t.*, audit('resource_created', 'create', %(client)s, resource_type => 'templates', resource_id => t.id::text);

-- name: template
SELECT t.* FROM listening_prompt_templates AS t WHERE t.id = %(template_id)s;
SELECT p.*
  FROM listening_prompt_presets AS p
 WHERE p.template_id = %(template_id)s
 ORDER BY p.created_at, p.id;

-- name: change_template
UPDATE listening_prompt_templates AS t
   SET (name, description, category, difficulty, prompt_text, hints, expected_observations, tags, display_order, is_active)
     = (SELECT r.name, r.description, r.category, r.difficulty, r.prompt_text, r.hints, r.expected_observations, r.tags,
               r.display_order, r.is_active
          FROM jsonb_populate_record(t, %(changes)s) AS r)
 WHERE t.id = %(template_id)s
RETURNING t.*, audit('resource_updated', 'update', %(client)s, resource_type => 'templates', resource_id => t.id::text);

-- name: delete_template
-- The lock keeps new sessions from pointing at the template, whose foreign key would then refuse its deletion.
SELECT t.id FROM listening_prompt_templates AS t WHERE t.id = %(template_id)s FOR UPDATE;
UPDATE listening_sessions AS s SET template_id = NULL WHERE s.template_id = %(template_id)s;
DELETE FROM listening_prompt_templates AS t
 WHERE t.id = %(template_id)s
RETURNING t.id, audit('resource_deleted', 'delete', %(client)s, resource_type => 'templates', resource_id => t.id::text);

-- name: presets
SELECT t.id FROM listening_prompt_templates AS t WHERE t.id = %(template_id)s;
SELECT p.*
  FROM listening_prompt_presets AS p
 WHERE p.template_id = %(template_id)s
 ORDER BY p.created_at, p.id;

-- name: create_preset
INSERT INTO listening_prompt_presets AS p (template_id, name, description, preset_type, config, is_active, created_by)
SELECT t.id, %(name)s, %(description)s, %(preset_type)s, %(config)s, %(is_active)s, current_user_id()
  FROM listening_prompt_templates AS t
 WHERE t.id = %(template_id)s
   FOR KEY SHARE
RETURNING p.*, audit('resource_created', 'create', %(client)s, resource_type => 'presets', resource_id => p.id::text);

-- name: preset
SELECT p.* FROM listening_prompt_presets AS p WHERE p.id = %(preset_id)s;

-- name: change_preset
-- The template that the preset moves to is locked first, so that it cannot be deleted meanwhile.
SELECT t.id FROM listening_prompt_templates AS t
 WHERE t.id = (%(changes)s::jsonb ->> 'template_id')::uuid
   FOR KEY SHARE;
SELECT refuse_field('template_id', 'is not the id of a template')
  FROM listening_prompt_presets AS p
 WHERE p.id = %(preset_id)s AND %(changes)s::jsonb ->> 'template_id' IS NOT NULL
   AND NOT EXISTS (SELECT FROM listening_prompt_templates AS t
                    WHERE t.id = (%(changes)s::jsonb ->> 'template_id')::uuid);
UPDATE listening_prompt_presets AS p
   SET (template_id, name, description, preset_type, config, is_active)
     = (SELECT r.template_id, r.name, r.description, r.preset_type, r.config, r.is_active
          FROM jsonb_populate_record(p, %(changes)s) AS r)
 WHERE p.id = %(preset_id)s
RETURNING p.*, audit('resource_updated', 'update', %(client)s, resource_type => 'presets', resource_id => p.id::text);

-- name: delete_preset
DELETE FROM listening_prompt_presets AS p
 WHERE p.id = %(preset_id)s
RETURNING p.id, audit('resource_deleted', 'delete', %(client)s, resource_type => 'presets', resource_id => p.id::text);
