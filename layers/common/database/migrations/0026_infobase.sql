-- migrate:up
-- The infobase: entries in Markdown with their former texts, and the index that finds them by their words.
SET LOCAL ROLE questlog_owner;

CREATE TABLE infobase_entries (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    content text NOT NULL DEFAULT '' CHECK (length(content) <= 100000),
    category text NOT NULL DEFAULT 'Tips' CHECK (length(category) BETWEEN 1 AND 50),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    is_pinned boolean NOT NULL DEFAULT false,
    version int NOT NULL DEFAULT 1 CHECK (version >= 1),
    -- Set while the entry is in the trash.
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock(),
    updated_at timestamptz NOT NULL DEFAULT clock(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX infobase_entries_listed ON infobase_entries (user_id, is_pinned DESC, updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX infobase_entries_trash ON infobase_entries (user_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON infobase_entries FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CALL enable_row_security('infobase_entries');
GRANT SELECT ON infobase_entries TO questlog_app;

-- The former texts of an entry: each under the version that it was, until replaced_at.
CREATE TABLE infobase_versions (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    entry_id uuid NOT NULL,
    version int NOT NULL CHECK (version >= 1),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    content text NOT NULL CHECK (length(content) <= 100000),
    written_at timestamptz NOT NULL,
    replaced_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, entry_id, version),
    FOREIGN KEY (user_id, entry_id) REFERENCES infobase_entries ON DELETE CASCADE
);
CALL enable_row_security('infobase_versions');
GRANT SELECT ON infobase_versions TO questlog_app;

-- The search index. Under row-level security `@@` is never a condition that an index can answer (ts_match_vq is not
-- leakproof), so a search would read every vector of its user. These two tables are the inverted index that Postgres may
-- use then: text comparisons are leakproof. Only functions write them, each under the user's lock.

-- What can be found: `source` is the table it stands in. It has a number, which is its bit in search_words.
--   `vectors`: its words with their positions, title first (weight A), then tags (B), then content (D), in pieces, because a
--   vector keeps no position beyond 16,383 and no more than 256 of one word.
--   toast_tuple_target: the vectors of a page of text stay in the row as they are. To rank what a search found would take
--   twice as long if each had to be decompressed.
--   `filters`: what it is, and may be asked for beside words: '/open', '/tag/mixing'.
CREATE TABLE search_documents (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    source text NOT NULL CHECK (source IN ('infobase', 'ideas')),
    number int NOT NULL CHECK (number >= 0),
    id uuid NOT NULL,
    vectors tsvector[] NOT NULL,
    filters text[] NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, source, number),
    UNIQUE (user_id, source, id)
) WITH (toast_tuple_target = 8160);
CALL enable_row_security('search_documents');

-- Which documents a word is in: a bit for each of the 64 that share a block. A filter is a word that begins with a slash.
-- fillfactor: most new documents add a bit to words that are there.
CREATE TABLE search_words (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    source text NOT NULL CHECK (source IN ('infobase', 'ideas')),
    -- In the order of its bytes: what begins alike lies together.
    word text COLLATE "C" NOT NULL,
    block int NOT NULL CHECK (block >= 0),
    entries bigint NOT NULL CHECK (entries <> 0),
    -- Of these, where the word is in the title or a tag, and where it is in the title.
    headings bigint NOT NULL,
    titles bigint NOT NULL,
    PRIMARY KEY (user_id, source, word, block)
) WITH (fillfactor = 80);
CALL enable_row_security('search_words');
