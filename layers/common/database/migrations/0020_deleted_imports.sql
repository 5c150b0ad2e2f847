-- migrate:up
-- What the user has deleted of what an import brought. The same file again does not bring it back.
SET LOCAL ROLE questlog_owner;

CREATE TABLE deleted_imports (
    user_id uuid NOT NULL DEFAULT current_user_id() REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('workout_session', 'book', 'habit', 'quest')),
    import_key text NOT NULL CHECK (length(import_key) BETWEEN 1 AND 320),
    PRIMARY KEY (user_id, kind, import_key)
);
CALL enable_row_security('deleted_imports');
GRANT SELECT, INSERT, DELETE ON deleted_imports TO questlog_app;
