"""Which rows an import brings: those of older releases too, and all but those that point at what is not here."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from questlog.release import SCHEMA_VERSION

from functions.jobs.archive import upgrades
from functions.jobs.archive.upgrades import Upgrade
from tests.conftest import Database, NewUser, User
from tests.jobs.accounts import Exported, bring, export_of
from tests.onboarding.inhabit import inhabit
from tests.support.ledger import award, counter, wallet

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def source(new_user: NewUser) -> User:
    return new_user()


def brought(user: User, export: Exported) -> dict[str, Any]:
    """Import an export. Returns how many rows were left out, by table."""
    ended = bring(user, export.zipped())
    assert ended["status"] == "done", ended
    rows = {table: len(rows) for table, rows in export.data().items()}
    skipped: dict[str, Any] = ended["skipped"]
    for table, count in ended["counts"].items():
        assert count + skipped.get(table, 0) == rows.get(table, 0), table
    return skipped


# What points elsewhere --------------------------------------------------------------------------------------------


def test_rows_that_point_at_shared_content_that_is_not_here(user: User, source: User, database: Database) -> None:
    """They are left out, and with them those that point at them; the others come."""
    habits = [source.post("/habits", {"name": name}).data["id"] for name in ("Read", "Bells")]
    for habit in habits:
        source.post(f"/habits/{habit}/complete")
    source.post("/learn/lessons/plan_the_day/start")
    export = export_of(database, source)

    def elsewhere(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "skill_key": "bell_ringing"} if row["name"] == "Bells" else row for row in rows]

    lesson = export.rows("user_lesson_progress")[0]
    reviewed = {"item_id": str(uuid4()), "item_type": "lesson", "stability": 1, "difficulty": 5, "reps": 1}
    times = dict.fromkeys(("due", "last_review"), "2031-05-09T08:00:00Z")
    changed = (
        export.having("habits", elsewhere)
        .having("user_lesson_progress", lambda rows: [*rows, {**lesson, "lesson_id": str(uuid4())}])
        .having("learn_review_items", lambda rows: [*rows, {**reviewed, **times}])
    )
    assert brought(user, changed) == {
        "habits": 1,
        "habit_completions": 1,
        "user_lesson_progress": 1,
        "learn_review_items": 1,
    }
    assert [habit["name"] for habit in user.get("/habits").data["habits"]] == ["Read"]
    assert wallet(database, user) == wallet(database, source), "what was paid stays paid"


def test_a_skill_and_an_achievement_that_are_not_here(user: User, source: User, database: Database) -> None:
    """The balances of the ledger follow each other, so its rows stay, without the skill."""
    award(database, source, "focus_complete", xp=60, coins=12)
    award(database, source, xp=40, skill="focus")
    export = export_of(database, source)
    skilled = sum(row["skill_key"] == "focus" for row in export.rows("points_ledger"))
    assert skilled

    def renamed(old: str, new: str) -> Any:
        return lambda rows: [
            {key: value.replace(old, new) if isinstance(value, str) else value for key, value in row.items()}
            for row in rows
        ]

    changed = export
    for table in ("points_ledger", "user_skills"):
        changed = changed.having(
            table,
            lambda rows: [{**row, "skill_key": "bells"} if row["skill_key"] == "focus" else row for row in rows],
        )
    for table in ("points_ledger", "user_achievements"):
        changed = changed.having(table, renamed("first_focus", "first_bell"))
    skipped = brought(user, changed)
    assert skipped == {"user_skills": 1, "user_achievements": 1}
    assert wallet(database, user) == wallet(database, source)
    assert database.audit(user.id) == []
    assert database.query("SELECT FROM user_skills WHERE user_id = %s AND skill_key = 'bells'", user.id) == []


@pytest.mark.parametrize("is_there", [True, False])
def test_a_chain_of_merged_exercises(user: User, source: User, database: Database, is_there: bool) -> None:
    """An own one was merged into another, and that into a third one: an own one, or a built-in one of elsewhere."""
    names = ("Wall sit", "Wall squat", "Wall stand")
    one, two, three = (source.post("/exercise", {"name": name, "category": "strength"}).data["id"] for name in names)
    merged = {one: ("me", two), two: ("me", three) if is_there else (NOBODY, str(uuid4()))}

    def merge(row: dict[str, Any]) -> dict[str, Any]:
        if row["id"] not in merged:
            return row
        owner, into = merged[row["id"]]
        return {**row, "merged_into_owner": owner, "merged_into": into, "deleted_at": row["created_at"]}

    changed = export_of(database, source).having("exercises", lambda rows: [merge(row) for row in rows])
    assert brought(user, changed) == ({} if is_there else {"exercises": 2})
    ids = {str(row["id"]) for row in database.query("SELECT id FROM exercises WHERE owner_id = %s", user.id)}
    assert ids == ({one, two, three} if is_there else {three})


@pytest.mark.parametrize("series_first", [True, False])
def test_an_override_may_come_before_its_series(
    user: User, source: User, database: Database, series_first: bool
) -> None:
    """Rows come in the order of their keys, which are random."""
    series = {"title": "Stand-up", "start_time": "2031-05-05T09:00:00Z", "recurrence_rule": "FREQ=DAILY;COUNT=9"}
    event = source.post("/calendar", series).data["id"]
    for day in ("06", "07", "08"):
        source.put(f"/calendar/{event}_203105{day}T090000Z", {"title": f"Day {day}"})

    def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(rows, key=lambda row: (row["parent_event_id"] is None) != series_first)

    export = export_of(database, source)
    assert brought(user, export.having("calendar_events", ordered)) == {}
    assert export_of(database, user).data() == export.data()


# Values ----------------------------------------------------------------------------------------------------------


def test_values_that_could_be_taken_for_others(user: User, source: User, database: Database) -> None:
    source.post("/settings", {"key": "app.nothing", "value": None})
    source.post("/settings", {"key": "app.deep", "value": {"me": "me", "n": 12345678901234567890.5, "null": None}})
    source.post("/ideas", {"title": "me", "content": "\"'\\\\ \\u0000 [\n]\n,\u2028 \U0001f514"})
    export = export_of(database, source)
    assert brought(user, export) == {}
    assert export_of(database, user).data() == export.data()
    assert user.get("/settings").json["data"]["app.nothing"] is None


def test_what_an_account_had_is_replaced(new_user: NewUser, source: User, database: Database) -> None:
    user = new_user(settings={"theme": "dark", "app.old": 1})
    inhabit(user)
    source.put("/user/settings", {"locale": "de"})
    assert brought(user, export_of(database, source)) == {}
    assert {row["key"]: row["value"] for row in user.get("/settings").json["settings"]} == {"locale": "de"}
    for table in ("user_onboarding_state", "user_onboarding_responses", "user_interests"):
        assert database.query(f"SELECT FROM {table} WHERE user_id = %s", user.id) == [], table


# Older archives ----------------------------------------------------------------------------------------------------


def test_a_column_and_a_table_that_an_older_archive_does_not_have(user: User, source: User, database: Database) -> None:
    source.post("/habits", {"name": "Read"})
    source.put("/user/settings", {"theme": "dark"})
    export = export_of(database, source)
    [habit] = export.rows("habits")
    assert habit["sort_order"] is not None
    older = (
        export.having("habits", lambda rows: [{k: v for k, v in row.items() if k != "description"} for row in rows])
        .without("ideas")
        .saying(schema_version=1)
    )
    assert brought(user, older) == {}
    assert export_of(database, user).data() == export.data()


def test_an_upgrade_step(user: User, source: User, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later migration renamed a table and a column, dropped a table, and another one changed a value."""
    source.post("/habits", {"name": "Read"})
    export = export_of(database, source)
    [habit] = export.rows("habits")

    def renamed(table: str, row: dict[str, Any]) -> dict[str, Any]:
        if table == "habits":
            row["name"] = row.pop("label")
        return row

    def louder(table: str, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "name": row["name"] and row["name"].upper()} if table == "habits" else row

    monkeypatch.setitem(upgrades.UPGRADES, SCHEMA_VERSION - 1, Upgrade({"routines": "habits", "moods": None}, renamed))
    monkeypatch.setitem(upgrades.UPGRADES, SCHEMA_VERSION, Upgrade({}, louder))
    label = {"label" if column == "name" else column: value for column, value in habit.items()}
    files = {**export.without("habits").files, "data/moods.json": b"[]\n", "data/routines.json": b"[]\n"}
    tables = {**export.without("habits").fields["tables"], "moods": {"rows": 0, "columns": ["id"]}}
    older = Exported(files, {**export.fields, "tables": {**tables, "routines": {"rows": 0, "columns": []}}})
    older = older.having("routines", lambda _: [label]).saying(schema_version=SCHEMA_VERSION - 2)
    ended = bring(user, older.zipped())
    assert (ended["status"], ended["counts"]["habits"], ended["skipped"]) == ("done", 1, {}), ended
    assert export_of(database, user).rows("habits") == [{**habit, "name": "READ"}]


# The functions that load ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    ["users", "sessions", "accounts", "calendar_feeds", "jobs", "user_imports", "points_ledger", "erasures", "nothing"],
)
def test_an_import_can_fill_no_other_table(user: User, database: Database, table: str) -> None:
    with psycopg.connect(database.url("questlog_jobs"), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute("SELECT import_rows(%s, ARRAY['id'], '[]')", [table])


def test_rows_are_the_users_whatever_they_say(user: User, other: User, database: Database) -> None:
    with psycopg.connect(database.url("questlog_jobs"), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user.id)])
        row = f'[{{"id": "{uuid4()}", "user_id": "{other.id}", "title": "Bells"}}]'
        connection.execute("SELECT import_rows('user_references', ARRAY['id', 'title', 'user_id'], %s)", [row])
    rows = database.query("SELECT user_id FROM user_references WHERE user_id IN (%s, %s)", user.id, other.id)
    assert rows == [{"user_id": user.id}]
    database.query("SELECT count_totals(%s)", user.id)  # as the end of an import does


def test_derived_rows_of_the_ledger_are_made_of_it(user: User, source: User, database: Database) -> None:
    award(database, source, "focus_complete", xp=60, coins=12, counters={"focus_minutes": 60})
    export = export_of(database, source)
    wrong = export.having("user_counters", lambda rows: [{**row, "value": 99} for row in rows])
    assert brought(user, wrong) == {}
    assert counter(database, user, "focus_minutes") == 60
