"""POST /admin/db/query: what administrators may ask the database, and what nobody may (platform contract, 7)."""

import json
import time
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.admin import console
from functions.admin.statement_text import distinct_names, first_word, without_comments, without_literals
from tests.conftest import Database, User
from tests.support.client import Answer


def ask(admin: User, sql: str, **options: Any) -> Answer:
    return admin.post("/admin/db/query", {"sql": sql}, **options)


def answer(admin: User, sql: str) -> Any:
    asked = ask(admin, sql)
    assert asked.status == 200, asked.text
    return asked.json


def refused(admin: User, sql: str) -> str:
    asked = ask(admin, sql)
    assert asked.refused(400, "query_failed") == {}
    message: str = asked.error["message"]
    assert 0 < len(message) <= 500
    return message


def cell(admin: User, expression: str) -> Any:
    [row] = answer(admin, f"SELECT {expression} AS it")["rows"]
    return row["it"]


def test_a_statement_is_answered(admin: User) -> None:
    sql = "SELECT 1 AS one, 'x' AS letter UNION ALL SELECT 2, NULL ORDER BY one"
    found = answer(admin, sql)
    assert isinstance(found.pop("duration_ms"), int)
    assert found == {
        "rows": [{"one": 1, "letter": "x"}, {"one": 2, "letter": None}],
        "count": 2,
        "sql": sql,
        "columns": ["one", "letter"],
        "truncated": False,
    }


@pytest.mark.parametrize(
    "sql",
    [
        "VALUES (1), (2)",
        "TABLE skill_definitions",
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "(SELECT 1) UNION (SELECT 2)",
        "select 1;",
        "SELECT 1 -- one\n;; -- done",
        "/* a /* nested */ comment */ SELECT 1 /* ; */",
        "EXPLAIN SELECT * FROM users",
        "EXPLAIN (FORMAT JSON) SELECT 1",
        "SHOW server_version",
        "SHOW ALL",
        "SELECT FROM users",
        "SELECT $$it's; fine$$ AS x",
    ],
)
def test_what_is_run(sql: str, admin: User) -> None:
    assert answer(admin, sql)["count"] >= 1


def test_it_sees_the_rows_of_all_users(admin: User, user: User) -> None:
    user.post("/habits", {"name": "Swim"})
    [row] = answer(admin, f"SELECT name, user_id FROM habits WHERE user_id = '{user.id}'")["rows"]
    assert row == {"name": "Swim", "user_id": str(user.id)}
    assert answer(admin, f"SELECT email FROM users WHERE id = '{user.id}'")["count"] == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS x INTO copied",
        "SELECT 1 AS x INTO TEMPORARY copied",
        "WITH gone AS (DELETE FROM users RETURNING id) SELECT id FROM gone",
    ],
)
def test_what_cannot_be_part_of_a_statement(sql: str, admin: User) -> None:
    """The message is about nothing that the administrator did not write."""
    assert refused(admin, sql) in (console.NOT_INSIDE, "permission denied for table users")


def test_an_error_of_the_statement_itself_is_told(admin: User) -> None:
    unknown = refused(admin, "SELECT n::regclass FROM (VALUES ('nothing')) AS v (n)")
    assert unknown == 'relation "nothing" does not exist'
    assert refused(admin, "SELECT 1 / n FROM (VALUES (0)) AS v (n)") == "division by zero"


# What nobody may ------------------------------------------------------------------------------------------------------

HOSTILE = [
    # another statement than one that reads
    "INSERT INTO habits (name) VALUES ('x')",
    "UPDATE users SET role = 'admin'",
    "DELETE FROM users",
    "TRUNCATE users",
    "DROP TABLE users",
    "CREATE TABLE t (a int)",
    "CREATE TEMPORARY TABLE t (a int)",
    "COPY users TO STDOUT",
    "COPY users TO PROGRAM 'cat'",
    "DO $$ BEGIN PERFORM pg_sleep(1); END $$",
    "SET ROLE questlog_owner",
    "SET SESSION AUTHORIZATION questlog_app",
    "RESET ROLE",
    "SET default_transaction_read_only = off",
    "BEGIN",
    "COMMIT",
    "CALL enable_row_security('users')",
    "LISTEN x",
    "VACUUM users",
    "GRANT ALL ON users TO questlog_console",
    "PREPARE p AS SELECT 1",
    "DECLARE c CURSOR FOR SELECT 1",
    "LOCK TABLE users",
    "",
    ";",
    "-- nothing",
    "1",
    # more than one
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM users",
    "SELECT 1; COMMIT; DELETE FROM users; BEGIN",
    "SELECT 1) AS a; DELETE FROM users; SELECT (1",
    "SELECT 1) AS a, (SELECT 2",
    # one that begins as if it read
    "WITH gone AS (DELETE FROM habits RETURNING *) SELECT * FROM gone",
    "WITH made AS (INSERT INTO rate_limits VALUES ('x', now(), 1) RETURNING *) SELECT * FROM made",
    "WITH a AS (SELECT 1) DELETE FROM users",
    "WITH a AS (SELECT 1) INSERT INTO rate_limits SELECT 'x', now(), 1",
    "SELECT 1 INTO stolen",
    "SELECT * INTO TEMPORARY stolen FROM users",
    "EXPLAIN ANALYZE DELETE FROM users",
    "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    "EXPLAIN ANALYZE INSERT INTO rate_limits VALUES ('x', now(), 1)",
    "SELECT * FROM users FOR UPDATE",
    "SELECT * FROM users FOR SHARE",
    # our functions
    "SELECT clock()",
    "SELECT current_user_id()",
    "SELECT app.authenticate(gen_random_uuid(), '', 'session', '1.0', interval '1 day', false)",
    "SELECT app.audit('x', 'x', '{}')",
    "SELECT internal.entitlements_of('admin')",
    "SELECT award('focus_complete', 'x', 'x', 1, 1, 'x', 'x')",
    "SELECT * FROM ledger_audit",
    "SELECT * FROM export_tables()",
    # settings and roles
    "SELECT set_config('role', 'questlog_owner', false)",
    "SELECT set_config('role', 'questlog_admin', true)",
    "SELECT set_config('session_authorization', 'questlog_app', false)",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT set_config('transaction_read_only', 'off', false), (SELECT count(*) FROM users)",
    "SELECT set_config('log_statement', 'none', false)",
    # files, programs, other servers, other backends
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('postgresql.conf')",
    "SELECT pg_ls_logdir()",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_unlink(1)",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lo_get(1)",
    "SELECT dblink('x')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_create_restore_point('x')",
    "SELECT pg_stat_reset()",
    "SELECT nextval('x')",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "SELECT pg_create_physical_replication_slot('x')",
    "SELECT pg_promote()",
    "SELECT pg_log_backend_memory_contexts(1)",
    "SELECT pg_ls_tmpdir()",
    "SELECT * FROM pg_ls_waldir()",
    "SELECT pg_import_system_collations('public')",
    "SELECT lo_open(1, 131072)",
    "SELECT lowrite(0, 'x')",
    "SELECT pg_notify('a', repeat('x', 9000))",
    # what is secret
    "SELECT token_hash FROM sessions",
    "SELECT * FROM sessions",
    "SELECT sessions FROM sessions",
    "SELECT to_jsonb(s) FROM sessions AS s",
    "SELECT count(token_hash) FROM sessions",
    "SELECT 1 FROM sessions WHERE token_hash = 'x'",
    "TABLE sessions",
    "SELECT token_hash FROM calendar_feeds",
    "TABLE calendar_feeds",
    "SELECT verifier FROM oauth_states",
    "SELECT nonce FROM oauth_states",
    "SELECT state_hash FROM oauth_states",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_statistic",
    "SELECT * FROM pg_user_mapping",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SELECT query_to_xml('SELECT token_hash FROM sessions', true, true, '')",
    "SELECT query_to_xml('DELETE FROM users', true, true, '')",
    "SELECT table_to_xml('sessions', true, true, '')",
]


@pytest.fixture
def everything(database: Database, admin: User) -> Any:
    """Fails when a test has changed a row of a table that statements of the list are after, or made one."""
    database.query("SELECT 1 FROM users WHERE id = %s", admin.id)  # who is made before it is counted

    def counted() -> list[Any]:
        return database.query(
            "SELECT (SELECT count(*) FROM rate_limits) AS limits,"
            "       (SELECT count(*) FROM pg_largeobject_metadata) AS files,"
            "       (SELECT count(*) FROM pg_class WHERE relname IN ('t', 'stolen')) AS made,"
            "       (SELECT string_agg(role, '' ORDER BY id) FROM users) AS roles,"
            "       (SELECT count(*) FROM habits) AS habits"
        )

    before = counted()
    yield
    assert counted() == before


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("sql", HOSTILE)
def test_what_is_refused(sql: str, admin: User) -> None:
    if sql.strip():
        refused(admin, sql)
    else:
        ask(admin, sql).invalid("sql")


def test_a_setting_lasts_for_its_statement_only(admin: User, database: Database) -> None:
    """It can be set where its change needs no right; the connection and all that was set on it are gone then."""
    for name, value in (("statement_timeout", "0"), ("app.user_id", str(admin.id)), ("app.scope", "admin")):
        assert cell(admin, f"set_config('{name}', '{value}', false)") == value
        assert cell(admin, f"coalesce(current_setting('{name}', true), '')") != value
    assert answer(admin, "SHOW transaction_read_only")["rows"] == [{"transaction_read_only": "on"}]
    assert answer(admin, "SHOW statement_timeout")["rows"] == [{"statement_timeout": "5s"}]
    wait_for_no_console(database)


def wait_for_no_console(database: Database) -> None:
    """The server's process ends a moment after its connection is closed."""
    patience = time.monotonic() + 60
    while database.query(
        "SELECT FROM pg_stat_activity WHERE usename = 'questlog_console' AND datname = current_database()"
    ):
        assert time.monotonic() < patience, "a connection of the console stays open"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_sleep(30)",
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(30)",
        "SELECT count(*) FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b",
    ],
)
def test_a_statement_ends_after_five_seconds(sql: str, admin: User) -> None:
    assert "statement timeout" in refused(admin, sql)


def test_a_server_that_does_not_end_it_is_not_waited_for(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "CLIENT_SECONDS", 0.2)
    assert refused(admin, "SELECT pg_sleep(2)") == "The statement took too long."


def test_other_backends_tell_nothing(admin: User, user: User) -> None:
    user.get("/habits")
    found = answer(admin, "SELECT DISTINCT query FROM pg_stat_activity WHERE usename <> 'questlog_console'")
    assert {row["query"] for row in found["rows"]} <= {"<insufficient privilege>", None, ""}


def test_statistics_tell_no_secret(admin: User, database: Database) -> None:
    database.query("ANALYZE sessions")
    secret = answer(admin, "SELECT 1 FROM pg_stats WHERE tablename = 'sessions' AND attname = 'token_hash'")
    assert secret["rows"] == []


@pytest.mark.parametrize("sql", ["SHOW ALL", "SELECT name, setting FROM pg_settings"])
def test_settings_tell_no_secret(sql: str, admin: User, database: Database) -> None:
    text = json.dumps(answer(admin, sql)["rows"])
    assert [password for password in database.passwords.values() if password in text] == []
    for private in ("data_directory", "hba_file", "primary_conninfo"):
        assert private not in {row["name"] for row in json.loads(text)}


# The secrets that the database holds: of every other column of every table the console reads.
SECRETS = {
    ("sessions", "token_hash"),
    ("calendar_feeds", "token_hash"),
    ("oauth_states", "state_hash"),
    ("oauth_states", "verifier"),
    ("oauth_states", "nonce"),
    ("push_subscriptions", "endpoint"),
    ("push_subscriptions", "p256dh"),
    ("push_subscriptions", "auth"),
}


@pytest.mark.parametrize("role", ["questlog_console", "questlog_admin"])
def test_what_may_be_read_is_all_but_the_secrets(role: str, database: Database) -> None:
    columns = database.query(
        """
        SELECT c.relname, a.attname, has_column_privilege(%s, c.oid, a.attnum, 'SELECT') AS may
          FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'schema_code' -- the runner's own
        """,
        role,
    )
    assert {(one["relname"], one["attname"]) for one in columns if not one["may"]} == SECRETS


def test_no_row_is_hidden_from_it(database: Database) -> None:
    hidden = database.query(
        """
        SELECT c.relname FROM pg_class AS c
         WHERE c.relrowsecurity AND c.relnamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_policy AS p
                            WHERE p.polrelid = c.oid AND p.polcmd = 'r'
                              AND p.polroles = ARRAY['questlog_console'::regrole::oid]
                              AND pg_get_expr(p.polqual, c.oid) = 'true')
        """
    )
    assert hidden == []


def test_its_login_has_no_right_to_write_or_to_call(database: Database) -> None:
    writable = database.query(
        """
        SELECT relname FROM pg_class AS c
         WHERE relkind IN ('r', 'p', 'v') AND relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
           AND (has_table_privilege('questlog_console', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                OR has_any_column_privilege('questlog_console', c.oid, 'INSERT, UPDATE, REFERENCES'))
        """
    )
    assert writable == []
    [row] = database.query("SELECT has_language_privilege('questlog_console', 'plpgsql', 'USAGE') AS may")
    assert row["may"] is False
    with psycopg.connect(database.url("questlog_console"), autocommit=True) as connection:
        for sql in ("DO $$ BEGIN NULL; END $$", "SET ROLE questlog_admin", "CREATE FUNCTION f() RETURNS int RETURN 1"):
            with pytest.raises(psycopg.Error):
                connection.execute(sql.encode())


# What is shown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("true", True),
        ("false", False),
        ("9223372036854775807", 9223372036854775807),
        ("1.5::float8", 1.5),
        ("'NaN'::float8", "NaN"),
        ("'-Infinity'::float8", "-Infinity"),
        ("1.10::numeric", 1.1),
        ("sum(1)", 1),
        ("1e30::numeric", 1e30),
        ("0.1234567890123456789::numeric", "0.1234567890123456789"),
        ("'NaN'::numeric", "NaN"),
        ("('1' || repeat('0', 400))::numeric", "1" + "0" * 400),
        ("'{\"a\": [1, null]}'::jsonb", {"a": [1, None]}),
        ("'1e400'::json", "1e400"),
        ("(repeat('[', 900) || repeat(']', 900))::jsonb", "[" * 900 + "]" * 900),
        ("ARRAY[1, NULL, 3]", [1, None, 3]),
        ("ARRAY['a,b', '\"']", ["a,b", '"']),
        ("ARRAY[true]", [True]),
        ("'{}'::text[]", []),
        ("ARRAY[date '2031-05-09']", "{2031-05-09}"),
        ("timestamptz '2031-05-09 08:00Z'", "2031-05-09 08:00:00+00"),
        ("timestamptz 'infinity'", "infinity"),
        ("date '2031-05-09'", "2031-05-09"),
        ("interval '1 day 2 hours'", "1 day 02:00:00"),
        ("'\\x00ff'::bytea", "\\x00ff"),
        ("int4range(1, 5)", "[1,5)"),
        ("ROW(1, 'x')", "(1,x)"),
        ("NULL", None),
        ("''", ""),
        ("'鶴'", "鶴"),
        ("pg_sleep(0)", ""),
    ],
)
def test_what_json_cannot_hold_is_the_databases_text(expression: str, shown: Any, admin: User) -> None:
    found = cell(admin, expression)
    assert (found, type(found)) == (shown, type(shown))


def test_equal_names_become_distinct(admin: User) -> None:
    found = answer(admin, "SELECT 1 AS id, 2 AS id, 3 AS id_2, 4 AS id, 5, 6")
    assert found["columns"] == ["id", "id_3", "id_2", "id_4", "?column?", "?column?_2"]
    assert found["rows"] == [{"id": 1, "id_3": 2, "id_2": 3, "id_4": 4, "?column?": 5, "?column?_2": 6}]
    assert answer(admin, "SELECT 1 AS id, 2 AS id")["columns"] == ["id", "id_2"]


@pytest.mark.parametrize(("rows", "count", "truncated"), [(1_000, 1_000, False), (1_001, 1_000, True)])
def test_at_most_a_thousand_rows(rows: int, count: int, truncated: bool, admin: User) -> None:
    found = answer(admin, f"SELECT n FROM generate_series(1, {rows}) AS n ORDER BY n DESC")
    assert (found["count"], found["truncated"]) == (count, truncated)
    assert found["rows"][0] == {"n": rows}


@pytest.mark.parametrize(("length", "truncated"), [(10_000, False), (10_001, True), (50_000_000, True)])
def test_at_most_ten_thousand_characters_a_cell(length: int, truncated: bool, admin: User) -> None:
    found = answer(admin, f"SELECT repeat('é', {length}) AS it, 1 AS other")
    assert found["rows"] == [{"it": "é" * 10_000, "other": 1}]
    assert found["truncated"] is truncated


def test_a_document_that_is_cut_is_text(admin: User) -> None:
    found = answer(admin, "SELECT to_jsonb(repeat('x', 20000)) AS it, array_fill(1, ARRAY[9000]) AS list")
    assert found["rows"] == [{"it": '"' + "x" * 9_999, "list": ("[" + "1," * 5_000)[:10_000]}]
    assert found["truncated"] is True


@pytest.mark.parametrize("letter", ["x", '"', "\\", "\x01"])
def test_at_most_four_mib(letter: str, admin: User) -> None:
    """Also of characters that JSON escapes: what the gateway takes is not passed."""
    asked = ask(admin, f"SELECT repeat(chr({ord(letter)}), 10000) AS it FROM generate_series(1, 1000)")
    found = asked.json
    assert found["truncated"] is True
    assert 50 < found["count"] < 1_000
    assert len(asked.content) <= 4 * 1024 * 1024 + 1_000


# What is kept of it ---------------------------------------------------------------------------------------------------


def noted(database: Database, admin: User) -> list[tuple[str, str]]:
    rows = database.query(
        "SELECT status, details ->> 'sql' AS sql FROM audit_log WHERE user_id = %s AND event_type = 'db_query'"
        " ORDER BY created_at, id",
        admin.id,
    )
    return [(row["status"], row["sql"]) for row in rows]


def test_it_is_audited_without_its_literals(admin: User, database: Database) -> None:
    answer(admin, "SELECT 1 FROM users WHERE email = 'who@example.org' LIMIT 5 -- a note")
    ask(admin, "SELECT nothing")
    ask(admin, "DELETE FROM users WHERE email = $$a@b.c$$")
    ask(admin, "SELECT " + "a, " * 500)
    assert noted(database, admin) == [
        ("success", "SELECT ? FROM users WHERE email = ? LIMIT ?  "),
        ("success", "SELECT nothing"),
        ("denied", "DELETE FROM users WHERE email = ?"),
        ("success", ("SELECT " + "a, " * 500)[:1_000]),
    ]


def test_an_answer_is_not_kept(admin: User) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, second = (ask(admin, "SELECT gen_random_uuid() AS it", headers=headers) for _ in range(2))
    assert first.json["rows"] != second.json["rows"]
    assert "idempotent-replay" not in second.headers
    assert ask(admin, "SELECT 2", headers=headers).status == 200


def test_the_input(admin: User, moderator: User) -> None:
    admin.post("/admin/db/query", {}).invalid("sql")
    ask(admin, "SELECT 1 " + " " * 20_000 + "+ 1").invalid("sql")
    assert ask(admin, "SELECT 1 " + " " * 19_980 + "+ 1").status == 200
    ask(moderator, "SELECT 1").refused(403, "forbidden")


def test_a_database_that_is_away(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_DATABASE_URL", "postgresql://127.0.0.1:1/x")
    ask(admin, "SELECT 1").refused(503, "unavailable")


# The text of statements -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("SELECT 'a''b'", "SELECT ?"),
        ("SELECT E'a\\'b', x", "SELECT ?, x"),
        ("SELECT E'a'\n'\\'', 'b', x", "SELECT ?, ?, x"),
        ("SELECT $t$ $$ 'x' $t$, y", "SELECT ?, y"),
        ("SELECT 1.5e10, .5, 0xFF, a1, b$2", "SELECT ?, ?, ?, a1, b$2"),
        ('SELECT "name", "a@b.c"', 'SELECT "name", ?'),
        ("SELECT 'open", "SELECT ?"),
        ("SELECT $$open", "SELECT ?"),
        ("SELECT 1 -- 'a", "SELECT ?  "),
        ("SELECT /* 'a' /* 'b' */ 'c' */ 2", "SELECT   ?"),
        ("SELECT /* open 'a'", "SELECT  "),
        ("SELECT U&'d!0061t' UESCAPE '!'", "SELECT U&? UESCAPE ?"),
        ("SELECT date'2031-05-09'", "SELECT date?"),
        ("SELECT x'1F', $1", "SELECT x?, $?"),
    ],
)
def test_literals_are_left_out(sql: str, kept: str) -> None:
    assert without_literals(sql) == kept


@given(st.text(alphabet="aE'\"$\\-/* \n;1(", max_size=40))
def test_any_text_is_read(sql: str) -> None:
    assert first_word(sql) == first_word(sql).upper()
    assert not without_comments(sql).endswith(";")
    assert len(without_literals(sql)) <= len(sql) + 1


@given(st.lists(st.sampled_from(["id", "id_2", "id_3", "a"]), max_size=8))
def test_names_are_distinct(names: list[str]) -> None:
    distinct = distinct_names(names)
    assert len(set(distinct)) == len(distinct) == len(names)
    assert [name for place, name in enumerate(names) if name not in names[:place]] == [
        distinct[place] for place, name in enumerate(names) if name not in names[:place]
    ]
