"""What every table must have, read from the catalogue: a table added later is held to it without being named."""

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.conftest import Database

# Tables that hold no user's rows, and why that is right.
SHARED = {
    "schema_migrations": "the migration runner's",
    "rate_limits": "counts per source address or user, nothing anyone wrote",
    "audit_log": "survives its user, with the user set null",
}

# Keys and indexes of user tables that do not begin with the user: what is looked up before it is known who asks, or by
# the clean-up, which works through all users in order of age.
NOT_BY_USER = {
    "accounts_subject",
    "idempotency_keys_age",
    "sessions_expiry",
    "sessions_token_hash_key",
    "calendar_feeds_token_hash_key",
    "feedback_admin",
}

USER_TABLES = """
    SELECT c.oid::regclass::text AS name, c.relrowsecurity, c.relforcerowsecurity,
           pg_get_userbyid(c.relowner) AS owner
      FROM pg_class AS c
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
       AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'user_id' AND NOT attisdropped)
"""


@pytest.fixture
def tables(database: Database) -> list[DictRow]:
    found = [row for row in database.query(USER_TABLES) if row["name"] not in SHARED]
    assert len(found) > 10
    return found


def test_every_table_is_a_users_or_known_to_be_shared(database: Database, tables: list[DictRow]) -> None:
    names = {row["name"] for row in tables}
    others = database.query(
        """
        SELECT c.oid::regclass::text AS name,
               has_table_privilege('questlog_app', c.oid, 'INSERT, UPDATE, DELETE') AS writable
          FROM pg_class AS c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
        """
    )
    writable = {row["name"] for row in others if row["writable"]} - names - set(SHARED) - {"users"}
    assert writable == set(), "requests may write to tables that belong to no user"


def test_rows_are_isolated_by_the_database(database: Database, tables: list[DictRow]) -> None:
    for table in tables:
        assert table["relrowsecurity"], table
        assert table["relforcerowsecurity"], table
        assert table["owner"] == "questlog_owner", table
        policies = database.query(
            "SELECT policyname, roles::text[], qual, with_check FROM pg_policies WHERE tablename = %s", table["name"]
        )
        everyone = [policy for policy in policies if policy["roles"] == ["public"]]
        assert [policy["policyname"] for policy in everyone] == ["own"], table
        assert (
            everyone[0]["qual"]
            == everyone[0]["with_check"]
            == "(user_id = ( SELECT current_user_id() AS current_user_id))"
        ), table
        for policy in policies:
            assert not {"questlog_app", "questlog_console", "questlog_owner"} & set(policy["roles"]), policy


def test_rows_belong_to_a_user_and_go_with_them(database: Database, tables: list[DictRow]) -> None:
    for table in tables:
        keys = database.query(
            """
            SELECT confdeltype FROM pg_constraint AS k
             WHERE conrelid = %s::regclass AND contype = 'f' AND confrelid = 'users'::regclass
               AND conkey = ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'user_id')
            """,
            table["name"],
        )
        assert [key["confdeltype"] for key in keys] == ["c"], table
        columns = database.query(
            """
            SELECT attnotnull, pg_get_expr(adbin, adrelid) AS standard
              FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
             WHERE attrelid = %s::regclass AND attname = 'user_id'
            """,
            table["name"],
        )
        assert columns == [{"attnotnull": True, "standard": "current_user_id()"}], table


def test_keys_and_indexes_begin_with_the_user(database: Database, tables: list[DictRow]) -> None:
    for table in tables:
        indexes = database.query(
            """
            SELECT i.indexrelid::regclass::text AS name, i.indisprimary,
                   (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0]) AS leads,
                   a.amname
              FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
             WHERE i.indrelid = %s::regclass
            """,
            table["name"],
        )
        assert any(index["indisprimary"] for index in indexes), table
        for index in indexes:
            if index["name"] not in NOT_BY_USER and index["amname"] == "btree":
                assert index["leads"] == "user_id", (table["name"], index)


def test_a_row_cannot_point_into_another_account(database: Database, tables: list[DictRow]) -> None:
    names = [table["name"] for table in tables]
    keys = database.query(
        """
        SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent,
               ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns
          FROM pg_constraint
         WHERE contype = 'f' AND conrelid::regclass::text = ANY (%s) AND confrelid::regclass::text = ANY (%s)
        """,
        names,
        names,
    )
    assert keys
    for key in keys:
        assert "user_id" in key["columns"], key


def test_every_reference_can_be_followed_back(database: Database, tables: list[DictRow]) -> None:
    """A foreign key without an index on its own side makes each delete of a parent read the whole child table."""
    missing = database.query(
        """
        SELECT conrelid::regclass::text AS child, conname
          FROM pg_constraint AS k
         WHERE contype = 'f' AND conrelid::regclass::text = ANY (%s) AND array_length(conkey, 1) > 1
           AND NOT EXISTS (
               SELECT FROM pg_index AS i
                WHERE i.indrelid = k.conrelid
                  AND (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] @> k.conkey)
        """,
        [table["name"] for table in tables],
    )
    # focus_pause_state has one row a user, found by its primary key.
    assert [key for key in missing if key["child"] != "focus_pause_state"] == []


def test_no_login_can_step_around_the_policies(database: Database) -> None:
    roles = database.query(
        """
        SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb
          FROM pg_roles WHERE rolname LIKE 'questlog\\_%%'
        """
    )
    logins = {role["rolname"] for role in roles if role["rolcanlogin"]}
    assert logins == {"questlog_app", "questlog_jobs", "questlog_console"}
    for role in roles:
        assert not [power for power in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb") if role[power]], (
            role
        )
        owned = database.query("SELECT relname FROM pg_class WHERE relowner = %s::regrole", role["rolname"])
        assert owned == [] or not role["rolcanlogin"], role
    inherited = database.query(
        """
        SELECT m.roleid::regrole::text, m.member::regrole::text FROM pg_auth_members AS m
         WHERE m.inherit_option AND m.roleid::regrole::text LIKE 'questlog\\_%%'
           AND m.member::regrole::text LIKE 'questlog\\_%%'
        """
    )
    assert inherited == [], "an inherited membership brings the inner role's policies with it"


def test_functions_with_their_owners_rights_are_closed(database: Database) -> None:
    """Nobody else may call them, and a caller's own objects never stand in for what they name: pg_temp comes last."""
    functions = database.query(
        """
        SELECT p.oid::regprocedure::text AS name, p.proconfig, pg_get_userbyid(p.proowner) AS owner,
               EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
                   AS open
          FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
        """
    )
    assert functions
    assert [function["name"] for function in functions if function["open"]] == []
    for function in functions:
        assert "search_path=pg_catalog, public, pg_temp" in (function["proconfig"] or []), function
        assert function["owner"] in {"questlog_owner", "questlog_identity", "questlog_board"}, function


def test_views_ask_as_the_reader(database: Database) -> None:
    views = database.query(
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
    )
    for view in views:
        assert "security_invoker=true" in (view["reloptions"] or []), view


def test_without_a_user_nothing_is_seen(database: Database, tables: list[DictRow], user: object) -> None:
    with psycopg.connect(database.app_url) as connection:
        for table in tables:
            columns = connection.execute(
                "SELECT has_any_column_privilege('questlog_app', %s, 'SELECT') AS may", [table["name"]]
            ).fetchone()
            if columns and columns[0]:
                count = connection.execute(f"SELECT count(user_id) FROM {table['name']}".encode()).fetchone()
                assert count == (0,), table
