-- migrate:up
-- Reference tracks: audio files in the bucket, and what the audio worker measured of them. What users note while they
-- listen is the next migration's.
SET LOCAL ROLE questlog_owner;

CREATE TABLE reference_tracks (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
    description text CHECK (length(description) BETWEEN 1 AND 5000),
    r2_key text NOT NULL CHECK (starts_with(r2_key, user_id::text || '/audio/')),
    file_size_bytes bigint NOT NULL CHECK (file_size_bytes >= 0),
    mime_type text NOT NULL CHECK (mime_type ~ '^audio/[a-z0-9]+$'),
    -- What the user gave is never overwritten by what was measured: only nulls are filled.
    duration_seconds double precision CHECK (duration_seconds >= 0 AND duration_seconds < 'Infinity'),
    artist text CHECK (length(artist) BETWEEN 1 AND 300),
    album text CHECK (length(album) BETWEEN 1 AND 300),
    genre text CHECK (length(genre) BETWEEN 1 AND 300),
    bpm double precision CHECK (bpm BETWEEN 20 AND 400),
    key_signature text CHECK (length(key_signature) BETWEEN 1 AND 32),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 50),
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'shared')),
    -- uploading: no object was found under the key yet; processing: an analysis is pending or running.
    status text NOT NULL CHECK (status IN ('uploading', 'processing', 'ready', 'error')),
    error_message text CHECK (length(error_message) BETWEEN 1 AND 500),
    sample_rate int CHECK (sample_rate > 0),
    channels int CHECK (channels > 0),
    bit_depth int CHECK (bit_depth > 0),
    content_sha256 text CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, r2_key),
    CHECK ((status = 'error') = (error_message IS NOT NULL))
);
CREATE INDEX reference_tracks_recent ON reference_tracks (user_id, created_at DESC, id DESC);
-- The tracks of a user are counted, and their bytes, without reading the tracks themselves.
CREATE INDEX reference_tracks_counted ON reference_tracks (user_id, status) INCLUDE (file_size_bytes);
CREATE INDEX reference_tracks_content ON reference_tracks (user_id, content_sha256);
-- Another user's shared track is found by its id alone.
CREATE INDEX reference_tracks_shared ON reference_tracks (id) WHERE visibility = 'shared';
CREATE TRIGGER touch BEFORE UPDATE ON reference_tracks FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('reference_tracks');
GRANT SELECT, INSERT, UPDATE, DELETE ON reference_tracks TO questlog_app;
GRANT SELECT, UPDATE ON reference_tracks TO questlog_jobs;
GRANT UPDATE (status, error_message) ON reference_tracks TO questlog_admin;

-- A library of the focus timer may name tracks. Who deletes one takes it out of the libraries first.
ALTER TABLE focus_library_tracks ADD FOREIGN KEY (user_id, track_id) REFERENCES reference_tracks NOT VALID;

-- What users share is read through functions that this role owns, and through no other statement.
CREATE POLICY board ON reference_tracks FOR SELECT TO questlog_board USING (visibility = 'shared');
GRANT SELECT ON reference_tracks TO questlog_board;

-- The keys that were handed out for uploads. One is consumed when the track is registered.
CREATE TABLE upload_intents (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    r2_key text NOT NULL CHECK (starts_with(r2_key, user_id::text || '/audio/')),
    mime_type text NOT NULL CHECK (mime_type ~ '^audio/[a-z0-9]+$'),
    filename text NOT NULL CHECK (length(filename) BETWEEN 1 AND 255),
    declared_bytes bigint NOT NULL CHECK (declared_bytes > 0),
    created_at timestamptz NOT NULL DEFAULT instant(),
    expires_at timestamptz NOT NULL,
    consumed_at timestamptz,
    PRIMARY KEY (user_id, r2_key)
);
-- The clean-up takes those of all users that were never consumed.
CREATE INDEX upload_intents_open ON upload_intents (created_at) WHERE consumed_at IS NULL;
CALL enable_row_security('upload_intents');
GRANT SELECT, INSERT, UPDATE ON upload_intents TO questlog_app;
GRANT SELECT, UPDATE, DELETE ON upload_intents TO questlog_jobs;

CREATE TABLE track_analyses (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    track_id uuid NOT NULL,
    analysis_type text NOT NULL CHECK (analysis_type IN ('full', 'quick', 'spectral', 'loudness')),
    version text NOT NULL CHECK (length(version) BETWEEN 1 AND 32),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    progress real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    -- How often a worker began it.
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    error_message text CHECK (length(error_message) BETWEEN 1 AND 500),
    summary jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(summary) = 'object'),
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, track_id) REFERENCES reference_tracks ON DELETE CASCADE,
    CHECK ((status = 'failed') = (error_message IS NOT NULL)),
    CHECK ((status = 'completed') = (summary <> '{}')),
    CHECK ((status IN ('completed', 'failed')) = (completed_at IS NOT NULL)),
    CHECK (status = 'failed' OR (status = 'pending') = (started_at IS NULL))
);
CREATE UNIQUE INDEX track_analyses_active ON track_analyses (user_id, track_id, analysis_type)
    WHERE status IN ('pending', 'running');
CREATE INDEX track_analyses_track ON track_analyses (user_id, track_id, created_at DESC);
CREATE TRIGGER touch BEFORE UPDATE ON track_analyses FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('track_analyses');
GRANT SELECT, INSERT ON track_analyses TO questlog_app;
GRANT SELECT, UPDATE ON track_analyses TO questlog_jobs;
GRANT UPDATE ON track_analyses TO questlog_admin;

-- How the frames of a full analysis are laid out.
CREATE TABLE analysis_frame_manifests (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    analysis_id uuid NOT NULL,
    hop_ms int NOT NULL CHECK (hop_ms > 0),
    frame_count int NOT NULL CHECK (frame_count >= 0),
    duration_ms int NOT NULL CHECK (duration_ms >= 0),
    sample_rate int NOT NULL CHECK (sample_rate > 0),
    bands jsonb NOT NULL CHECK (jsonb_typeof(bands) = 'array'),
    frame_layout jsonb NOT NULL CHECK (jsonb_typeof(frame_layout) = 'array'),
    bytes_per_frame int NOT NULL CHECK (bytes_per_frame > 0),
    chunk_size_frames int NOT NULL CHECK (chunk_size_frames > 0),
    total_chunks int NOT NULL CHECK (total_chunks >= 0),
    fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    analyzer_version text NOT NULL CHECK (length(analyzer_version) BETWEEN 1 AND 32),
    PRIMARY KEY (user_id, analysis_id),
    FOREIGN KEY (user_id, analysis_id) REFERENCES track_analyses ON DELETE CASCADE
);
CALL enable_row_security('analysis_frame_manifests');
GRANT SELECT ON analysis_frame_manifests TO questlog_app;
GRANT INSERT ON analysis_frame_manifests TO questlog_jobs;

CREATE TABLE analysis_frame_data (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    analysis_id uuid NOT NULL,
    chunk_index int NOT NULL CHECK (chunk_index >= 0),
    start_frame int NOT NULL CHECK (start_frame >= 0),
    end_frame int NOT NULL,
    frame_data bytea NOT NULL,
    compression_type text NOT NULL DEFAULT 'zlib' CHECK (compression_type = 'zlib'),
    PRIMARY KEY (user_id, analysis_id, chunk_index),
    FOREIGN KEY (user_id, analysis_id) REFERENCES analysis_frame_manifests ON DELETE CASCADE,
    CHECK (end_frame > start_frame)
);
-- The worker has compressed it already.
ALTER TABLE analysis_frame_data ALTER COLUMN frame_data SET STORAGE EXTERNAL;
CALL enable_row_security('analysis_frame_data');
GRANT SELECT ON analysis_frame_data TO questlog_app;
GRANT INSERT ON analysis_frame_data TO questlog_jobs;

CREATE TABLE analysis_events (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    analysis_id uuid NOT NULL,
    seq int NOT NULL CHECK (seq >= 0),
    time_ms int NOT NULL CHECK (time_ms >= 0),
    duration_ms int CHECK (duration_ms >= 0),
    event_type text NOT NULL CHECK (event_type IN (
        'beat', 'downbeat', 'transient', 'section_start', 'section_end', 'peak', 'silence', 'custom')),
    confidence real CHECK (confidence BETWEEN 0 AND 1),
    event_data jsonb CHECK (jsonb_typeof(event_data) = 'object'),
    PRIMARY KEY (user_id, analysis_id, seq),
    FOREIGN KEY (user_id, analysis_id) REFERENCES analysis_frame_manifests ON DELETE CASCADE
);
CREATE INDEX analysis_events_time ON analysis_events (user_id, analysis_id, time_ms);
CALL enable_row_security('analysis_events');
GRANT SELECT ON analysis_events TO questlog_app;
GRANT INSERT ON analysis_events TO questlog_jobs;

-- What is known of a file by its bytes, also of one that never left the user's device.
CREATE TABLE track_analysis_cache (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
    source text NOT NULL CHECK (source IN ('worker', 'client')),
    duration_ms int CHECK (duration_ms BETWEEN 0 AND 86400000),
    bpm double precision CHECK (bpm BETWEEN 20 AND 400),
    key_signature text CHECK (length(key_signature) BETWEEN 1 AND 32),
    integrated_lufs double precision CHECK (integrated_lufs BETWEEN -400 AND 400),
    sample_peak_dbfs double precision CHECK (sample_peak_dbfs BETWEEN -400 AND 400),
    rms_dbfs double precision CHECK (rms_dbfs BETWEEN -400 AND 400),
    energy double precision CHECK (energy BETWEEN 0 AND 1),
    frequency_profile text CHECK (frequency_profile IN ('bass-heavy', 'mid-focused', 'bright', 'balanced')),
    waveform jsonb CHECK (jsonb_typeof(waveform) = 'array'),
    sections jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(sections) = 'array'),
    created_at timestamptz NOT NULL DEFAULT instant(),
    updated_at timestamptz NOT NULL DEFAULT instant(),
    PRIMARY KEY (user_id, content_hash)
);
CREATE TRIGGER touch BEFORE UPDATE ON track_analysis_cache FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('track_analysis_cache');
GRANT SELECT, INSERT, UPDATE ON track_analysis_cache TO questlog_app, questlog_jobs;

-- Whom an e-mail address belongs to, for those who look at what its owner shares.
GRANT SELECT ON user_directory TO questlog_board;
