"""What awards note, so that the next ones need not look through the definitions: they rule out nothing that is due.

Definitions made for a test live in a transaction that is taken back.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from database.migrate import MIGRATIONS
from tests.conftest import Database
from tests.ledger.conftest import Ledger

QUEST: Final = {"quest_type": "daily", "target": 2, "target_type": "goals_completed"}
REVISIONS: Final = "0039_revisions.sql"


class Staged(Ledger):
    """The same ledger as the superuser's, inside a transaction."""

    def administer(self, sql: str, *parameters: Any) -> None:
        """Change definitions, and raise the shared revision, as each request of an administrator does."""
        self.rows(sql, *parameters)
        self.rows("SELECT internal.revise_all()")

    def define(self, key: str, trigger: str, config: dict[str, Any]) -> None:
        self.administer(
            "INSERT INTO achievement_definitions (key, name, category, trigger_type, trigger_config)"
            " VALUES (%s, 'One', 'test', %s, %s)",
            *(key, trigger, Jsonb(config)),
        )

    def offer(self, **given: Any) -> None:
        fields = {"key": "offered", "title": "Offered"} | QUEST | given
        names = ", ".join(fields)
        self.administer(
            f"INSERT INTO universal_quests ({names}) VALUES ({', '.join(['%s'] * len(fields))})", *fields.values()
        )

    def earned(self, event_type: str = "goal_complete", **given: Any) -> list[str]:
        """The keys of the achievements that an award brought."""
        return [achievement["key"] for achievement in self.award(event_type, **given)["achievements"]]

    def progress(self, day: date | None = None) -> int:
        """How far the offered quest is in the period of a day."""
        return int(
            self.value(
                "SELECT coalesce((SELECT p.progress FROM user_quest_progress AS p JOIN universal_quests AS u"
                "                     ON u.id = p.universal_quest_id"
                "  WHERE p.user_id = current_user_id() AND u.key = 'offered'"
                "    AND p.period_key = internal.quest_period_key(u.quest_type, %s)), 0)",
                day or self.today,
            )
        )

    def marks(self) -> dict[str, Any]:
        return self.row("SELECT * FROM ledger_marks WHERE user_id = current_user_id()")

    def wrong_marks(self) -> list[Any]:
        return self.rows("SELECT * FROM mark_audit WHERE user_id = current_user_id()")


@pytest.fixture
def staged(ledger: Ledger) -> Iterator[Staged]:
    with psycopg.connect(ledger.database.admin_url, row_factory=dict_row) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(ledger.user_id)])
        connection.execute("UPDATE achievement_definitions SET is_active = false")
        connection.execute("UPDATE universal_quests SET is_active = false")
        staged = Staged(connection, ledger.database, ledger.user_id, ledger.today)
        yield staged
        assert staged.wrong_marks() == []
        connection.rollback()


def test_an_award_like_the_one_before_looks_through_nothing(staged: Staged) -> None:
    """A definition that no revision tells of is not seen: so nobody looked."""
    for _ in range(2):
        staged.award()
    before = staged.marks()
    staged.rows(
        "INSERT INTO achievement_definitions (key, name, category, trigger_type, trigger_config)"
        """ VALUES ('unseen', 'One', 'test', 'counter', '{"counter": "goals_completed", "count": 1}'),"""
        """        ('unseen_too', 'One', 'test', 'event', '{"event_type": "goal_complete"}')"""
    )
    staged.rows("INSERT INTO universal_quests (key, title, target_type) VALUES ('unseen', 'One', 'goals_completed')")
    assert staged.earned() == []
    assert staged.rows("SELECT FROM user_quest_progress WHERE user_id = current_user_id()") == []
    assert staged.marks() == before
    assert {problem["problem"].split(":")[0] for problem in staged.wrong_marks()} == {
        *("The achievement unseen is not awaited", "The achievement unseen_too is not awaited"),
        f"The quest unseen is not awaited on {staged.today}.",
    }
    staged.rows("SELECT internal.revise_all()")
    assert staged.earned() == ["unseen", "unseen_too"]


def test_a_threshold_is_met_by_the_award_that_reaches_it(staged: Staged) -> None:
    staged.define("three", "counter", {"counter": "goals_completed", "count": 3})
    staged.define("five", "counter", {"counter": "goals_completed", "count": 5})
    assert [staged.earned() for _ in range(6)] == [[], [], ["three"], [], ["five"], []]


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE achievement_definitions SET trigger_config = '{"counter": "goals_completed", "count": 2}'""",
        "UPDATE achievement_definitions SET is_active = true",
    ],
)
def test_a_definition_that_changes_is_seen(staged: Staged, change: str) -> None:
    staged.define("one", "counter", {"counter": "goals_completed", "count": 9 if "config" in change else 2})
    if "is_active" in change:
        staged.administer("UPDATE achievement_definitions SET is_active = false WHERE key = 'one'")
    assert [staged.earned() for _ in range(3)] == [[], [], []]
    staged.administer(f"{change} WHERE key = 'one'")
    assert staged.earned() == ["one"]


def test_several_counters_are_known_one_by_one(staged: Staged) -> None:
    staged.define("pages", "counter", {"counter": "pages_read", "count": 30})
    staged.define("goals", "counter", {"counter": "goals_completed", "count": 3})
    assert staged.earned(counters={"pages_read": 10}) == []
    assert staged.earned() == []
    assert staged.earned(counters={"pages_read": 0}) == ["goals"]
    assert staged.earned(counters={"pages_read": 19}) == []
    assert staged.earned(counters={"pages_read": 1}) == ["pages"]


def test_what_metadata_complete_is_seen_whenever_it_comes(staged: Staged) -> None:
    staged.define("long", "event", {"event_type": "goal_complete", "min": {"weeks": 3}})
    staged.define("wide", "event", {"event_type": "goal_complete", "min": {"weeks": 2, "wide": 1}})
    for metadata in ({}, {"weeks": 2}, {"weeks": "3"}, {"weeks": [3]}, {"wide": 9}):
        assert staged.earned(metadata=metadata) == []
    assert staged.earned(metadata={"weeks": 2, "wide": 1.5}) == ["wide"]
    assert staged.earned(metadata={"weeks": 3}) == ["long"]
    assert staged.marks()["completing"]["event:goal_complete"] is None


JSON_SCALARS: Final = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.just("3") | st.just([3])


@given(
    minima=st.lists(st.dictionaries(st.text(max_size=3), st.integers(-3, 3), max_size=2), max_size=2),
    metadata=st.dictionaries(st.text(max_size=3), JSON_SCALARS, max_size=3),
)
@settings(max_examples=80, deadline=None)
def test_any_metadata_complete_what_its_minima_say(
    database: Database, minima: list[dict[str, int]], metadata: dict[str, Any]
) -> None:
    """Also under names that JSON or jsonpath write in their own way."""
    names = [name for minimum in minima for name in minimum]
    found = metadata | dict.fromkeys(names[:1], 3)
    if any("\0" in name for name in (*names, *found)):
        return  # Postgres keeps no such text

    def reaches(minimum: dict[str, int]) -> bool:
        return all(type(found.get(name)) in (int, float) and found[name] >= least for name, least in minimum.items())

    [row] = database.query(
        "SELECT coalesce(%s::jsonb @? internal.completing_metadata(%s::jsonb[])::jsonpath, false) AS completes",
        *(Jsonb(found), [Jsonb(minimum) for minimum in minima]),
    )
    assert row["completes"] == any(map(reaches, minima))


def test_a_quest_moves_until_it_is_full_and_again_in_its_next_period(staged: Staged) -> None:
    staged.offer()
    yesterday = staged.day(1)
    moved = []
    for _ in range(4):
        staged.award(day=yesterday)
        moved.append(staged.progress(yesterday))
    for _ in range(3):
        staged.award()
        moved.append(staged.progress())
    assert moved == [1, 2, 2, 2, 1, 2, 2]


def test_one_counter_that_moves_no_quest_says_nothing_of_another(staged: Staged) -> None:
    staged.offer(target_type="pages_read", target=5)
    for _ in range(3):
        staged.award(counters={"pages_read": 0})
    assert staged.progress() == 0
    staged.award(counters={"pages_read": 2})
    assert staged.progress() == 2
    staged.award("focus_partial", counters={"pages_read": 2})
    assert staged.progress() == 4


def test_what_one_day_was_done_with_another_may_count(staged: Staged) -> None:
    staged.offer(target_type="pages_read")
    yesterday = staged.day(1)
    for _ in range(2):
        staged.award(counters={"pages_read": 5}, day=yesterday)
    for _ in range(2):
        staged.award()
    staged.award(counters={"pages_read": 1})
    assert (staged.progress(yesterday), staged.progress()) == (2, 1)


def test_a_new_quest_moves_with_each_award(staged: Staged) -> None:
    for _ in range(2):
        staged.award()
    staged.offer()
    moved = []
    for _ in range(3):
        staged.award()
        moved.append(staged.progress())
    assert moved == [1, 2, 2]


@pytest.mark.parametrize("other_awards", ["move a quest", "move none"])
def test_a_change_is_seen_by_each_counter(staged: Staged, other_awards: str) -> None:
    """Also by one that moves after another one did."""
    if other_awards == "move a quest":
        staged.offer(target=9)
    staged.define("pages", "counter", {"counter": "pages_read", "count": 90})
    for _ in range(2):
        staged.award(counters={"pages_read": 5})
    staged.administer(
        "UPDATE achievement_definitions SET trigger_config = trigger_config || %s WHERE key = 'pages'",
        Jsonb({"count": 11}),
    )
    for _ in range(2):
        assert staged.earned() == []
    assert staged.earned(counters={"pages_read": 1}) == ["pages"]


def test_a_quest_that_begins_later_in_the_day_moves_then(staged: Staged) -> None:
    staged.offer(starts_at=staged.value("SELECT clock() + interval '1 hour'"))
    for _ in range(3):
        staged.award()
    assert staged.progress() == 0
    # As if an hour had passed: no request of an administrator tells of it.
    staged.rows("UPDATE universal_quests SET starts_at = clock() - interval '1 second' WHERE key = 'offered'")
    staged.award()
    assert staged.progress() == 1


def test_a_quest_that_a_reversal_opens_moves_again(staged: Staged) -> None:
    staged.offer()
    for key in ("one", "two", "three", "four"):
        staged.award(idempotency_key=key)
    assert staged.progress() == 2
    staged.reverse("one")
    assert staged.progress() == 1
    staged.award()
    assert staged.progress() == 2


def test_a_streak_that_a_pause_has_mended_moves_its_quest(staged: Staged) -> None:
    staged.offer(target_type="streak_days", target=9, quest_type="weekly")
    for day in (5, 4, 3, 3):
        staged.award(day=staged.day(day))
    for _ in range(3):
        staged.award()
    assert staged.value("SELECT effective_streak()") == 1
    staged.rows(
        "INSERT INTO habit_pauses (user_id, starts_on, ends_on) VALUES (current_user_id(), %s, %s)",
        *(staged.today - timedelta(days=2), staged.today - timedelta(days=1)),
    )
    # Not as the superuser, who would also see the days of other users.
    staged.rows("SET LOCAL ROLE questlog_owner")
    staged.rows("SELECT internal.mend_streaks('{}')")
    staged.rows("RESET ROLE")
    assert staged.value("SELECT effective_streak()") == 4
    staged.award()
    assert staged.progress() == 4


def test_wrong_marks_are_found(staged: Staged) -> None:
    staged.define("three", "counter", {"counter": "goals_completed", "count": 3})
    staged.define("event", "event", {"event_type": "goal_complete", "min": {"weeks": 3}})
    staged.offer()
    staged.award()
    for planted in (
        """completing = completing || '{"counter:goals_completed": 4}'""",
        """completing = completing || '{"event:goal_complete": null}'""",
        """quiet_day = local_today(), quiet_counters = '{"goals_completed": true}'""",
    ):
        staged.rows("SAVEPOINT before")
        staged.rows(f"UPDATE ledger_marks SET {planted} WHERE user_id = current_user_id()")
        assert len(staged.wrong_marks()) == 1, planted
        staged.rows("ROLLBACK TO before")


def test_a_migration_that_changes_definitions_says_so() -> None:
    """No request of an administrator tells of it, so it raises the revision itself."""
    later = [file for file in sorted(MIGRATIONS.glob("*.sql")) if file.name > REVISIONS]
    assert later, "the migrations are found"
    for file in later:
        text = file.read_text()
        if "INTO achievement_definitions" in text or "INTO universal_quests" in text:
            assert "UPDATE shared_revision" in text, file.name
