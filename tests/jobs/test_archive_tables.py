"""What an export holds is found in the catalogue: a table added later is exported, or is on the list of what is not."""

import pytest

from functions.jobs.archive.tables import OBJECT_KEYS, TYPES, Table, tables
from tests.conftest import Database

# Left out on purpose, and by whom each is missed: nobody. The two of exports and imports may come later than this test.
LEFT_OUT = {
    *("accounts", "audit_log", "calendar_feeds", "idempotency_keys", "jobs", "oauth_states", "rate_limits"),
    *("search_documents", "search_words", "sessions", "user_directory", "user_exports", "user_imports"),
    # What polls compare.
    "user_revisions",
    # Made of the rows by an import: of the ledger's, of what may be reminded of, and of the lists that have totals.
    *("leaderboard_scores", "ledger_blocks", "ledger_days", "ledger_marks", "reminders", "user_runs", "user_totals"),
    # What lets somebody send to a browser, and what was sent.
    *("push_subscriptions", "notification_outbox", "notification_deliveries"),
}

OWNED = """
    SELECT DISTINCT c.relname::text AS name
      FROM pg_class AS c
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
       AND (EXISTS (SELECT FROM pg_attribute AS a
                     WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'owner_id', 'owner_key')
                       AND NOT a.attisdropped)
            OR EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.confrelid = 'users'::regclass))
"""


def exported(database: Database) -> dict[str, Table]:
    with database.admin() as connection:
        found = tables(connection)
    assert len({table.name for table in found}) == len(found), "a table is exported twice"
    return {table.name: table for table in found}


def test_every_table_of_a_user_is_exported_or_on_the_list(database: Database) -> None:
    owned = {row["name"] for row in database.query(OWNED)}
    names = set(exported(database))
    assert len(names) > 70
    assert owned - names <= LEFT_OUT, "a table of users is neither exported nor on the list"
    assert names & LEFT_OUT == set()
    [row] = database.query("SELECT left_out_of_exports() AS names")
    assert set(row["names"]) == LEFT_OUT


def test_a_new_table_is_exported_from_then_on(untouched: Database) -> None:
    untouched.query(
        """
        CREATE TABLE public.new_things (user_id uuid, id uuid, b text, a numeric(5,2),
                                        c int GENERATED ALWAYS AS (1) STORED, PRIMARY KEY (user_id, id));
        """
    )
    table = exported(untouched)["new_things"]
    assert (table.owner, table.columns, table.types) == ("user_id", ["id", "b", "a"], ["uuid", "text", "numeric"])
    assert table.ordering == ["id"]
    untouched.close()


def test_every_column_is_of_a_type_that_can_be_read_back(database: Database) -> None:
    """Of a type that the export does not know, somebody has to say how it is written."""
    for table in exported(database).values():
        for column, kind in zip(table.columns, table.types, strict=True):
            assert kind in TYPES, f"{table.name}.{column} is of type {kind}"


def test_every_key_of_an_object_loses_its_prefix(database: Database) -> None:
    for table in exported(database).values():
        for column in table.columns:
            if "r2" in column or "object" in column:
                assert column in OBJECT_KEYS, f"{table.name}.{column}"


@pytest.mark.parametrize(
    ("name", "owner", "ordering"),
    [
        ("habits", "user_id", ["id"]),
        ("exercises", "owner_id", ["id"]),
        ("points_ledger", "user_id", ["seq"]),
        ("user_wallet", "user_id", []),
        ("infobase_versions", "user_id", ["entry_id", "version"]),
    ],
)
def test_rows_are_ordered_by_the_primary_key(database: Database, name: str, owner: str, ordering: list[str]) -> None:
    table = exported(database)[name]
    assert (table.owner, table.ordering) == (owner, ordering)
    assert {owner, "user_id", "owner_key"} & set(table.columns) == set()
