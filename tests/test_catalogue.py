"""What every table must have, read from the catalogue: a table added later is held to it without being named."""

import psycopg
import pytest
from psycopg.rows import DictRow

from tests.conftest import Database
from tests.support.sql import bare, call_names, table_names

# Tables that name users and are none of theirs, and why that is right.
SHARED = {
    "audit_log": "the operators': a row survives its user",
    "user_directory": "finds the user of an e-mail address, of an account at a provider or of a browser's endpoint",
}

# Tables of shared and own rows, whose keys begin with the owner: rows that belong to nobody are everyone's to read.
SHARED_AND_OWN = {"exercises", "market_items"}

# A table of users' rows and of rows that are nobody's, which no user sees: its key begins with the owner too.
USERS_AND_NOBODYS = {"jobs"}

# Indexes of user tables that do not begin with the user: those of the clean-up, which works through all users in order
# of age, and of the moderators, who see what all of them report. None of them is unique.
NOT_BY_USER = {
    "idempotency_keys_age",
    "sessions_expiry",
    # Administrators see the sessions and reports of all users, and know one by its id; and whether anyone does a quest.
    "sessions_activity",
    "sessions_by_id",
    "feedback_admin",
    "feedback_admin_type",
    "feedback_queue",
    "feedback_queue_type",
    "feedback_age",
    "feedback_by_id",
    "feedback_resolved_by",
    "user_quest_progress_universal",
    # A board is about all who are on it.
    "leaderboard_scores_order",
    "habit_pauses_of_everything",
    # Workers and the clean-up take what is due, whose ever it is.
    "jobs_due",
    "jobs_ended",
    "upload_intents_open",
    "user_imports_age",
    "user_exports_expiry",
    "user_exports_age",
    # The sender of notifications takes what is due, whose ever it is.
    "reminders_due",
    "notification_deliveries_due",
    "notification_outbox_age",
    # A template that is deleted is taken out of everyone's sessions.
    "listening_sessions_template",
    # Another user's shared track is known by its id alone.
    "reference_tracks_shared",
    # Keys that point at a table of shared and own rows begin with the row's owner, who is the user or nobody.
    "user_purchases_of_item",
    "user_saving_goal_item",
    "personal_records_exercise",
    "session_exercises_exercise",
    "workout_exercises_exercise",
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
    writable = {row["name"] for row in others if row["writable"]} - names - set(SHARED) - SHARED_AND_OWN - {"users"}
    assert writable == set(), "requests may write to tables that belong to no user"


def test_rows_are_isolated_by_the_database(database: Database, tables: list[DictRow]) -> None:
    for table in tables:
        assert table["relrowsecurity"], table
        assert table["relforcerowsecurity"], table
        assert table["owner"] == "questlog_owner", table
        policies = database.query(
            "SELECT policyname, cmd, roles::text[], qual, with_check FROM pg_policies WHERE tablename = %s",
            table["name"],
        )
        everyone = [policy for policy in policies if policy["roles"] == ["public"]]
        assert [policy["policyname"] for policy in everyone] == ["own"], table
        assert everyone[0]["qual"] == everyone[0]["with_check"] == "(user_id = current_user_id())", table
        for policy in policies:
            assert not {"questlog_app", "questlog_owner"} & set(policy["roles"]), policy
            # The administrators' SQL sees all rows, and its login may write none.
            reads = (policy["cmd"], policy["roles"]) == ("SELECT", ["questlog_console"])
            assert reads or "questlog_console" not in policy["roles"], policy


def test_shared_rows_are_read_by_all_and_own_rows_by_their_owner(database: Database) -> None:
    tables = database.query(
        """
        SELECT c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS secured,
               (SELECT a.attname
                  FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                 WHERE i.indrelid = c.oid AND i.indisprimary) AS leads
          FROM pg_class AS c
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
           AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'owner_key' AND NOT attisdropped)
        """
    )
    assert {table["name"] for table in tables} == SHARED_AND_OWN | USERS_AND_NOBODYS
    for table in tables:
        if table["name"] in USERS_AND_NOBODYS:
            continue
        assert (table["secured"], table["leads"]) == (True, "owner_key"), table
        policies = {
            policy["policyname"]: (policy["cmd"], policy["qual"], policy["with_check"])
            for policy in database.query("SELECT * FROM pg_policies WHERE tablename = %s", table["name"])
            if policy["roles"] == "{public}" or policy["roles"] == ["public"]
        }
        own = "(owner_key = current_user_id())"
        nobody = "(owner_key = '00000000-0000-0000-0000-000000000000'::uuid)"
        assert policies == {"own": ("ALL", own, own), "shared": ("SELECT", nobody, None)}, table


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
        always = table["name"] not in USERS_AND_NOBODYS
        assert columns == [{"attnotnull": always, "standard": "current_user_id()"}], table


def test_keys_and_indexes_begin_with_the_user(database: Database, tables: list[DictRow]) -> None:
    for table in tables:
        owner = "owner_key" if table["name"] in USERS_AND_NOBODYS else "user_id"
        indexes = database.query(
            """
            SELECT i.indexrelid::regclass::text AS name, i.indisprimary, i.indisunique OR i.indisexclusion AS decides,
                   (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0]) AS leads,
                   a.amname
              FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
             WHERE i.indrelid = %s::regclass
            """,
            table["name"],
        )
        assert any(index["indisprimary"] for index in indexes), table
        for index in indexes:
            # A unique key without the user would have to be looked for on every server that users are spread over.
            if index["decides"]:
                assert index["leads"] == owner, (table["name"], index)
            elif index["name"] not in NOT_BY_USER and index["amname"] == "btree":
                assert index["leads"] == "user_id", (table["name"], index)


def test_a_row_points_at_its_own_user_and_at_shared_definitions_only(database: Database, tables: list[DictRow]) -> None:
    """A key into a user's table carries the user: it can neither lead into another account nor to another server."""
    users = {"users": "id"} | {table["name"]: "user_id" for table in tables}
    keys = database.query(
        """
        SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent, conname,
               ARRAY(SELECT (SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = k.child)
                            || '=' ||
                            (SELECT attname::text FROM pg_attribute WHERE attrelid = confrelid AND attnum = k.parent)
                       FROM unnest(conkey, confkey) AS k (child, parent)) AS columns
          FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        """
    )
    assert keys
    for key in keys:
        if key["child"] in SHARED_AND_OWN and key["parent"] == "users":
            assert key["columns"] == ["owner_id=id"], key
        elif key["child"] not in users:
            assert key["parent"] not in users, f"what is shared points at a user: {key}"
        elif key["parent"] in users:
            assert f"user_id={users[key['parent']]}" in key["columns"], key
        else:
            assert key["parent"] not in SHARED, key


def test_a_deleted_parent_leaves_no_key_half_empty(database: Database) -> None:
    """ON DELETE SET NULL would take the user out of a composite key, and no distributed table takes it."""
    keys = database.query(
        "SELECT conrelid::regclass::text AS child, conname FROM pg_constraint"
        " WHERE contype = 'f' AND (confdeltype IN ('n', 'd') OR confupdtype IN ('n', 'd'))"
    )
    assert keys == []


def test_nothing_is_counted_for_all_users_together(database: Database) -> None:
    """A sequence counts on one server: what is numbered is numbered per user, under the user's lock."""
    sequences = database.query(
        "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
    )
    assert sequences == []


def test_no_policy_looks_anything_up(database: Database) -> None:
    policies = database.query(
        """
        SELECT polrelid::regclass::text AS name, polname FROM pg_policy
         WHERE concat(polqual::text, polwithcheck::text) LIKE '%%SUBLINK%%'
        """
    )
    assert policies == []


# What makes a table: its defaults and generated columns, constraints, policies, triggers and indexes.
PARTS = """
    SELECT DISTINCT d.refobjid::regprocedure::text AS name, d.refobjid AS oid, n.nspname AS schema,
           pg_describe_object(d.classid, d.objid, d.objsubid) AS part
      FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.refobjid JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE d.refclassid = 'pg_proc'::regclass
       AND (d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass,
                          'pg_trigger'::regclass)
            OR d.classid = 'pg_class'::regclass
               AND d.objid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'i')))
"""


OURS = "SELECT oid, proname AS name, prosrc AS body FROM pg_proc WHERE pronamespace = 'public'::regnamespace"

# The functions beside the tables that no table needs, and why they are there.
NOT_IN_TABLES = {
    "enable_row_security": "makes a table a user's",
    "make_append_only": "closes a table to changes",
    "current_session_id": "the other half of current_user_id()",
    "enable_shared_row_security": "makes a table one of shared and own rows",
    "bundled_exercises": "the list that the built-in exercises come from",
    "is_question": "is_quiz() asks it of each question",
    "level_cost": "the two lists of levels are computed from it, once, by the migration that creates them",
    "first_levels": "such a list",
    "every_500th_level": "such a list",
}


def test_tables_need_nothing_that_is_code(database: Database) -> None:
    """Functions of `app` and `internal` are replaced and dropped by each release; what tables need is a migration's."""
    parts = database.query(PARTS)
    assert {part["schema"] for part in parts} == {"public"}, parts
    columns = database.query(
        """
        SELECT attrelid::regclass::text AS name, attname FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
         WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
           AND typnamespace IN ('app'::regnamespace, 'internal'::regnamespace)
        """
    )
    assert columns == []


def test_what_tables_need_reads_no_table(database: Database) -> None:
    """So tables can be created, restored and spread over servers in any order."""
    needed = {part["oid"] for part in database.query(PARTS)}
    ours = {row["name"]: row for row in database.query(OURS)}
    tables = {row["relname"] for row in database.query("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v')")}
    waiting = {name for name, row in ours.items() if row["oid"] in needed}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        body = bare(ours[name]["body"])
        assert not table_names(body) & tables, name
        waiting |= call_names(body) & set(ours) - seen
    read = database.query(
        """
        SELECT objid::regprocedure::text AS name, refobjid::regclass::text AS read FROM pg_depend
         WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_class'::regclass
           AND objid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
        """
    )
    assert read == []


def test_functions_beside_the_tables_are_those_that_tables_need(database: Database) -> None:
    """All others are code: here one could not be replaced without a migration."""
    needed = {part["oid"] for part in database.query(PARTS)}
    others = {row["name"] for row in database.query(OURS) if row["oid"] not in needed}
    assert others == set(NOT_IN_TABLES)


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
    # Found by their primary keys: focus_pause_state has one row a user, session_exercises a few for a session.
    found_by_key = {"focus_pause_state", "session_exercises"}
    assert [key for key in missing if key["child"] not in found_by_key] == []


def test_a_deleted_user_takes_every_row_along(database: Database) -> None:
    """By cascade, and by an index: an account of a million rows goes while a request waits."""
    left = database.query(
        """
        SELECT c.conrelid::regclass::text AS child, c.confdeltype
          FROM pg_constraint AS c
         WHERE c.contype = 'f' AND c.confrelid = 'users'::regclass
           AND (c.confdeltype <> 'c'
                OR NOT EXISTS (
                    SELECT FROM pg_index AS i
                      JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = c.conkey[1]
                     WHERE i.indrelid = c.conrelid AND i.indkey[0] = a.attnum
                       AND coalesce(pg_get_expr(i.indpred, i.indrelid), '')
                           IN ('', format('(%%I IS NOT NULL)', a.attname))))
        """
    )
    assert left == []


def test_no_login_can_step_around_the_policies(database: Database) -> None:
    roles = database.query(
        """
        SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb
          FROM pg_roles WHERE rolname LIKE 'questlog\\_%%'
        """
    )
    logins = {role["rolname"] for role in roles if role["rolcanlogin"]}
    assert logins == {"questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs", "questlog_console"}
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


def test_without_a_user_nothing_is_seen(database: Database, tables: list[DictRow], user: object) -> None:
    with psycopg.connect(database.app_url) as connection:
        for table in tables:
            columns = connection.execute(
                "SELECT has_any_column_privilege('questlog_app', %s, 'SELECT') AS may", [table["name"]]
            ).fetchone()
            if columns and columns[0]:
                count = connection.execute(f"SELECT count(user_id) FROM {table['name']}".encode()).fetchone()
                assert count == (0,), table


@pytest.mark.parametrize("role", ["questlog_app", "questlog_auth", "questlog_operator"])
def test_requests_have_limits(database: Database, role: str) -> None:
    """They are the role's own, whatever a database of the tests grants it."""
    rows = database.query("SELECT unnest(rolconfig) AS setting FROM pg_roles WHERE rolname = %s", role)
    assert {
        "statement_timeout=5s",
        "lock_timeout=4s",
        "idle_in_transaction_session_timeout=10s",
        "plan_cache_mode=force_generic_plan",
        "TimeZone=UTC",
    } <= {row["setting"] for row in rows}


def test_a_key_that_points_at_the_user_is_known_by_its_name(database: Database) -> None:
    """Where it is violated the user has just been deleted, and the request is answered with 401 (questlog/db.py)."""
    keys = database.query(
        "SELECT conname, confrelid = 'users'::regclass AS points_at_user FROM pg_constraint WHERE contype = 'f'"
    )
    for key in keys:
        assert key["conname"].endswith(("_user_id_fkey", "_owner_id_fkey")) == key["points_at_user"], key
