-- migrate:up
-- What users note while they listen to reference tracks: annotations and regions of a track, comparisons of two of them with
-- votes, listening sessions with their checklists, and the prompts there are for them.
SET LOCAL ROLE questlog_owner;

-- The prompts: shared content, written by administrators ---------------------------------------------------------------

CREATE TABLE listening_prompt_templates (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 5000),
    category text NOT NULL DEFAULT 'general' CHECK (category IN (
        'general', 'frequency', 'dynamics', 'spatial', 'arrangement', 'production', 'mixing', 'mastering', 'genre_specific')),
    difficulty text NOT NULL DEFAULT 'beginner' CHECK (difficulty IN ('beginner', 'intermediate', 'advanced', 'expert')),
    prompt_text text NOT NULL CHECK (length(prompt_text) BETWEEN 1 AND 5000),
    hints jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(hints) = 'array'),
    -- Shown only once a session is completed.
    expected_observations jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(expected_observations) = 'array'),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 50),
    display_order int NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock()
);
CREATE INDEX listening_prompt_templates_order ON listening_prompt_templates (category, display_order);
CREATE TRIGGER touch BEFORE UPDATE ON listening_prompt_templates FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE listening_prompt_presets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    template_id uuid REFERENCES listening_prompt_templates ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 5000),
    preset_type text NOT NULL DEFAULT 'focus' CHECK (preset_type IN ('focus', 'comparison', 'loop', 'visualization')),
    config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
    is_active boolean NOT NULL DEFAULT true,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock()
);
CREATE INDEX listening_prompt_presets_template ON listening_prompt_presets (template_id);
CREATE TRIGGER touch BEFORE UPDATE ON listening_prompt_presets FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

GRANT SELECT ON listening_prompt_templates, listening_prompt_presets
    TO questlog_app, questlog_operator, questlog_jobs, questlog_admin, questlog_console;
GRANT INSERT, UPDATE, DELETE ON listening_prompt_templates, listening_prompt_presets TO questlog_admin;
-- An account that is deleted is nobody's creator any more.
GRANT SELECT (created_by), UPDATE (created_by) ON listening_prompt_templates, listening_prompt_presets TO questlog_identity;

-- Regions --------------------------------------------------------------------------------------------------------------

CREATE TABLE track_regions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    track_id uuid NOT NULL,
    start_time_ms int NOT NULL CHECK (start_time_ms BETWEEN 0 AND 86400000),
    end_time_ms int NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    section_type text NOT NULL DEFAULT 'custom' CHECK (section_type IN (
        'intro', 'verse', 'chorus', 'bridge', 'breakdown', 'buildup', 'drop', 'outro', 'custom')),
    color text NOT NULL CHECK (color ~ '^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$'),
    is_loop boolean NOT NULL DEFAULT false,
    notes text CHECK (length(notes) BETWEEN 1 AND 10000),
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, track_id) REFERENCES reference_tracks ON DELETE CASCADE,
    CHECK (end_time_ms > start_time_ms)
);
CREATE INDEX track_regions_of_track ON track_regions (user_id, track_id, start_time_ms, id);
CREATE TRIGGER touch BEFORE UPDATE ON track_regions FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('track_regions');
GRANT SELECT, INSERT, UPDATE, DELETE ON track_regions TO questlog_app;

-- Comparisons of two tracks --------------------------------------------------------------------------------------------

CREATE TABLE listening_comparisons (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text CHECK (length(name) BETWEEN 1 AND 200),
    track_a_id uuid NOT NULL,
    track_b_id uuid NOT NULL,
    region_a_id uuid,
    region_b_id uuid,
    -- A time of B less the time of A that is heard against it.
    offset_ms int NOT NULL DEFAULT 0 CHECK (offset_ms BETWEEN -3600000 AND 3600000),
    match_mode text NOT NULL CHECK (match_mode IN ('integrated', 'region', 'short_term_max', 'none')),
    target_lufs double precision CHECK (target_lufs BETWEEN -40 AND 0),
    blind boolean NOT NULL DEFAULT false,
    -- Whether X is B in the present trial. Drawn anew for each one.
    blind_swap boolean NOT NULL DEFAULT false,
    revealed_at timestamptz,
    -- The number of the next vote.
    trial int NOT NULL DEFAULT 1 CHECK (trial >= 1),
    switch_interval_ms int CHECK (switch_interval_ms BETWEEN 500 AND 60000),
    notes text CHECK (length(notes) BETWEEN 1 AND 10000),
    verdict text CHECK (verdict IN ('a', 'b', 'tie')),
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, track_a_id) REFERENCES reference_tracks ON DELETE CASCADE,
    FOREIGN KEY (user_id, track_b_id) REFERENCES reference_tracks ON DELETE CASCADE,
    FOREIGN KEY (user_id, region_a_id) REFERENCES track_regions,
    FOREIGN KEY (user_id, region_b_id) REFERENCES track_regions,
    CHECK (track_a_id <> track_b_id),
    CHECK (blind OR revealed_at IS NULL)
);
CREATE INDEX listening_comparisons_recent ON listening_comparisons (user_id, updated_at DESC);
CREATE INDEX listening_comparisons_track_a ON listening_comparisons (user_id, track_a_id);
CREATE INDEX listening_comparisons_track_b ON listening_comparisons (user_id, track_b_id);
CREATE INDEX listening_comparisons_region_a ON listening_comparisons (user_id, region_a_id);
CREATE INDEX listening_comparisons_region_b ON listening_comparisons (user_id, region_b_id);
CREATE TRIGGER touch BEFORE UPDATE ON listening_comparisons FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('listening_comparisons');
GRANT SELECT, INSERT, UPDATE, DELETE ON listening_comparisons TO questlog_app;

CREATE TABLE comparison_votes (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    comparison_id uuid NOT NULL,
    trial int NOT NULL CHECK (trial >= 1),
    preferred text NOT NULL CHECK (preferred IN ('a', 'b', 'tie')),
    -- What was sent: x or y in a blind trial, which a repeated vote of it is answered with.
    preferred_as_sent text NOT NULL CHECK (preferred_as_sent IN ('a', 'b', 'x', 'y', 'tie')),
    aspect text CHECK (length(aspect) BETWEEN 1 AND 60),
    note text CHECK (length(note) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, comparison_id, trial),
    FOREIGN KEY (user_id, comparison_id) REFERENCES listening_comparisons ON DELETE CASCADE
);
CALL enable_row_security('comparison_votes');
GRANT SELECT, INSERT ON comparison_votes TO questlog_app;

-- Listening sessions ---------------------------------------------------------------------------------------------------

CREATE TABLE listening_sessions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    track_id uuid NOT NULL,
    comparison_id uuid,
    template_id uuid REFERENCES listening_prompt_templates,
    region_id uuid,
    status text NOT NULL DEFAULT 'in_progress' CHECK (status IN ('in_progress', 'completed', 'abandoned')),
    goal text CHECK (length(goal) BETWEEN 1 AND 500),
    notes text CHECK (length(notes) BETWEEN 1 AND 10000),
    takeaway text CHECK (length(takeaway) BETWEEN 1 AND 2000),
    rating int CHECK (rating BETWEEN 1 AND 5),
    listened_ms bigint NOT NULL DEFAULT 0 CHECK (listened_ms >= 0),
    loops bigint NOT NULL DEFAULT 0 CHECK (loops >= 0),
    switches bigint NOT NULL DEFAULT 0 CHECK (switches >= 0),
    started_at timestamptz NOT NULL DEFAULT instant(),
    ended_at timestamptz,
    -- The local day on which it was completed, in the zone the user was in.
    completed_on date,
    xp_awarded bigint NOT NULL DEFAULT 0 CHECK (xp_awarded >= 0),
    coins_awarded bigint NOT NULL DEFAULT 0 CHECK (coins_awarded >= 0),
    -- Why a completed session was not paid.
    reward_reason text CHECK (reward_reason IN ('too_short', 'nothing_noted', 'daily_limit')),
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, track_id) REFERENCES reference_tracks ON DELETE CASCADE,
    FOREIGN KEY (user_id, comparison_id) REFERENCES listening_comparisons,
    FOREIGN KEY (user_id, region_id) REFERENCES track_regions,
    CHECK ((status = 'in_progress') = (ended_at IS NULL)),
    CHECK ((status = 'completed') = (completed_on IS NOT NULL)),
    CHECK (status = 'completed' OR (xp_awarded = 0 AND coins_awarded = 0 AND reward_reason IS NULL))
);
CREATE UNIQUE INDEX listening_sessions_running ON listening_sessions (user_id, track_id) WHERE status = 'in_progress';
CREATE INDEX listening_sessions_track ON listening_sessions (user_id, track_id, started_at DESC, id DESC);
CREATE INDEX listening_sessions_recent ON listening_sessions (user_id, started_at DESC, id DESC) INCLUDE (track_id, status);
CREATE INDEX listening_sessions_completed ON listening_sessions (user_id, completed_on) WHERE status = 'completed';
-- The last day on which a track was listened to.
CREATE INDEX listening_sessions_last ON listening_sessions (user_id, track_id, completed_on) WHERE status = 'completed';
-- For what is cleared when the other row is deleted; an administrator deletes a template for all users.
CREATE INDEX listening_sessions_comparison ON listening_sessions (user_id, comparison_id) WHERE comparison_id IS NOT NULL;
CREATE INDEX listening_sessions_region ON listening_sessions (user_id, region_id) WHERE region_id IS NOT NULL;
CREATE INDEX listening_sessions_template ON listening_sessions (template_id) WHERE template_id IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON listening_sessions FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('listening_sessions');
GRANT SELECT, INSERT, UPDATE, DELETE ON listening_sessions TO questlog_app;
GRANT SELECT (user_id, template_id), UPDATE (template_id) ON listening_sessions TO questlog_admin;

-- Annotations ----------------------------------------------------------------------------------------------------------

CREATE TABLE track_annotations (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    track_id uuid NOT NULL,
    -- The listening session it was written in.
    session_id uuid,
    start_time_ms int NOT NULL CHECK (start_time_ms BETWEEN 0 AND 86400000),
    -- Null for a moment.
    end_time_ms int,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    content text CHECK (length(content) BETWEEN 1 AND 10000),
    category text NOT NULL DEFAULT 'general' CHECK (category IN (
        'general', 'technique', 'mix', 'mastering', 'arrangement', 'production')),
    color text NOT NULL CHECK (color ~ '^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$'),
    is_private boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, track_id) REFERENCES reference_tracks ON DELETE CASCADE,
    FOREIGN KEY (user_id, session_id) REFERENCES listening_sessions,
    CHECK (end_time_ms > start_time_ms)
);
CREATE INDEX track_annotations_of_track ON track_annotations (user_id, track_id, start_time_ms, id);
CREATE INDEX track_annotations_session ON track_annotations (user_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX track_annotations_recent ON track_annotations (user_id, created_at);
CREATE TRIGGER touch BEFORE UPDATE ON track_annotations FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('track_annotations');
GRANT SELECT, INSERT, UPDATE, DELETE ON track_annotations TO questlog_app;

-- Public annotations of a shared track are read through a function that this role owns, and through no other statement.
CREATE POLICY board ON track_annotations FOR SELECT TO questlog_board USING (NOT is_private);
GRANT SELECT ON track_annotations TO questlog_board;

CREATE TABLE listening_session_items (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    position int NOT NULL CHECK (position BETWEEN 1 AND 50),
    -- A template's prompt may be longer than one that was sent.
    prompt text NOT NULL CHECK (length(prompt) BETWEEN 1 AND 5000),
    category text NOT NULL DEFAULT 'general' CHECK (category IN (
        'general', 'frequency', 'dynamics', 'spatial', 'arrangement', 'production', 'mixing', 'mastering', 'genre_specific')),
    checked boolean NOT NULL DEFAULT false,
    response text CHECK (length(response) BETWEEN 1 AND 5000),
    score int CHECK (score BETWEEN 0 AND 3),
    annotation_id uuid,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, session_id, position),
    FOREIGN KEY (user_id, session_id) REFERENCES listening_sessions ON DELETE CASCADE,
    FOREIGN KEY (user_id, annotation_id) REFERENCES track_annotations
);
CREATE INDEX listening_session_items_annotation ON listening_session_items (user_id, annotation_id) WHERE annotation_id IS NOT NULL;
CALL enable_row_security('listening_session_items');
GRANT SELECT, INSERT, UPDATE, DELETE ON listening_session_items TO questlog_app;

-- The prompts there are from the start -------------------------------------------------------------------------------------
-- Can be run again: administrators edit them, so rows that exist are left alone. Their ids follow from their names.

INSERT INTO listening_prompt_templates (
    id, name, category, difficulty, display_order, prompt_text, description, hints, expected_observations, tags)
SELECT md5('listening_prompt_template:' || s.name)::uuid, s.name, s.category, s.difficulty, s.place, s.prompt, s.description,
       s.hints::jsonb, s.expected::jsonb, s.tags::text[]
  FROM (VALUES
('First impression', 'general', 'beginner', 1,
 'Play it once without stopping. Which three words describe it, and which second made you choose them?',
 'Write before you judge: what did you notice, and when?',
 '["Put the pencil down until the music ends.", "A word about a feeling counts as much as one about sound.", "Look at the clock when something surprises you."]',
 '["The words name the mood or the sound, not the quality.", "At least one word belongs to a moment that can be found again."]',
 '{"overview", "warm-up"}'),
('Who owns the low end', 'frequency', 'beginner', 1,
 'Find the lowest steady note. Is it the kick or the bass, and who gives way when both sound?',
 'Kick and bass share one octave: hear how they divide it.',
 '["Loop one bar in which both play.", "Listen at a moderate level: loud bass masks itself.", "Watch whether the bass dips when the kick hits."]',
 '["One of the two reaches clearly lower than the other.", "Where they meet, one is shorter, quieter or filtered.", "The low end stays even from bar to bar."]',
 '{"bass", "kick"}'),
('Three tilts', 'frequency', 'intermediate', 2,
 'Judge lows, mids and highs as if they were three faders. Which one would you move, and by how much?',
 'A mix as three faders, before any detail.',
 '["Switch between your mix and the reference at matched level.", "Name a direction first, then a number of decibels.", "Come back after a minute of silence and check the answer."]',
 '["The answer names one fader and a step of 1 to 3 dB.", "It still holds in a second section of the song."]',
 '{"tonal balance"}'),
('The crowded octave', 'frequency', 'advanced', 3,
 'Somewhere between 200 and 500 Hz two parts share a place. Name them and say how the mix lets both live.',
 'Most mud has an address; find it.',
 '["Guitars, keys, snare body and low vocals are the usual neighbours.", "Ask of each part: wide or narrow, long or short, near or far?", "Sweep in your mind, not with an equaliser."]',
 '["Both parts are named.", "The separation is one of level, panning, time or filtering.", "The range sounds full, but each part can be followed."]',
 '{"masking", "low mids"}'),
('Breathing', 'dynamics', 'intermediate', 1,
 'Listen for the level moving when nobody plays harder. Is it welcome?',
 'Compression that can be heard is a choice; decide whether it is a good one.',
 '["Follow a steady sound, such as a pad or cymbals, behind the kick.", "Note how long the level takes to come back.", "Compare a sparse bar with a full one."]',
 '["The movement follows the kick or the lead.", "Its return fits the tempo, or does not."]',
 '{"compression", "pumping"}'),
('Loud against quiet', 'dynamics', 'beginner', 2,
 'Compare the quietest bar with the loudest. How large is the step, and what makes it?',
 'Contrast is made of more than level.',
 '["Mark both bars as regions and play one after the other.", "Count how many parts play in each.", "Ask whether it got louder, or brighter and wider."]',
 '["The step is described in decibels or in plain words.", "More parts, brightness or width explain at least half of it."]',
 '{"contrast", "sections"}'),
('Edges of the stage', 'spatial', 'beginner', 1,
 'What sits hardest left and right? What would be gone in mono?',
 'Draw the stage from its edges inwards.',
 '["Headphones show the edges, loudspeakers the middle.", "Close your eyes and point at each part.", "Play it in mono and listen for what fades."]',
 '["Low end and lead are in the middle.", "At least one part loses level or body in mono."]',
 '{"width", "mono"}'),
('Front to back', 'spatial', 'advanced', 2,
 'Put every part on one of three depths and say which cue told you: level, brightness or reverb.',
 'Depth is drawn with three pencils.',
 '["Begin with the nearest and the farthest part.", "A dull part seems far even when it is loud.", "Listen for the gap between a sound and its reverb."]',
 '["All three depths are in use.", "Each part has its cue named.", "The lead stays in front through the whole section."]',
 '{"depth", "reverb"}'),
('Arrivals and exits', 'arrangement', 'intermediate', 1,
 'At every section border, write what enters and what leaves.',
 'A song is told by who comes and who goes.',
 '["Stop at each border and write one line.", "Listen for the bar before: something often announces the change.", "Exits are harder to hear than arrivals."]',
 '["Each border has at least one arrival or exit.", "The largest change is at the chorus or the drop."]',
 '{"structure"}'),
('The one effect', 'production', 'intermediate', 1,
 'Pick the most audible effect. How is it timed to the tempo?',
 'Choose one effect and take it apart.',
 '["Tap along and count the repeats of a delay.", "Reverb tails that end on a beat are no accident.", "Ask what the part would be without it."]',
 '["The effect and the part it is on are named.", "Its time is given in beats, or said to be free."]',
 '{"delay", "reverb", "modulation"}'),
('Lead in its seat', 'mixing', 'beginner', 1,
 'Turn down until only the lead remains. Does it stay there throughout?',
 'At very low level the balance shows itself.',
 '["Lower the volume until you almost hear nothing.", "Write the time whenever the lead disappears.", "Check verse and chorus separately."]',
 '["The lead is the last part to vanish.", "Words or notes that drown are marked with a time."]',
 '{"vocals", "balance"}'),
('Price of loudness', 'mastering', 'expert', 1,
 'At matched level, where do you hear limiting first: low end, transients or tails?',
 'Loudness is paid for somewhere; find the receipt.',
 '["Match loudness before you compare, or the louder one wins.", "Listen to the snare''s first millisecond and the kick''s body.", "Long reverb tails rise when a limiter lets go."]',
 '["One of the three places is named, with a time.", "The quieter master keeps more of the transient.", "The judgement holds in a blind vote."]',
 '{"limiting", "loudness"}')
       ) AS s (name, category, difficulty, place, prompt, description, hints, expected, tags)
ON CONFLICT (id) DO NOTHING;

INSERT INTO listening_prompt_presets (id, template_id, name, preset_type, config)
SELECT md5(concat_ws(':', 'listening_prompt_preset', s.template, s.name))::uuid,
       t.id, s.name, s.preset_type, s.config::jsonb
  FROM (VALUES
('First impression', 'Whole song, no tools', 'focus', '{"bands": [], "aspects": []}'),
('Who owns the low end', 'Low end alone', 'focus', '{"bands": ["sub", "low"], "aspects": ["balance"]}'),
('Who owns the low end', 'One bar', 'loop', '{"suggested_duration_ms": 5000, "auto_advance": true}'),
('Three tilts', 'Switch every 3 seconds', 'comparison', '{"mode": "ab", "switch_interval_ms": 3000}'),
('Three tilts', 'Spectrum beside it', 'visualization', '{"show_spectrum": true, "show_loudness": false}'),
('The crowded octave', '200 to 500 Hz', 'focus', '{"bands": ["low_mid"], "aspects": ["masking"]}'),
('The crowded octave', 'The busiest bar', 'loop', '{"suggested_duration_ms": 5000, "auto_advance": true}'),
('Breathing', 'Level of the background', 'focus', '{"bands": [], "aspects": ["dynamics"]}'),
('Breathing', 'Loudness curve', 'visualization', '{"show_spectrum": false, "show_loudness": true}'),
('Loud against quiet', 'Quiet and loud in turn', 'loop', '{"suggested_duration_ms": 5000, "auto_advance": true}'),
('Loud against quiet', 'Loudness curve', 'visualization', '{"show_spectrum": false, "show_loudness": true}'),
('Edges of the stage', 'Width', 'focus', '{"bands": [], "aspects": ["width"]}'),
('Front to back', 'Depth', 'focus', '{"bands": ["high_mid", "high"], "aspects": ["depth"]}'),
('Front to back', 'Mix against reference', 'comparison', '{"mode": "ab", "switch_interval_ms": 3000}'),
('Arrivals and exits', 'Around each border', 'loop', '{"suggested_duration_ms": 5000, "auto_advance": true}'),
('The one effect', 'The effect', 'focus', '{"bands": [], "aspects": ["effects"]}'),
('The one effect', 'Two bars of it', 'loop', '{"suggested_duration_ms": 5000, "auto_advance": true}'),
('Lead in its seat', 'Lead', 'focus', '{"bands": ["mid", "high_mid"], "aspects": ["balance"]}'),
('Lead in its seat', 'Same line, both mixes', 'comparison', '{"mode": "ab", "switch_interval_ms": 3000}'),
('Price of loudness', 'Blind, matched', 'comparison', '{"mode": "ab", "switch_interval_ms": 3000}'),
('Price of loudness', 'Spectrum and loudness', 'visualization', '{"show_spectrum": true, "show_loudness": true}'),
(NULL, 'Free listening', 'visualization', '{"show_spectrum": true, "show_loudness": true}')
       ) AS s (template, name, preset_type, config)
  LEFT JOIN listening_prompt_templates AS t ON t.id = md5('listening_prompt_template:' || s.template)::uuid
 WHERE s.template IS NULL OR t.id IS NOT NULL
ON CONFLICT (id) DO NOTHING;
