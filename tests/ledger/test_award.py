"""award(): rules 1 to 9 of the contract's 1.2."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.ledger.conftest import Ledger, NewLedger, refused
from tests.support.ledger import boost


def test_first_award_of_a_user(ledger: Ledger) -> None:
    source = uuid4()
    result = ledger.award(
        "goal_complete", 40, 20, source_type="goal", source_id=source, idempotency_key="goal_complete:1", reason="why"
    )
    [entry] = ledger.entries()
    assert result == {
        "ledger_id": entry["id"],
        "replayed": False,
        "xp": 40,
        "bonus_xp": 0,
        "coins": 20,
        "skill_key": "discipline",
        "leveled_up": False,
        "new_level": 1,
        "total_xp": 40,
        "balance": 20,
        "streak": 1,
        "achievements": [],
    }
    assert (
        entry
        | {
            "user_id": ledger.user_id,
            "event_type": "goal_complete",
            "source_type": "goal",
            "source_id": source,
            "base_xp": 40,
            "bonus_xp": 0,
            "xp": 40,
            "coins": 20,
            "skill_key": "discipline",
            "skill_stars": 0,
            "counters": {"goals_completed": 1},
            "metadata": {},
            "level_after": 1,
            "coins_after": 20,
            "total_xp_after": 40,
            "idempotency_key": "goal_complete:1",
            "reverses": None,
            "cause_id": None,
            "reason": "why",
            "local_date": ledger.today,
        }
        == entry
    )


def test_a_user_without_rows_reads_zeros(ledger: Ledger) -> None:
    assert ledger.rows("SELECT * FROM user_progress") == []
    assert ledger.row("SELECT * FROM reward(NULL::award_result)") == {
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 0,
    }
    assert ledger.state()["user_progress"] == []


def test_nothing_is_only_counted(ledger: Ledger) -> None:
    result = ledger.award("book_complete", 0, 0, idempotency_key="book_complete:1")
    assert (result["xp"], result["coins"], result["streak"]) == (0, 0, 1)
    assert ledger.value("SELECT value FROM user_counters WHERE counter = 'books_completed'") == 1
    # ... and brings its achievement, which does pay
    assert [a["key"] for a in result["achievements"]] == ["first_book"]
    assert (result["total_xp"], result["balance"]) == (200, 50)


@pytest.mark.parametrize(
    ("given", "skill", "xp"),
    [
        ({}, "discipline", 40),
        ({"skill_key": None}, "discipline", 40),
        ({"skill_key": "creativity"}, "creativity", 40),
        ({"skill_key": "creativity", "skill_stars": 3}, "creativity", 70),
        ({"skill_stars": 1}, "discipline", 50),
    ],
)
def test_skills_gain_xp_and_ten_for_each_star(ledger: Ledger, given: dict[str, Any], skill: str, xp: int) -> None:
    assert ledger.award(xp=40, **given)["skill_key"] == skill
    assert ledger.rows("SELECT skill_key, xp FROM user_skills") == [{"skill_key": skill, "xp": xp}]
    assert ledger.value("SELECT total_skill_stars FROM user_progress") == xp // 10


def test_an_event_without_a_skill_gives_none(ledger: Ledger) -> None:
    assert ledger.award("quest_complete", 50, 10)["skill_key"] is None
    assert ledger.rows("SELECT * FROM user_skills") == []


def test_counters_move_by_their_amounts_and_the_own_one_by_one(ledger: Ledger) -> None:
    ledger.award("focus_complete", counters={"focus_minutes": 25})
    ledger.award("focus_complete", counters={"focus_minutes": 5, "focus_sessions": 2, "other": 0})
    ledger.award("focus_partial", counters={"focus_minutes": 1.0})
    counters = {r["counter"]: r["value"] for r in ledger.rows("SELECT * FROM user_counters")}
    assert counters == {"focus_minutes": 31, "focus_sessions": 4, "other": 0, "achievements_earned": 1}


@pytest.mark.parametrize("event_type", ["goal_complete", "focus_complete", "book_complete", "market_purchase"])
def test_a_replay_changes_nothing_and_answers_the_first_result(ledger: Ledger, event_type: str) -> None:
    """Also after the world moved on: other awards, a spend, a lost boost, another day."""
    ledger.award(xp=90, coins=50)
    call: dict[str, Any] = {"source_id": uuid4(), "idempotency_key": "the:key"}

    def again(**changes: Any) -> Any:
        if event_type == "market_purchase":
            return ledger.spend(**call | changes)
        return ledger.award(event_type, **call | changes)

    first = again()
    ledger.award(xp=5000, coins=0, day=ledger.day(-3))
    ledger.spend(20)
    before = ledger.state()
    assert again() == first | {"replayed": True}
    # what is not compared may differ
    assert again(reason="other", metadata={"a": 1}) == first | {"replayed": True}
    if event_type != "market_purchase":
        assert again(counters={"focus_minutes": 3}, day=ledger.day(4)) == first | {"replayed": True}
    assert ledger.row("SELECT * FROM paid_under('the:key')") == first | {"replayed": True}
    assert ledger.state() == before


@pytest.mark.parametrize(
    "other",
    [
        {"xp": 11},
        {"coins": 4},
        {"event_type": "milestone_complete"},
        {"source_type": "other"},
        {"source_id": None},
        {"skill_key": "focus"},
        {"skill_stars": 1},
    ],
)
def test_the_same_key_with_other_arguments_is_refused(ledger: Ledger, other: dict[str, Any]) -> None:
    call: dict[str, Any] = {"source_id": uuid4(), "idempotency_key": "the:key"}
    ledger.award(**call)
    before = ledger.state()
    with refused(422, "idempotency_mismatch"):
        ledger.award(**call | other)
    assert ledger.state() == before


def test_a_key_belongs_to_its_user(new_ledger: NewLedger) -> None:
    one, other = new_ledger(), new_ledger()
    assert not one.award(idempotency_key="the:key")["replayed"]
    assert not other.award(xp=99, idempotency_key="the:key")["replayed"]
    assert one.value("SELECT count(*) FROM points_ledger") == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"xp": -1},
        {"xp": 1_000_001},
        {"xp": None},
        {"coins": -1},
        {"coins": 1_000_001},
        {"coins": None},
        {"event_type": "no_such_event"},
        {"event_type": None},
        {"event_type": "market_purchase"},
        {"event_type": "reversal"},
        {"event_type": "achievement"},
        {"skill_key": "no_such_skill"},
        {"skill_stars": -1},
        {"skill_stars": None},
        {"counters": None},
        {"counters": ["focus_minutes"]},
        {"counters": {"focus_minutes": -1}},
        {"counters": {"focus_minutes": 1.5}},
        {"counters": {"focus_minutes": "1"}},
        {"counters": {"focus_minutes": None}},
        {"counters": {"focus_minutes": [1]}},
        {"counters": {"focus_minutes": 10**10}},
        {"counters": {"focus_minutes": 1, "pages_read": True}},
        {"counters": {"streak_days": 1}},
        {"metadata": None},
        {"metadata": [1]},
        {"idempotency_key": ""},
        {"idempotency_key": "k" * 201},
        {"idempotency_key": None},
        {"idempotency_key": "reverse:x"},
        {"idempotency_key": "achievement:first_focus"},
        {"source_type": None},
        {"day": None},
        {"day": "infinity"},
    ],
)
def test_misuse_is_an_error_that_no_route_answers(ledger: Ledger, bad: dict[str, Any]) -> None:
    ledger.award()
    before = ledger.state()
    with refused("22023"):
        ledger.award(**bad)
    assert ledger.state() == before


def test_without_a_user_nothing_is_paid(ledger: Ledger) -> None:
    ledger.connection.execute("SELECT set_config('app.user_id', '', false)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ledger.award()


def test_a_boost_multiplies_xp_only(ledger: Ledger) -> None:
    effect = ledger.boost(1.5)
    result = ledger.award("focus_complete", 25, 5, idempotency_key="boosted", skill_stars=2, metadata={"a": 1})
    assert (result["xp"], result["bonus_xp"], result["coins"]) == (37, 12, 5)
    entry = ledger.entries()[0]
    assert (entry["base_xp"], entry["bonus_xp"], entry["xp"]) == (25, 12, 37)
    assert entry["metadata"] == {"a": 1, "base_xp": 25, "multiplier": 1.5, "effect_id": str(effect)}
    assert ledger.value("SELECT xp FROM user_skills") == 37 + 20
    # the replay compares the base, and after the boost answers what was paid
    ledger.database.query("DELETE FROM user_effects WHERE user_id = %s", ledger.user_id)
    again = ledger.award("focus_complete", 25, 5, idempotency_key="boosted", skill_stars=2)
    assert again == result | {"replayed": True}
    with refused(422, "idempotency_mismatch"):
        ledger.award("focus_complete", 37, 5, idempotency_key="boosted", skill_stars=2)
    assert ledger.award("focus_complete", 25, 5)["xp"] == 25


def test_what_is_boostable(ledger: Ledger, new_ledger: NewLedger) -> None:
    ledger.boost(2)
    events = ledger.rows(
        "SELECT event_type FROM event_definitions WHERE kind = 'award' AND event_type <> 'achievement'"
    )
    plain = {e["event_type"] for e in events if ledger.award(e["event_type"], 7, 0)["xp"] == 7}
    assert plain == {"break_complete", "quest_complete", "admin_adjustment"}
    assert {e["bonus_xp"] for e in ledger.entries() if e["event_type"] == "achievement"} == {0}
    # somebody else's boost is nobody's
    assert new_ledger().award("goal_complete", 7)["xp"] == 7


@pytest.mark.parametrize(
    ("started", "ends", "xp"), [("-2 hours", "-1 second", 10), ("1 hour", "2 hours", 10), ("-2 hours", "1 minute", 20)]
)
def test_a_boost_counts_while_it_runs(ledger: Ledger, started: str, ends: str, xp: int) -> None:
    boost(ledger.database, ledger.user_id, factor=2, started=started, ends=ends)
    assert ledger.award()["xp"] == xp


def test_leveling_covers_what_the_award_caused(ledger: Ledger) -> None:
    """90 XP are level 1; the achievement's 25 lift the user over 100."""
    result = ledger.award("focus_complete", 90, 0, idempotency_key="k")
    assert (result["leveled_up"], result["new_level"], result["total_xp"]) == (True, 2, 115)
    assert ledger.entries()[0]["level_after"] == 1
    assert ledger.award("focus_complete", 90, 0, idempotency_key="k") == result | {"replayed": True}
    again = ledger.award("focus_complete", 1, 0)
    assert (again["leveled_up"], again["new_level"]) == (False, 2)


def test_award_runs_once_inside_a_statement_that_changes_rows(ledger: Ledger) -> None:
    """The form route authors use, from a data-modifying CTE, with two awards and with none."""
    two = """
        WITH marked AS (
            INSERT INTO activity_events (event_type) VALUES ('client:test'), ('client:test') RETURNING id
        ), paid AS (
            SELECT award('goal_complete', 'goal', id, 110, 20, 'goal_complete:' || id) AS award FROM marked WHERE %s
        )
        SELECT r.* FROM reward(VARIADIC ARRAY(SELECT award FROM paid)) AS r
    """
    assert ledger.row(two, True) == {
        "xp_awarded": 220,
        "coins_awarded": 40,
        "leveled_up": True,  # by the first of the two
        "new_level": 2,
        "achievements_unlocked": [],
        "streak": 1,
    }
    assert len(ledger.entries()) == 2
    assert ledger.row(two, False) == {
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 2,
        "achievements_unlocked": [],
        "streak": 1,
    }
    assert len(ledger.entries()) == 2
    one = ledger.row(
        "WITH paid AS (SELECT a.* FROM award('focus_complete', 'x', NULL, 5, 1, 'k') AS a)"
        " SELECT r.* FROM paid, reward(paid.*) AS r"
    )
    assert (one["xp_awarded"], [a["key"] for a in one["achievements_unlocked"]]) == (5, ["first_focus"])
    assert ledger.value("SELECT xp_awarded FROM reward(award('goal_complete', 'x', NULL, 5, 1, 'k2'))") == 5
    assert len(ledger.entries()) == 5


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    ledger.connection.execute("BEGIN")
    ledger.award("focus_complete", 500, 5)
    with pytest.raises(psycopg.errors.DivisionByZero):
        ledger.value("SELECT 1 / 0")
    ledger.connection.execute("ROLLBACK")
    assert not any(ledger.state().values())


def test_a_connection_killed_between_leaves_nothing_and_no_lock(ledger: Ledger, new_ledger: NewLedger) -> None:
    doomed = new_ledger(of=ledger)
    doomed.connection.execute("BEGIN")
    doomed.award("focus_complete", 500, 5, idempotency_key="k")
    ledger.database.query("SELECT pg_terminate_backend(%s)", doomed.connection.info.backend_pid)
    assert not ledger.award("focus_complete", 500, 5, idempotency_key="k")["replayed"]
    assert ledger.entries()[0]["idempotency_key"] == "k"
    with pytest.raises(psycopg.OperationalError):
        doomed.connection.execute("COMMIT")


def test_quests_hear_of_each_new_award_once(ledger: Ledger) -> None:
    """With all counters it moved, streak and day; of a reversal, with what is taken back and the award's day."""
    with psycopg.connect(ledger.database.admin_url, row_factory=psycopg.rows.dict_row) as connection:
        connection.execute(
            """
            CREATE TABLE heard (n int GENERATED ALWAYS AS IDENTITY, hook text, counters jsonb, day date);
            GRANT INSERT ON heard TO questlog_owner;
            CREATE OR REPLACE FUNCTION advance_quests(counters jsonb, day date) RETURNS void LANGUAGE sql
            AS $$ INSERT INTO heard (hook, counters, day) VALUES ('advance', counters, day) $$;
            CREATE OR REPLACE FUNCTION retreat_quests(counters jsonb, day date) RETURNS void LANGUAGE sql
            AS $$ INSERT INTO heard (hook, counters, day) VALUES ('retreat', counters, day) $$;
            """
        )
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(ledger.user_id)])
        inside = Ledger(connection, ledger.database, ledger.user_id, ledger.today)
        yesterday = ledger.day(1)
        inside.award(day=ledger.day(2))
        for _ in range(2):
            inside.award("focus_complete", 25, counters={"focus_minutes": 25}, idempotency_key="k", day=yesterday)
        inside.award("break_complete", 2, 0)
        inside.spend(1)
        inside.reverse("k")
        inside.reverse("k")
        heard = inside.rows("SELECT hook, counters, day FROM heard ORDER BY n")
        connection.rollback()
    moved = {"focus_sessions": 1, "focus_minutes": 25}
    assert [(h["hook"], h["counters"], h["day"]) for h in heard] == [
        ("advance", {"goals_completed": 1, "streak_days": 0}, ledger.day(2)),
        ("advance", moved | {"streak_days": 2}, yesterday),
        ("advance", {"achievements_earned": 1, "streak_days": 2}, yesterday),
        ("advance", {"breaks_taken": 1, "streak_days": 2}, ledger.today),
        ("retreat", moved, yesterday),
    ]
