"""The content that all users share, and that administrators add to: a test of theirs must leave it as it was."""

from tests.support.database import Database

# What refers to another one comes before it.
_TABLES = ("universal_quests", "skill_definitions")


def remove_additions(database: Database) -> None:
    """Remove what is not built in: the next test, of whatever group, expects what there is from the start."""
    for table in _TABLES:
        database.query(f"DELETE FROM {table} WHERE NOT is_built_in")
